"""The options of ``python -m study.report``, and the settings that they state."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from study import cli, options


@dataclass(frozen=True)
class Settings:
    """Which report is written, and where."""

    storage: str  # a path or a URL
    out: Path  # the report's folder
    linear: str | None = None  # the first study; see :func:`study.report.render`
    mlp: str | None = None  # the second one
    data_root: Path | None = None  # where the official training files lie
    replace: bool = False  # overwrite files that no report wrote


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser("study.report", "Compare two searched models on one page.")
    options.add_common(found)
    add_report(found)
    for option, place in (("linear", "first"), ("mlp", "second")):
        found.add_argument(
            f"--{option}",
            metavar="NAME",
            help=f"the {place} study, of any model; with only one of the two options, the report "
            "is of that study alone (default: of each model the study that has its name, or its "
            "only study)",
        )
    options.add_data_root(found, "for images that are not in the package")
    return found


def add_report(parser: argparse.ArgumentParser) -> None:
    """The options of every command that writes a report."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("reports"),
        help="folder for index.html, figures/, tables/ and summary.json",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="overwrite files of these names in --out that no report wrote",
    )


def settings_of(
    args: argparse.Namespace, linear: str | None = None, mlp: str | None = None
) -> Settings:
    """How the options say to report the two studies of these names."""
    return Settings(args.storage, args.out, linear, mlp, args.data_root, args.replace)
