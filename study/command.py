"""The command ``study``: the whole study, or one of the commands in ``COMMANDS``.

Alone it searches the models, reports, confirms what was found, and reports again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from study import cli, options
from study.confirm.command import Confirmation
from study.confirm.options import add_confirm
from study.confirm.options import settings_of as confirm_settings
from study.report.command import require_out, run_report
from study.report.drawn import Drawn
from study.report.options import add_format, add_models, add_report, models_of
from study.report.options import settings_of as report_settings
from study.report.ownership import report_names
from study.search.command import run_searches
from study.search.options import add_search, plans_of
from study.search.options import settings_of as search_settings
from study.text import did_you_mean, say

COMMANDS = {
    "search": ("study.search.command", "Search one model's hyperparameters."),
    "fit": ("study.baseline", "Train one model once, with fixed settings."),
    "confirm": ("study.confirm.command", "Search again with images held out, and compare."),
    "report": ("study.report.command", "Compare searched models, two or more, on one page."),
    "reproduce": (
        "study.reproduce",
        "Train one stored trial again, and compare the two.",
    ),
    "check": ("study.check", "Verify a storage: every trial, manifest and weight."),
    "sweep": ("study.sweep.command", "Compare models on many pairs of classes or data sets."),
    "collect": ("study.collect.command", "Show the studies of many people on one page."),
    "data": (
        "study.dataset.__main__",
        "Write the package's data anew from official files.",
    ),
}
"""The commands by their names: the module of each, and what the help of ``study`` says of it."""

_DESCRIPTION = (
    "Search two or more models, report, confirm what was found, and complete the report.",
    "",
    "commands, which come first, for a part of this or for more (study COMMAND --help):",
)


def parser() -> cli.Parser:
    """The options of the whole study."""
    listed = [f"  {name:<11}{words}" for name, (_, words) in COMMANDS.items()]
    found = cli.new_parser(
        "study",
        "\n".join([*_DESCRIPTION, *listed]),
    )
    options.add_common(found)
    add_models(found)
    add_search(found)
    add_confirm(found)
    found.add_argument(
        "--no-confirm", action="store_true", help="stop after the searches and the first report"
    )
    add_report(found)
    add_format(found)
    return found


def command(args: argparse.Namespace) -> int:
    """All searches side by side, then the costlier confirmation, and the report twice."""
    options.load_model_files(args)
    models = models_of(args)
    report, quiet = report_settings(args, args.models), args.quiet > 0
    require_out(report, report_names(args.models, formats=report.formats))
    plans = plans_of(args, models)
    searched = dict.fromkeys(name for plan in plans for name in plan.space)
    require_out(report, report_names(args.models, searched, report.formats))
    searches = [(plan, search_settings(args, plan.model)) for plan in plans]
    with searches[0][1].workers.open(plans, searches[0][1].root) as pool:
        status = run_searches(searches, pool, require_target=args.require_target, quiet=quiet)
        drawn = Drawn()
        if args.no_confirm:
            run_report(report, quiet=quiet)
            return status
        settings = confirm_settings(args, tuple(args.models))
        confirmation = Confirmation(settings, pool, fresh=args.restart)
        # the workers train while the report is drawn, which tells the searches alone
        run_report(report, quiet=quiet, drawn=drawn, when_read=confirmation.begin)
        say("")
        confirmation.finish(quiet=quiet)
    run_report(report, quiet=quiet, drawn=drawn)
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point: run the command that the first word names, or the whole study.

    Args:
        arguments: The command line; by default that of this process.
    """
    words = sys.argv[1:] if arguments is None else [*arguments]
    typed = "python -m study" if Path(sys.argv[0]).name == "__main__.py" else "study"
    found, run = parser(), command
    if words and not words[0].startswith("-"):
        name = words.pop(0)
        if name not in COMMANDS:
            near = did_you_mean(name, COMMANDS, f"see {typed} --help")
            found.refuse(f"{name}: is no command: {near}")
        module = import_module(COMMANDS[name][0])
        found, run, typed = module.parser(), module.command, f"{typed} {name}"
    found.prog = typed  # as its usage can be typed again
    return cli.run(run, found, words)
