"""Starts ``python -m study.confirm``."""

import sys

from study.confirm.command import main

if __name__ == "__main__":
    sys.exit(main())
