"""The front door: command line, configuration, composition root."""
