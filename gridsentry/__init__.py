"""The front door: command line, configuration, composition root."""

import os

# Our matrices are small: threads of the linear algebra library would only wait for each other and
# take the cores from decoding. It reads this once, when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
