"""From runs to the tables: medians over the repeats, and ratios to plain Optuna."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.products import best, sizes
from benchmarks.rows import OURS, SEARCHES
from benchmarks.work import FOLDED, gflop

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.rows import Row


TIMES = {"forward": 50, "update": 50, "validation": 1}  # between two validations


@dataclass
class Runs:
    """What the repeats of one row on one model took."""

    row: Row
    model: str
    seconds: list[float] = field(default_factory=list)  # a trial, one a repeat
    compile_s: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    val_errors: list[int] = field(default_factory=list)  # of the trials, in the last repeat
    numbers: list[int] = field(default_factory=list)  # of the trials
    note: str = ""  # why there is no time


@dataclass(frozen=True)
class Rates:
    """What the engines reach on matrix products; the best that any repeat measured."""

    columns: int  # what this package trains in place of 784 pixels
    lines: list[dict]  # of benchmarks.products

    @classmethod
    def best(cls, measured: list[dict]) -> Rates:
        """The fastest of every repeat's rates."""
        lines = [
            max(same, key=lambda line: line["gflop_per_s"])
            for same in zip(*(each["lines"] for each in measured), strict=True)
        ]
        return cls(measured[0]["columns"], lines)

    @property
    def square(self) -> float:
        """GFLOP/s of a big square product on all cores, by the best engine."""
        return max(line["gflop_per_s"] for line in self.lines if line["product"] == "square")

    def of(self, model: str, members: int, jobs: int) -> float:
        """GFLOP/s of the trainer's products in their proportions, each by its best engine."""
        found = best(self.lines, model, members, jobs)
        flop = {
            name: TIMES[name] * m * k * n
            for name, (m, k, n) in sizes(model, members, self.columns).items()
        }
        seconds = sum(flop[name] / line["gflop_per_s"] for name, line in found.items())
        return sum(flop.values()) / seconds

    def frame(self) -> pd.DataFrame:
        """A line a product, a column an engine, and the best engine's name."""
        import pandas as pd

        index = ["model", "members", "jobs", "product"]
        frame = pd.DataFrame(self.lines)
        wide = frame.pivot_table("gflop_per_s", index, "engine", sort=False)
        return wide.assign(best=wide.idxmax(axis=1)).reset_index()


def shape(row: Row, model: str) -> tuple[str, int, int]:
    """(model, members a cohort, cohorts at once) of one of this package's rows.

    A search trains no more cohorts at once than it has.
    """
    if row.peer in SEARCHES:
        cohorts = -(-row.trials[model] // row.members(model))
        return model, row.members(model), min(row.jobs, cohorts)
    return model, row.members(model), row.jobs


def summarise(runs: list[Runs], rates: Rates, steps: int) -> pd.DataFrame:
    """One line a row and model; empty cells where it was not measured.

    ``ratio`` is the ratio of the medians, ``ratio_low`` and ``ratio_high`` the least and the
    greatest of the repeats' own ratios. ``gflop_per_s`` counts 784 pixels for everyone and
    ``of_square`` is its share of a big square product's rate. ``of_own_shapes`` is this
    package's arithmetic as it was done (folded pixels), as a share of what the same products
    reach when nothing else is done, each by the engine that is fastest at it.
    """
    import pandas as pd

    plain = {r.model: r.seconds for r in runs if r.row.key == "plain"}
    return pd.DataFrame([_line(r, plain.get(r.model, []), rates, steps) for r in runs])


def _line(runs: Runs, plain: list[float], rates: Rates, steps: int) -> dict[str, object]:
    row, model = runs.row, runs.model
    line = {"model": model, "row": row.title, "key": row.key, "jobs": row.jobs}
    line |= {"trials": row.trials[model], "members": row.members(model), "clock": row.clock}
    if not runs.seconds:
        return line | {"note": runs.note}
    seconds = median(runs.seconds)
    useful = gflop(model, steps) / seconds
    line |= {
        "repeats": len(runs.seconds),
        "seconds_per_trial": seconds,
        "seconds_low": min(runs.seconds),
        "seconds_high": max(runs.seconds),
        "trials_per_second": 1 / seconds,
        "gflop_per_s": useful,
        "of_square": useful / rates.square,
        "compile_s": median(runs.compile_s),
        "peak_mib": median(runs.peak_bytes) / 2**20 if runs.peak_bytes else None,
        "note": runs.note,
    }
    if plain:
        ratios = [a / b for a, b in zip(plain, runs.seconds, strict=False)]
        line |= {"ratio": median(plain) / seconds}
        line |= {"ratio_low": min(ratios), "ratio_high": max(ratios)}
    if row.peer in OURS and model in FOLDED:
        done = gflop(model, steps, rates.columns) / seconds
        line["of_own_shapes"] = done / rates.of(*shape(row, model))
    return line


def show(table: pd.DataFrame) -> str:
    """The table for a terminal, a model after the other."""
    formats = {
        "trials": ("trials", "{:.0f}"),
        "seconds_per_trial": ("s/trial", "{:.4f}"),
        "trials_per_second": ("trials/s", "{:.2f}"),
        "ratio": ("× plain", "{:.1f}"),
        "gflop_per_s": ("GFLOP/s", "{:.1f}"),
        "of_square": ("of sgemm", "{:.0%}"),
        "of_own_shapes": ("of own shapes", "{:.0%}"),
        "peak_mib": ("peak MiB", "{:.0f}"),
        "compile_s": ("compile s", "{:.1f}"),
    }
    import pandas as pd

    lines = []
    for model, part in table.groupby("model", sort=False):
        shown = part[["row"]].rename(columns={"row": str(model)})
        for name, (title, form) in formats.items():
            values = part.get(name, default=[None] * len(part))
            shown[title] = ["" if pd.isna(v) or not v else form.format(v) for v in values]
        shown["clock"], shown["errors"] = part["clock"], part["errors"].fillna("")
        lines.append(shown.to_string(index=False))
    return "\n\n".join(lines)
