"""`python -m cstar_explore.cli`."""

import sys

from . import main

sys.exit(main())
