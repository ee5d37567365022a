"""Seeded worlds with ground truth that publish MQTT like real gateways."""
