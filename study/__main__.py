"""Starts ``python -m study``."""

import sys

from study.command import main

if __name__ == "__main__":
    sys.exit(main())
