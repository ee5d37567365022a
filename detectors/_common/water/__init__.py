"""What detectors of water share: the drainage graph and the hydraulics of a pipe."""
