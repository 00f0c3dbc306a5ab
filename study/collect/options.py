"""The options of ``study collect``, and the settings that they state."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from study import cli, options
from study.confirm.options import add_margin
from study.margin import Margin
from study.report.options import add_models, add_report, models_of


@dataclass(frozen=True)
class Settings:
    """What is collected, and where the page is written."""

    sources: tuple[str, ...]  # folders, files, or URLs of storages
    models: tuple[str, ...]  # that each person searched, two or more
    out: Path  # the page's folder
    replace: bool  # overwrite files that no report wrote
    margin: Margin  # of a confirmed comparison's verdict


def parser() -> cli.Parser:
    """The command's options."""
    found = cli.new_parser(
        "study.collect",
        "Show the studies of many people on one page; the storages are only read.",
    )
    found.add_argument(
        "sources",
        nargs="+",
        metavar="FOLDER",
        help="a folder, in which every storage is read, at any depth; or a storage's file or URL",
    )
    options.add_model_files(found)
    add_models(found)
    add_report(found)
    add_margin(found)
    return found


def settings_of(args: argparse.Namespace) -> Settings:
    """What the options say to collect.

    Raises:
        StudyError: A model is not known or named twice, or there are too few or too many.
    """
    models = tuple(model.name for model in models_of(args))
    return Settings(tuple(args.sources), models, args.out, args.replace, args.margin)
