"""History as a testing ground: recordings into the store, and detectors over what is stored."""
