"""How well routing policies serve a storm night: `make score-router`."""
