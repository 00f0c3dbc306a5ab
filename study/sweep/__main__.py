"""Starts ``python -m study.sweep``."""

import sys

from study.sweep.command import main

if __name__ == "__main__":
    sys.exit(main())
