"""One study's numbers in a comparison, computed from its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from study.confirm.evidence import Attrs, Evidence
from study.confirm.verdict import names_of
from study.stats import (
    BiasCorrected,
    CorrectedMean,
    Interval,
    Summary,
    bootstrap_bias_correction,
    nadeau_bengio,
    summarise,
    wilson,
)
from study.trials import unpack
from study.trials.selection import recommended


@dataclass(frozen=True)
class Side:
    """One study's evidence. Errors are counts of ``n_val`` images unless named otherwise."""

    study: str
    model: str
    n_trials: int
    n_val: int
    raw_best_trial: int  # chosen on the images that it is counted on
    raw_best_errors: int
    raw_best_interval: Interval  # Wilson 95 %, a fraction: covers the draw of images only
    recommended_trial: int  # the simplest level with the best
    recommended_errors: int
    replicates_final: Summary  # the best trial's configuration on fresh seeds, last validation
    replicates_best: Summary  # the same, the lowest of all validations
    finalists: dict[int, float]  # trial → mean final errors over the replicates
    holdout: CorrectedMean  # error, a fraction: whole searches on fresh splits
    optimism: float  # mean of holdout errors − the errors that the search chose by
    bias_corrected: BiasCorrected  # a cross-check without training, fractions


@dataclass(frozen=True)
class Sample:
    """The part of a study's evidence that is compared: the seeds and splits that all have."""

    evidence: Evidence
    name: str  # what a sentence calls the model
    n_seeds: int
    n_splits: int

    @property
    def replicates(self) -> list[Attrs]:
        """Those of the first seeds, of all finalists."""
        return _first(self.evidence.replicates, self.n_seeds)

    @property
    def of_best(self) -> list[Attrs]:
        """Those of the first seeds and the study's best trial, one a seed."""
        return _first(self.evidence.replicates_of_best, self.n_seeds)

    @property
    def splits(self) -> list[Attrs]:
        """The first splits."""
        return self.evidence.splits[: self.n_splits]

    @property
    def holdout_errors(self) -> np.ndarray:
        """The error on each holdout, (n_splits,) fractions."""
        return np.array([s["holdout_errors"] / s["n_holdout"] for s in self.splits])

    @property
    def sizes(self) -> dict[str, int]:
        """How many images train, and test, in each split: what its interval allows for."""
        return {"n_train": self.splits[0]["n_fit"], "n_test": self.splits[0]["n_holdout"]}

    @property
    def labels(self) -> np.ndarray:
        """Of the validation images, (n_val,) booleans."""
        return unpack(self.of_best[0]["val_labels"], self.evidence.best.n_val)

    @cached_property
    def side(self) -> Side:
        """The study's numbers."""
        return _side(self)


def samples(evidence: Sequence[Evidence]) -> list[Sample]:
    """Cut the evidence of all studies to the seeds and splits that each of them has."""
    n_splits = min(len(side.splits) for side in evidence)
    n_seeds = min(side.replicates[-1]["replicate"] + 1 for side in evidence)
    names = names_of([side.search for side in evidence])
    return [
        Sample(side, name, n_seeds, n_splits) for side, name in zip(evidence, names, strict=True)
    ]


def _side(sample: Sample) -> Side:
    search, best, labels = sample.evidence.search, sample.evidence.best, sample.labels
    simple, seed = recommended(search.plan, search.trials), search.plan.seed
    complete = [trial for trial in search.trials if trial.state == "COMPLETE"]
    wrong = np.stack([trial.predictions != labels for trial in complete], 1)
    gaps = [s["holdout_errors"] - s["val_errors"] for s in sample.splits]
    return Side(
        study=search.name,
        model=search.plan.title,
        n_trials=len(search.trials),
        n_val=best.n_val,
        raw_best_trial=best.number,
        raw_best_errors=best.val_errors,
        raw_best_interval=wilson(best.val_errors, best.n_val),
        recommended_trial=simple.number,
        recommended_errors=simple.val_errors,
        replicates_final=summarise([r["final_errors"] for r in sample.of_best], seed=seed),
        replicates_best=summarise([r["val_errors"] for r in sample.of_best], seed=seed),
        finalists=_mean_errors(sample.replicates),
        holdout=nadeau_bengio(sample.holdout_errors, **sample.sizes),
        optimism=float(np.mean(gaps)),
        bias_corrected=bootstrap_bias_correction(wrong, seed=seed),
    )


def _first(replicates: Sequence[Attrs], n_seeds: int) -> list[Attrs]:
    return [row for row in replicates if row["replicate"] < n_seeds]


def _mean_errors(replicates: Sequence[Attrs]) -> dict[int, float]:
    """Finalist → the mean over its replicates."""
    errors: dict[int, list[int]] = {}
    for row in replicates:
        errors.setdefault(row["finalist"], []).append(row["final_errors"])
    return {number: float(np.mean(counts)) for number, counts in errors.items()}
