"""How fast, measured: each folder is one benchmark, one command, with its references beside it."""
