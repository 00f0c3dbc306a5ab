"""The calibration's numbers in README.md and docs/comparison.md, written from its tables.

``python -m benchmarks.calibration.page`` writes them anew. As in :mod:`benchmarks.page`, each
block between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is written by the function of that name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.calibration.subsets import N_FIT
from benchmarks.child import ROOT
from benchmarks.page import prose, table, written

PAGES = ("README.md", "docs/comparison.md")
FOLDER = ROOT / "reports/calibration"
CASE = "4/9"
HALF = 0.005  # a difference of half a percentage point
KEYS = ["division", "interval"]


def main() -> int:
    """Write both pages."""
    for page in PAGES:
        path = ROOT / page
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def filled(text: str, folder: Path = FOLDER) -> str:
    """A page with every block of this module written anew, as far as a folder has the CSVs."""
    return written(text, BLOCKS, folder)


def rates(folder: Path, case: str = CASE) -> pd.DataFrame:
    """A line a design, in percent: what its rule says of a case, over all true differences.

    ``coverage`` is the lowest of all true differences, ``power`` the share of "better" at half a
    point (of a tenth of the errors: at a tenth of it).
    """
    frame = pd.read_csv(folder / "calibration.csv")
    own = frame[frame["case"] == case]
    by = own.groupby(KEYS, sort=False)
    better = (own["a_better"] + own["b_better"]).where(own["difference"] == 0)
    half = own["difference"].sub(HALF * own["error"] / _error(frame)).abs() < 1e-9
    columns = {
        "searches": by["searches"].first(),
        "false_better": 100 * _one(own, better),
        "coverage": 100 * by["covered"].min(),
        "power": 100 * _one(own, own["b_better"].where(half)),
        "false_equivalent": 100 * _one(own, own["equivalent"].where(own["is_margin"])),
        "equivalent": 100 * _one(own, own["equivalent"].where(own["difference"] == 0)),
        "half_width": 100 * _one(own, own["half_width"].where(own["difference"] == 0)),
        "in_use": by["in_use"].first(),
    }
    return pd.DataFrame(columns)


def _error(frame: pd.DataFrame) -> float:
    return float(frame.loc[frame["case"] == CASE, "error"].iloc[0])


def _one(own: pd.DataFrame, values: pd.Series) -> pd.Series:
    """The one value of each design that is there."""
    return values.groupby([own[key] for key in KEYS], sort=False).first()


def shown(folder: Path) -> str:
    """What the command prints: a table a case."""
    cases = pd.read_csv(folder / "calibration.csv")["case"].unique()
    return "\n\n".join(
        f"{case}, in percent\n{rates(folder, case).to_string(float_format='{:.2f}'.format)}"
        for case in cases
    )


def designs(folder: Path) -> str:
    """The table: a line a design, on 4/9-like images."""
    head = [
        "data divided into",
        "interval",
        "searches a model",
        "false “better”",
        "coverage",
        "“better” at 0.5 points",
        "false “equivalent”",
        "half-width",
    ]
    rows = []
    for (division, interval), line in rates(folder).iterrows():
        bold = "**" * bool(line["in_use"])
        percents = (line[n] for n in ("false_better", "coverage", "power", "false_equivalent"))
        rows.append(
            [
                f"{bold}{division}{bold}",
                f"{bold}{interval}{bold}",
                f"{line['searches']}",
                *(f"{p:.1f} %" for p in percents),
                f"{line['half_width']:.2f}",
            ]
        )
    return table(head, rows)


def calibrated(folder: Path) -> str:
    """The README's table: the rule in use, on images like those of 4 and 9."""
    own = rates(folder)
    line = own[own["in_use"]].iloc[0]
    how = "[simulated](docs/comparison.md#how-often-the-verdict-is-right)"
    head = [how, "false “better”", "coverage", "“better” at ½ point", "false “equivalent”"]
    names = ("false_better", "coverage", "power", "false_equivalent")
    return table(head, [["the verdict", *(f"{line[name]:.1f} %" for name in names)]])


def measured(folder: Path) -> str:
    """What the subsets showed, and what the simulation makes of it."""
    own = pd.read_csv(folder / "variances.csv").query("quantity == 'difference'")
    case = pd.read_csv(folder / "calibration.csv").query(f"case == '{CASE}'").iloc[0]
    found = " and ".join(
        f"{1e6 * line.tau2_at_full_size:.2f} ± {1e6 * line.tau2_at_full_size_se:.2f} from "
        f"{line.training_sets} sets of {line.training_images:,} images"
        for line in own.itertuples()
    )
    apart = float(np.ptp(own["tau2_at_full_size"]))
    error = float((own["tau2_at_full_size_se"] ** 2).sum() ** 0.5)
    agree = "agree" if apart <= 2 * error else "do not agree"
    return prose(
        f"Scaled as one over the number of training images to the {N_FIT:,} that a search trains "
        f"on, the variance between training sets is {found} (in units of 10⁻⁶, ± standard error): "
        f"the two {agree} within two standard errors. The simulation takes a standard deviation "
        f"of {100 * case['tau']:.2f} points for it, and of {100 * case['sigma']:.2f} points for "
        "seeds and validation images."
    )


LIMITS = {"false_better": 5, "coverage": 94, "power": 70, "false_equivalent": 5}  # percent
LEAST = ("coverage", "power")  # a limit from below; the others are limits from above


def holds(found: pd.DataFrame) -> pd.Series:
    """Which designs hold all limits."""
    kept = [found[n] >= m if n in LEAST else found[n] <= m for n, m in LIMITS.items()]
    return pd.concat(kept, axis=1).all(axis=1)


def chosen(folder: Path) -> str:
    """Why the design in use is: what it holds, and what others would cost."""
    found = rates(folder)
    kept = found[holds(found)]
    own = found[found["in_use"]].iloc[0]
    is_kept = "holds" if found["in_use"].mask(~holds(found), other=False).any() else "misses"
    larger = rates(folder, f"{CASE}, larger effects").query("in_use").iloc[0]
    ahead = kept[kept["power"] > own["power"]].sort_values("power")
    said = (
        f"The design in use {is_kept} the limits that it was chosen by: at most "
        f"{LIMITS['false_better']} % false “better”, at least {LIMITS['coverage']} % coverage, at "
        f"least {LIMITS['power']} % power at half a point and at most "
        f"{LIMITS['false_equivalent']} % false “equivalent”. If the variances of both effects "
        f"were two standard errors larger than measured, false “better” would be "
        f"{larger['false_better']:.1f} %, coverage {larger['coverage']:.1f} % and power "
        f"{larger['power']:.0f} %."
    )
    others = "; ".join(
        f"{division}, {interval} ({line['searches']} searches, {line['power']:.0f} %)"
        for (division, interval), line in ahead.iterrows()
    )
    more = f" More power within the limits: {others}." if others else ""
    return prose(said + more)


def itself(folder: Path) -> str:
    """The comparisons of each model with itself."""
    frame = pd.read_csv(folder / "aa.csv")
    counts = frame["outcome"].replace({"A better": "better", "B better": "better"}).value_counts()
    said = ", ".join(f"{counts.get(o, 0)} times “{o}”" for o in OUTCOMES)
    return prose(
        f"Each model was also compared with itself, on {frame['classes'].nunique()} pairs of "
        f"digits, by two searches that differ in their seeds alone. Of {len(frame)} verdicts: "
        f"{said}."
    )


OUTCOMES = ("better", "equivalent", "not separated")
BLOCKS: dict[str, Callable[[Path], str]] = {
    function.__name__: function for function in (designs, calibrated, measured, chosen, itself)
}


if __name__ == "__main__":
    sys.exit(main())
