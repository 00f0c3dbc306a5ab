"""The command ``python -m study``: search both models, report, confirm, report again."""

from __future__ import annotations

import argparse
import sys

from study import cli
from study.confirm.__main__ import add_confirm, run_confirm
from study.confirm.loop import Settings
from study.errors import StudyError
from study.report.__main__ import add_report, require_out, run_report
from study.report.ownership import report_names
from study.search.__main__ import add_search, run_search
from study.text import say
from study.training.registry import model_named


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study",
        "Search both models, report, confirm what was found, and complete the report.",
    )
    cli.add_common(found)
    found.add_argument(
        "--models",
        nargs=2,
        metavar=("A", "B"),
        default=("linear", "mlp"),
        help="the two to compare, the simpler first (default: linear mlp)",
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
    models = [model_named(name) for name in args.models]
    if models[0] == models[1]:
        raise StudyError(f"--models {' '.join(args.models)}: twice the same: name two")
    require_out(args, report_names(args.models))
    statuses = [run_search(args, model, model.name) for model in models]
    run_report(args, *args.models)
    if not args.no_confirm:
        say("")
        run_confirm(_settings(args), quiet=args.quiet > 0, fresh=args.restart)
        run_report(args, *args.models)
    return max(statuses)


def _settings(args: argparse.Namespace) -> Settings:
    return Settings(
        storage=args.storage,
        names=tuple(args.models),
        seeds=args.seeds,
        splits=args.splits,
        finalists=args.finalists,
        seed=args.seed,
        workers=cli.workers_of(args),
        data_root=args.data_root,
    )


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
