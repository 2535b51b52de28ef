"""``python -m gansdk``."""

import sys

from gansdk.cli import main

sys.exit(main())
