"""The command ``python -m study.report``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from study import cli, storage
from study.report import ownership
from study.text import say


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser("study.report", "Compare two searched models on one page.")
    cli.add_common(found)
    add_report(found)
    for option, place in (("linear", "first"), ("mlp", "second")):
        found.add_argument(
            f"--{option}",
            metavar="NAME",
            help=f"the {place} study, of whatever model; if only one of the two is named, the "
            "report is of that one (default: of each model the study called after it, or its "
            "only one)",
        )
    found.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help="folder of the official training files, for images that are not in the package",
    )
    return found


def add_report(parser: argparse.ArgumentParser) -> None:
    """The option that ``python -m study`` has too."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("reports"),
        help="folder of index.html, figures/, tables/ and summary.json (default: reports)",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="overwrite files in --out that are in the way and that no report wrote",
    )


def require_out(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse an ``--out`` that can't take these files of a report, before anything is computed.

    It is read-only or nearly full, or one of them is there and no report wrote it.
    """
    storage.require_room(args.out, 4_000_000)
    ownership.require_own(args.out, names, replace=args.replace)


def run_report(args: argparse.Namespace, linear: str | None = None, mlp: str | None = None) -> int:
    """Write the report of the two studies, and print where it is; the exit status."""
    from study.report import write

    require_out(args, (ownership.PAGE, ownership.SUMMARY))
    page, *others = write(
        args.storage,
        args.out,
        linear=linear,
        mlp=mlp,
        data_root=args.data_root,
        replace=args.replace,
    )
    if not args.quiet:
        say(f"{page} (and {len(others)} figures, tables and a summary in {args.out})")
    return 0


def command(args: argparse.Namespace) -> int:
    """Write the report of the studies that the options name."""
    return run_report(args, args.linear, args.mlp)


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
