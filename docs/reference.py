"""Write the API reference: ``python docs/reference.py build/api``.

The page ``study`` is the public surface. pdoc needs no configuration and no pages of its own: it
shows what the docstrings say, of the names in each ``__all__``.
"""

import sys
from pathlib import Path

import pdoc

import study

MODULES = (
    "study",
    *(f"study.{part}" for part in ("dataset", "search", "stats", "storage", "report")),
)


def main() -> int:
    """Write it to the folder that the command names."""
    [folder] = sys.argv[1:]
    for name in study.__all__:  # they are imported on first use, and pdoc looks at what is there
        getattr(study, name)
    pdoc.render.configure(docformat="google")
    pdoc.pdoc(*MODULES, output_directory=Path(folder))
    print(f"{folder}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
