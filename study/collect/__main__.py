"""Starts ``python -m study.collect``."""

import sys

from study.collect.command import main

if __name__ == "__main__":
    sys.exit(main())
