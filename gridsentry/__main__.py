"""`python -m gridsentry` is `gridsentry`."""

import sys

from gridsentry.cli import main

sys.exit(main())
