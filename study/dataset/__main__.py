"""``python -m study.dataset``: write the package's data anew from the official files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study import cli
from study.dataset import bundle
from study.errors import StudyError
from study.text import complain, say


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(argv)
    try:
        bundle.make_bundle(options.data_root, options.out)
    except StudyError as error:
        complain(error)
        return error.status
    for name, digest in bundle.SHA256.items():
        say(f"{options.out / name}  unpacked SHA-256 {digest}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.new_parser(
        "study.dataset",
        "Take the 4s and 9s from MNIST's official training files and write the "
        "two gzipped IDX files that the package ships in study/data.",
    )
    parser.add_argument(
        "--data-root",
        type=Path,
        required=True,
        metavar="DIR",
        help="where MNIST/raw/train-*-ubyte lie, or will be downloaded to",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write the two files"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
