"""What detectors of water share: the drainage graph, and what water can do."""
