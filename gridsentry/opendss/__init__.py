"""Feeders out of OpenDSS circuits (`.dss`)."""
