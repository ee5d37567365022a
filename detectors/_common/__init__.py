"""Pure code that several detectors share."""
