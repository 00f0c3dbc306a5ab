"""The command ``python -m study``: search the models, report, confirm, report again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from study import cli, formats, options
from study.confirm.command import run_confirm
from study.confirm.options import add_confirm
from study.confirm.options import settings_of as confirm_settings
from study.errors import StudyError
from study.report.command import require_out, run_report
from study.report.options import MOST, add_report
from study.report.options import settings_of as report_settings
from study.report.ownership import report_names
from study.search.command import run_search
from study.search.options import add_search, plans_of
from study.search.options import settings_of as search_settings
from study.text import say
from study.training.registry import Model, model_named


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study",
        "Search two or more models, report, confirm what was found, and complete the report.",
    )
    options.add_common(found)
    found.add_argument(
        "--models",
        nargs="+",
        metavar="NAME",
        default=("linear", "mlp"),
        help=f"the models to compare, two to {MOST}, the simplest first",
    )
    add_search(found)
    add_confirm(found)
    found.add_argument(
        "--no-confirm", action="store_true", help="stop after the searches and the first report"
    )
    add_report(found)
    return found


def command(args: argparse.Namespace) -> int:
    """The searches, the report as soon as it can be, then the costlier confirmation."""
    options.load_model_files(args)
    models = _models(args.models)
    report, quiet = report_settings(args, args.models), args.quiet > 0
    require_out(report, report_names(args.models))
    plans = plans_of(args, models)  # loads torch: after the cheap checks
    statuses = [
        run_search(
            plan,
            search_settings(args, plan.model),
            require_target=args.require_target,
            quiet=quiet,
        )
        for plan in plans
    ]
    run_report(report, quiet=quiet)
    if not args.no_confirm:
        say("")
        settings = confirm_settings(args, tuple(args.models))
        run_confirm(settings, quiet=quiet, fresh=args.restart)
        run_report(report, quiet=quiet)
    return max(statuses)


def _models(names: Sequence[str]) -> list[Model]:
    """The models that are compared.

    Raises:
        StudyError: One is not known or named twice, or there are too few or too many.
    """
    found = [model_named(name) for name in names]
    if len(set(names)) < len(names):
        raise StudyError(f"--models {' '.join(names)}: twice the same: name each once")
    if not 2 <= len(names) <= MOST:
        count = formats.plural(len(names), "model")
        raise StudyError(f"--models {' '.join(names)}: {count}: name two to {MOST}")
    return found


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
