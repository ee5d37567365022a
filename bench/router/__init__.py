"""How fast somebody is chosen in a province of half a million workers."""
