"""Starts ``python -m study.report``."""

import sys

from study.report.command import main

if __name__ == "__main__":
    sys.exit(main())
