"""``python -m tests.helpers.under NAME MODULE …``: the command, with another version of NAME."""

import runpy
import sys

from .versions import others

if __name__ == "__main__":
    _, name, sys.argv[0], *sys.argv[1:] = sys.argv
    with others(name):
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
