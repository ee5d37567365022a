"""How fast the command center is for those who look at it."""
