"""A town's water mains: pump, tank, streets of pipe and the hydrants on them, by EPANET (wntr)."""
