"""The numbers of docs/speed.md and README.md: ``python -m benchmarks.page`` writes them anew.

All are those of the CSVs in reports/benchmark. Each stands in a block between
``<!-- NAME -->`` and ``<!-- /NAME -->``; a function of this module of that name writes it.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.answer import ALL, REPORT
from benchmarks.child import ROOT
from benchmarks.rows import CLOCKS

if TYPE_CHECKING:
    import pandas as pd

PAGES = ("README.md", "docs/speed.md")
MODELS = {"linear": "linear", "mlp": "MLP, 50 hidden"}
ANSWER_FIGURE = """\
![A bar from begin to end for the start, the searches, the first report, the confirmation and the
second report](../reports/benchmark/answer.png)"""
CORES_FIGURE = """\
![Seconds of all training and of both searches over the number of workers, beside those of workers
that are always busy](../reports/benchmark/cores.png)"""
BLOCK = re.compile(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", re.DOTALL)


def main() -> int:
    """Write both pages."""
    for page in PAGES:
        path = ROOT / page
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def filled(text: str, folder: Path = ROOT / "reports/benchmark") -> str:
    """A page with every block of this module written anew, as far as a folder has the CSVs."""
    return written(text, BLOCKS, folder)


def written(text: str, blocks: Mapping[str, Callable[[Path], str]], folder: Path) -> str:
    """A page with these blocks, and no others, written anew from the CSVs of a folder."""

    def anew(found: re.Match) -> str:
        if found[1] not in blocks:
            return found[0]
        try:
            return f"<!-- {found[1]} -->\n{blocks[found[1]](folder)}\n<!-- /{found[1]} -->"
        except FileNotFoundError:  # not measured: as it is
            return found[0]

    return BLOCK.sub(anew, text)


def _read(folder: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(folder / f"{name}.csv")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def prose(text: str) -> str:
    """A paragraph in lines of the page's width."""
    return textwrap.fill(" ".join(text.split()), 99, break_on_hyphens=False)


def _digits(value: float) -> str:
    """Three digits."""
    return f"{value:#.3g}".rstrip(".") if value < 1000 else f"{value:,.0f}"


def _share(value: float, sign: str = "") -> str:
    return f"{100 * value:{sign}.0f} %"


def machine(folder: Path) -> str:
    """Where the table was measured."""
    frame = _read(folder, "benchmark")
    return prose(
        f"Measured side by side in one run (repeats: {frame['repeats'].max():.0f}) on: "
        f"{frame['machine'][0]}."
    )


def benchmark(folder: Path) -> str:
    """Seconds a trial and multiples of plain Optuna, a line a row."""
    frame = _read(folder, "benchmark")
    head = ["", *(f"{title}: trials | seconds | × plain" for title in MODELS.values()), "clock"]
    rows = []
    for key, part in frame.groupby("key", sort=False):
        own = part.set_index("model")
        cells = [cell for model in MODELS for cell in _cells(own, model)]
        title = own["row"].iloc[0].removesuffix(", more trials")
        bold = "**" if str(key).startswith("search") else ""
        rows.append([f"{bold}{title}{bold}", *cells, own["clock"].iloc[0]])
    return table(" | ".join(head).split(" | "), rows)


def _cells(own: pd.DataFrame, model: str) -> list[str]:
    if model not in own.index or not own.loc[model, "seconds_per_trial"] > 0:
        return ["", "", ""]
    line = own.loc[model]
    return [f"{line['trials']}", _digits(line["seconds_per_trial"]), _digits(line["ratio"])]


def clocks(folder: Path) -> str:
    """What each clock includes."""
    used = _read(folder, "benchmark")["clock"].unique()
    lines = [f"- *{name}*: {CLOCKS[name]}." for name in used]
    return "\n".join(textwrap.fill(li, 99, subsequent_indent="  ") for li in lines)


def ahead(folder: Path) -> str:
    """How far this package is ahead of JAX, and how near to the machine's own limit."""
    frame = _read(folder, "benchmark").set_index(["model", "key"])
    seconds = frame["seconds_per_trial"]
    said = []
    for model, name in (("linear", "the linear model"), ("mlp", "the MLP")):
        ratio = seconds[model, "jax"] / seconds[model, "search-n"]
        share = frame.loc[(model, "trainer-wide"), "of_own_shapes"]
        said.append(
            f"For {name} the search is end to end {ratio:.2f} times as fast as JAX's training "
            f"alone of as many trials, and the trainer (wide) reaches {_share(share)} of the rate "
            "at which the best engine multiplies the same matrices."
        )
    compiling = frame["compile_s"].xs("jax", level="key")
    said.append(
        f"JAX's compilation, {compiling['linear']:.1f} s (linear) and {compiling['mlp']:.1f} s "
        "(MLP), is left out of its rows."
    )
    return prose(" ".join(said))


def products(folder: Path) -> str:
    """GFLOP/s of every engine on the trainer's own products, and the best one."""
    frame = _read(folder, "products")
    known = ("model", "members", "jobs", "product", "best", "machine")
    engines = [name for name in frame.columns if name not in known]
    own = frame[frame["product"] != "square"].drop_duplicates(
        ["model", "members", "jobs", "product"]
    )
    rows = []
    for line in [*frame[frame["product"] == "square"].itertuples(), *own.itertuples()]:
        who = "2,048²" if line.product == "square" else f"{line.model}, {line.members} a cohort"
        rates = [f"{getattr(line, name):.0f}" for name in engines]
        what = "" if line.product == "square" else line.product
        rows.append([who, str(line.jobs), what, *rates, line.best])
    return table(["", "at once", "product", *engines, "best"], rows)


def answer(folder: Path) -> str:
    """When the whole command was how far."""
    frame = _read(folder, "answer")
    events = zip(frame["event"], frame["seconds"], strict=True)
    lines = table(["", "seconds"], [[event, f"{at:.1f}"] for event, at in events])
    return f"{lines}\n\n{ANSWER_FIGURE}"


def promise(folder: Path) -> str:
    """The README's sentence: when the first report is there, and when the rest."""
    frame = _read(folder, "answer")
    seconds = frame.set_index("event")["seconds"]
    who = frame["machine"][0].partition(" (")[0]
    return prose(
        f"On {frame['cores'][0]} cores of an {who} the first report is there after "
        f"{seconds[REPORT]:.0f} s, and all of it after {seconds[ALL]:.0f} s."
    )


def cores(folder: Path) -> str:
    """The simulation of more workers."""
    frame = _read(folder, "cores")
    return table(
        ["workers", "both searches", "first report", "all training", "all", "workers busy"],
        [
            [f"{line.workers}", *(f"{at:.1f}" for at in line[1:5]), _share(line.busy)]
            for line in frame[
                ["workers", "searches_s", "report_s", "training_s", "all_s", "busy"]
            ].itertuples(index=False)
        ],
    )


def checked(folder: Path) -> str:
    """How far the simulation is from the run that was measured; and its figure."""
    frame = _read(folder, "cores")
    line = frame[frame["measured_s"].notna()].iloc[0]
    said = prose(
        f"Measured with {line['workers']} workers: {line['measured_s']:.1f} s from the first step "
        f"to the last record, where the schedule says {line['training_s']:.1f} s "
        f"({_share(line['training_s'] / line['measured_s'] - 1, '+')})."
    )
    return f"{said}\n\n{CORES_FIGURE}"


def scaling(folder: Path) -> str:
    """What a trial's planning and recording take in studies of any size."""
    frame = _read(folder, "scaling")
    recording = [1e3 * found for found in (frame["recording_s"].min(), frame["recording_s"].max())]
    first = frame[frame["sampler"] == frame["sampler"].iloc[0]]
    return prose(
        f"Recording takes {recording[0]:.1f} to {recording[1]:.1f} ms a trial, planning with "
        f"`{first['sampler'].iloc[0]}` at most {1e3 * first['planning_s'].max():.1f} ms, and "
        f"{frame['trials'].max():,} trials fit into {frame['peak_mib'].max() / 1024:.1f} GiB."
    )


def shortcuts(folder: Path) -> str:
    """What pruning and stopping at the target save."""
    pruning, target = _read(folder, "pruning"), _read(folder, "target")
    base = pruning[pruning["pruner"] == "none"].set_index("seed")
    halving = pruning[pruning["pruner"] == "halving"].set_index("seed")
    time = (halving["seconds"] / base["seconds"]).median()
    kept = (halving["val_errors"] <= base["val_errors"]).sum()
    steps = _share(halving["steps_share"].median())
    at = target.groupby(["model", "peer"])["seconds"].median()
    return prose(
        f"Of an MLP's 32 random trials, over {len(base)} seeds, `--pruner halving` trains "
        f"{steps} of the steps in {_share(time)} of the time, and kept "
        f"the best error {kept} times. `--until-target` reaches the linear target in "
        f"{at['linear', 'study']:.1f} s and the MLP's in {at['mlp', 'study']:.1f} s (plain "
        f"Optuna: {at['linear', 'plain']:.1f} and {at['mlp', 'plain']:.1f} s; here a whole "
        "generation is trained before the target is checked)."
    )


BLOCKS: dict[str, Callable[[Path], str]] = {
    function.__name__: function
    for function in (machine, benchmark, clocks, ahead, products, answer, promise, cores)
} | {function.__name__: function for function in (checked, scaling, shortcuts)}


if __name__ == "__main__":
    sys.exit(main())
