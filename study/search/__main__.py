"""Starts ``python -m study.search``."""

import sys

from study.search.command import main

if __name__ == "__main__":
    sys.exit(main())
