"""The command ``python -m study.sweep``."""

from __future__ import annotations

import argparse
import sys

from study import cli, storage
from study.confirm.__main__ import add_confirm
from study.report.__main__ import add_report
from study.search.__main__ import TARGET_MISSED, add_search
from study.sweep.pairs import ALL, Pair, folder, pairs

BYTES = 4_000_000  # of a pair's report, at most


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.sweep", "Compare the two models on many pairs of classes, on one page."
    )
    cli.add_common(found)
    add_search(found)
    add_confirm(found)
    many = found.add_argument_group("pairs", conflict_handler="resolve")  # --digits has two there
    many.add_argument(
        "--digits",
        nargs="+",
        type=pairs,
        metavar="A-B",
        default=[ALL],
        help="pairs of classes such as 4-9, or all (default: all 45)",
    )
    found.add_argument(
        "--confirm", action="store_true", help="confirm each pair on fresh seeds and splits too"
    )
    found.add_argument(
        "--no-reports", action="store_true", help="leave out the pairs' own reports"
    )
    add_report(found)
    return found


def command(args: argparse.Namespace) -> int:
    """Search what is not there yet, write the pairs' reports, then the overview."""
    from tqdm import tqdm

    from study.sweep import loop, page, table

    chosen = list(dict.fromkeys(pair for some in args.digits for pair in some))
    storage.require_room(args.out, BYTES * len(chosen))
    quiet = True if args.quiet else None
    done = []
    for one in tqdm(loop.sweep(args, chosen), "search", len(chosen), unit="pair", disable=quiet):
        done.append(one)
        if not args.quiet:
            tqdm.write("\n".join(map(str, table.rows(args.storage, args.dataset, [one.pair]))))
    if not args.no_reports:
        stale = [one.pair for one in done if one.is_new or not _has_report(args, one.pair)]
        reports = loop.write_reports(args, sorted(stale))
        list(tqdm(reports, "report", len(stale), unit="pair", disable=quiet))
    found = table.rows(args.storage, args.dataset)
    print(f"{page.write(args.out, args.dataset, found)[0]} ({len(found)} pairs)")
    return TARGET_MISSED if args.require_target and not all(o.target_met for o in done) else 0


def _has_report(args: argparse.Namespace, pair: Pair) -> bool:
    return bool((args.out / folder(pair) / "index.html").is_file())


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
