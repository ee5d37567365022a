"""How fast and how well: scorecards, each one command."""

import os

# As in the service itself (see `gridsentry`): read once, when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
