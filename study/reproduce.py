"""Retrain one stored trial as it was trained, and compare it with what is stored.

``python -m study.reproduce --study-name linear --trial 12``
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from study import cli, options
from study.errors import StudyError
from study.storage.searched import Searched
from study.storage.versions import tell_versions
from study.text import say
from study.trials import CURVES, StoredTrial

if TYPE_CHECKING:
    from study.training.history import History

DIFFERENT = 1
ROUNDING = 1e-3  # relative, of the losses: what another number of threads or machine may change
ROUNDING_ERRORS = 2  # images, of the error counts and the predictions


@dataclass(frozen=True)
class Reproduction:
    """How a retrained trial compares with the stored one."""

    weights: bool  # the same bits
    curve: bool
    predictions: bool
    close: bool  # within float32 rounding
    first_difference: int | None  # the first validated step whose figures differ

    @property
    def identical(self) -> bool:
        """Weights, curve and predictions have the same bits."""
        return self.weights and self.curve and self.predictions

    @property
    def words(self) -> str:
        """The outcome, on one line."""
        if self.identical:
            return "identical: weights, curve and predictions have the same bits"
        where = "in the weights alone" if self.predictions else "in the predictions"
        if self.first_difference is not None:
            where = f"first at step {self.first_difference:,}"
        if self.close:
            return f"identical within float32 rounding: differs {where}"
        return f"different: {where}"


def reproduce(
    storage: str, study_name: str, number: int, data_root: Path | None = None
) -> Reproduction:
    """Retrain a stored trial, together with the other trials of its cohort.

    Args:
        storage: A path or a URL; it is only read.
        study_name: A searched study.
        number: The trial.
        data_root: Where the official training files lie, if the search was given one.

    Raises:
        StudyError: The study or the trial is missing or damaged, or the data is other data.
    """
    from study.search.planner import task_of_stored
    from study.training.work import train_cohort

    found = Searched.read(storage, study_name)
    places = {trial.number: place for place, trial in enumerate(found.trials)}
    if number not in places:
        there = f"0 to {max(places)}" if places else "none"
        raise StudyError(f"--trial {number}: is not a finished trial: the study has {there}")
    trial = found.frozen[places[number]]
    tell_versions(replace(found, frozen=[trial]))
    data_sha256 = found.manifest["data_sha256"]
    task = task_of_stored(found.plan, found.frozen, trial, data_sha256, data_root)
    in_cohort = trial.user_attrs["cohort"].index(number)
    return compare(found.trials[places[number]], train_cohort(task)[in_cohort].history)


def compare(stored: StoredTrial, history: History) -> Reproduction:
    """Compare a new training with a stored trial."""
    from study.trials import curve_of, weights_digest

    new = curve_of(history)
    rows = min(len(new["step"]), len(stored.curve["step"]))
    same_length = len(new["step"]) == len(stored.curve["step"])
    equal = np.ones(rows, bool)
    close = same_length
    for name in CURVES:
        a, b = stored.curve[name][:rows], np.array(new[name], float)[:rows]
        equal &= (a == b) | (np.isnan(a) & np.isnan(b))
        apart = np.abs(a - b)[~equal]
        limit = ROUNDING_ERRORS if name.endswith("errors") else ROUNDING * np.abs(a)[~equal]
        close &= bool((apart <= limit).all())
    flipped = int((history.predictions != stored.predictions).sum())
    differs = np.flatnonzero(~equal)
    return Reproduction(
        weights=weights_digest(history.weights) == stored.weights_sha256,
        curve=same_length and bool(equal.all()),
        predictions=flipped == 0,
        close=close and flipped <= ROUNDING_ERRORS,
        first_difference=int(stored.curve["step"][differs[0]]) if len(differs) else None,
    )


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.reproduce", "Retrain one stored trial and compare it with what is stored."
    )
    options.add_common(found)
    found.add_argument("--study-name", required=True, metavar="NAME", help="the trial's study")
    found.add_argument("--trial", type=cli.seed, required=True, metavar="N", help="its number")
    options.add_data_root(found, "if the search was given one")
    return found


def command(args: argparse.Namespace) -> int:
    """Reproduce the trial that the options name."""
    options.load_model_files(args)
    found = reproduce(args.storage, args.study_name, args.trial, args.data_root)
    say(f"{args.study_name} trial {args.trial}: {found.words}")
    return 0 if found.identical or found.close else DIFFERENT


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
