"""``python -m gansdk``."""

import sys

from gansdk.cli import main

if __name__ == "__main__":
    sys.exit(main())
