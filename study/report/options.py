"""The options of ``python -m study.report``, and the settings that they state."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from study import cli, formats, options
from study.confirm.options import add_margin
from study.errors import StudyError
from study.margin import DEFAULT_MARGIN, Margin
from study.report.ownership import FORMATS, USUAL_FORMATS
from study.storage.urls import shown
from study.training.registry import Model, model_named

MOST = 6  # studies on a page: as many colours and markers stand apart


@dataclass(frozen=True)
class Settings:
    """Which report is written, and where."""

    storage: str  # a path or a URL
    out: Path  # the report's folder
    names: tuple[str, ...] = ()  # the studies; see :func:`study.report.render`
    data_root: Path | None = None  # where the official training files lie
    replace: bool = False  # overwrite files that no report wrote
    margin: Margin = DEFAULT_MARGIN  # of a confirmed comparison's verdict
    formats: tuple[str, ...] = USUAL_FORMATS  # of the figures' files


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser("study.report", "Compare searched models, two or more, on one page.")
    options.add_common(found)
    found.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"the studies, one to {MOST} (default: of each model the study that has its name, or "
        "its only study)",
    )
    add_report(found)
    add_format(found)
    add_margin(found)
    for option, place in (("linear", "first"), ("mlp", "second")):
        found.add_argument(
            f"--{option}",
            metavar="NAME",
            help=f"the {place} of two studies, of any model; with only one of the two options, "
            "the report is of that study alone",
        )
    options.add_data_root(found, "for images that are not in the package")
    return found


def names_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The studies that the options name.

    Raises:
        StudyError: They are named in both ways.
    """
    options = {"--linear": args.linear, "--mlp": args.mlp}
    given = {option: name for option, name in options.items() if name is not None}
    if args.names and given:
        both = " and ".join(given)
        raise StudyError(
            f"{' '.join(map(shown, args.names))} and {both}: name the studies twice: give all of"
            f" them without {both}"
        )
    return tuple(args.names or given.values())


def add_models(parser: argparse._ActionsContainer) -> None:
    """``--models``, of every command that searches and reports several."""
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="NAME",
        default=("linear", "mlp"),
        help=f"the models to compare, two to {MOST}, the simplest first",
    )


def models_of(args: argparse.Namespace) -> list[Model]:
    """The models that ``--models`` names.

    Raises:
        StudyError: One is not known or named twice, or there are too few or too many.
    """
    names = args.models
    found = [model_named(name) for name in names]
    if len(set(names)) < len(names):
        raise StudyError(f"--models {' '.join(names)}: twice the same: name each once")
    if not 2 <= len(names) <= MOST:
        count = formats.plural(len(names), "model")
        raise StudyError(f"--models {' '.join(names)}: {count}: name two to {MOST}")
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


def add_format(parser: argparse._ActionsContainer) -> None:
    """``--format``, of every command that writes one report."""
    parser.add_argument(
        "--format",
        nargs="+",
        choices=FORMATS,
        default=USUAL_FORMATS,
        metavar="FORMAT",
        help=f"the files of each figure: {', '.join(FORMATS)}; for papers svg and pdf",
    )


def settings_of(args: argparse.Namespace, names: Sequence[str] = ()) -> Settings:
    """How the options say to report the studies of these names."""
    return Settings(
        storage=args.storage,
        out=args.out,
        names=tuple(names),
        data_root=args.data_root,
        replace=args.replace,
        margin=args.margin,
        formats=tuple(dict.fromkeys(args.format)),
    )
