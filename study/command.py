"""The command ``python -m study``: search the models, report, confirm, report again."""

from __future__ import annotations

import argparse

from study import cli, options
from study.confirm.command import Confirmation
from study.confirm.options import add_confirm
from study.confirm.options import settings_of as confirm_settings
from study.report.command import require_out, run_report
from study.report.drawn import Drawn
from study.report.options import add_models, add_report, models_of
from study.report.options import settings_of as report_settings
from study.report.ownership import report_names
from study.search.command import run_searches
from study.search.options import add_search, plans_of
from study.search.options import settings_of as search_settings
from study.text import say


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study",
        "Search two or more models, report, confirm what was found, and complete the report.",
    )
    options.add_common(found)
    add_models(found)
    add_search(found)
    add_confirm(found)
    found.add_argument(
        "--no-confirm", action="store_true", help="stop after the searches and the first report"
    )
    add_report(found)
    return found


def command(args: argparse.Namespace) -> int:
    """All searches side by side, then the costlier confirmation, and the report twice."""
    options.load_model_files(args)
    models = models_of(args)
    report, quiet = report_settings(args, args.models), args.quiet > 0
    require_out(report, report_names(args.models))
    plans = plans_of(args, models)
    searched = dict.fromkeys(name for plan in plans for name in plan.space)
    require_out(report, report_names(args.models, searched))
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


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())
