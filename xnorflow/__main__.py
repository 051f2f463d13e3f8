"""``python -m xnorflow`` is the command ``xnorflow``."""

import sys

from xnorflow.cli.main import main

sys.exit(main())
