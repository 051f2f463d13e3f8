"""``python -m xnorflow`` is the command ``xnorflow``."""

import sys

from xnorflow.cli import main

sys.exit(main())
