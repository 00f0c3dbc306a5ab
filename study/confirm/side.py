"""One study's numbers in a comparison, computed from its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from study.confirm.evidence import Attrs, Evidence
from study.confirm.verdict import Judged, names_of
from study.stats import (
    BiasCorrected,
    CorrectedMean,
    Interval,
    Summary,
    bootstrap_bias_correction,
    held_out_mean,
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
    holdout: CorrectedMean  # error, a fraction: whole searches, each judged on held-out images
    simplest_holdout: CorrectedMean | None  # the same of each search's recommended trial
    simplicity: CorrectedMean | None  # recommended − best, on the same held-out images
    optimism: float  # the error on held-out images − the one that the search chose by, a fraction
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
        """The error of each split's best trial on what it held out, (n_splits,) fractions."""
        return np.array([wrong.mean() for wrong in self.wrong])

    @cached_property
    def wrong(self) -> list[np.ndarray]:
        """Which held-out images each split's best trial gets wrong, (n_holdout,) booleans each."""
        return [_wrong(split, split["holdout_predictions"]) for split in self.splits]

    @cached_property
    def wrong_of_simplest(self) -> list[np.ndarray] | None:
        """The same of each split's recommended trial; None where it was not judged."""
        if not self.evidence.folds:
            return None
        return [_wrong(s, s["simplest"]["holdout_predictions"]) for s in self.splits]

    def mean(self, values: Sequence[np.ndarray], confidence: float = 0.95) -> CorrectedMean:
        """The mean of a value for each held-out image, with the interval that its splits allow.

        Args:
            values: An array a split, (n_holdout,).
            confidence: Of the interval.
        """
        n_train, n_test = self.splits[0]["n_fit"], self.splits[0]["n_holdout"]
        if self.evidence.folds:
            return held_out_mean(
                values, n_train=n_train, n_total=self._n_total, confidence=confidence
            )
        means = [found.mean() for found in values]
        return nadeau_bengio(means, n_train=n_train, n_test=n_test, confidence=confidence)

    @property
    def judged(self) -> Judged:
        """What was judged."""
        first, folds = self.splits[0], self.evidence.folds
        n_images = sum(split["n_holdout"] for split in self.splits)
        if folds:
            n_images = min(n_images, self._n_total)
        items = self.evidence.search.plan.protocol.items
        n_trials = len(first["searched"])
        return Judged(n_trials, first["n_fit"], self.n_splits, n_images, folds, items)

    @property
    def _n_total(self) -> int:
        first = self.splits[0]
        return int(first["n_fit"] + first["n_val"] + first["n_holdout"])

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
    chosen_by = [split["val_errors"] / split["n_val"] for split in sample.splits]
    simplest = sample.wrong_of_simplest
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
        holdout=sample.mean(sample.wrong),
        simplest_holdout=None if simplest is None else sample.mean(simplest),
        simplicity=(
            None if simplest is None else sample.mean(differences(simplest, sample.wrong))
        ),
        optimism=float(np.mean(sample.holdout_errors - chosen_by)),
        bias_corrected=bootstrap_bias_correction(wrong, seed=seed),
    )


def _wrong(split: Attrs, predictions: str) -> np.ndarray:
    n = split["n_holdout"]
    labels, given = unpack(split["holdout_labels"], n), unpack(predictions, n)
    return np.asarray(given != labels)


def differences(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A's error less B's on each held-out image: −1, 0 or 1."""
    return [x.astype(int) - y.astype(int) for x, y in zip(a, b, strict=True)]


def _first(replicates: Sequence[Attrs], n_seeds: int) -> list[Attrs]:
    return [row for row in replicates if row["replicate"] < n_seeds]


def _mean_errors(replicates: Sequence[Attrs]) -> dict[int, float]:
    """Finalist → the mean over its replicates."""
    errors: dict[int, list[int]] = {}
    for row in replicates:
        errors.setdefault(row["finalist"], []).append(row["final_errors"])
    return {number: float(np.mean(counts)) for number, counts in errors.items()}
