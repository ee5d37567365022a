"""Proposes a camera's calibration from what it sees, for a person to correct."""
