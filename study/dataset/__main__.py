"""The command ``python -m study.dataset``: write the package's data anew from official files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study import cli
from study.dataset import bundle
from study.text import say


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.dataset",
        "Take the 4s and 9s from MNIST's official training files and write the "
        "two gzipped IDX files that the package ships in study/data.",
    )
    found.add_argument(
        "--data-root",
        type=Path,
        required=True,
        metavar="DIR",
        help="where MNIST/raw/train-*-ubyte lie, or will be downloaded to",
    )
    found.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write the two files"
    )
    return found


def command(args: argparse.Namespace) -> int:
    """Write the two files, and print their digests."""
    bundle.make_bundle(args.data_root, args.out)
    for name, digest in bundle.SHA256.items():
        say(f"{args.out / name}  unpacked SHA-256 {digest}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    return cli.run(command, parser(), arguments)


if __name__ == "__main__":
    sys.exit(main())
