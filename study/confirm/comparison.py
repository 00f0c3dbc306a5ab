"""The comparison of two studies, computed from the storage alone.

Nothing here trains or needs the images: every number comes from stored counts and
predictions, through :mod:`study.stats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from study import formats, html_table
from study.confirm.evidence import Attrs, Evidence, read_evidence
from study.confirm.verdict import Verdict, names_of
from study.stats import (
    BiasCorrected,
    CorrectedMean,
    Decision,
    Interval,
    McNemar,
    Outperforming,
    Summary,
    bootstrap_bias_correction,
    decide,
    mcnemar,
    nadeau_bengio,
    newcombe,
    paired_counts,
    probability_of_outperforming,
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
class Comparison:
    """Two studies, held against each other; A is the first, and differences are A − B."""

    a: Side
    b: Side
    seed: int  # of everything random in the confirmation
    n_seeds: int
    n_splits: int
    search_trials_per_split: int
    n_fit: int  # training images in each split
    difference: CorrectedMean  # of holdout errors, a fraction
    b_outperforms_a: Outperforming  # on the replicates' last validations
    raw_mcnemar: McNemar  # of the two raw best trials; b: only A wrong
    raw_difference: Interval  # Newcombe 95 %, a fraction
    replicate_mcnemar: tuple[McNemar, ...]
    verdict: Verdict

    @property
    def sentence(self) -> str:
        """The verdict in one sentence that may be quoted."""
        return self.verdict.sentence

    def _repr_html_(self) -> str:
        """The verdict's sentence and each study's errors, for a notebook."""
        rows = [
            [
                side.study,
                formats.percent(side.raw_best_errors / side.n_val),
                formats.percent(side.replicates_final.mean / side.n_val),
                formats.percent(side.holdout.mean),
            ]
            for side in (self.a, self.b)
        ]
        head = ["study", "raw best", f"{self.n_seeds} fresh seeds", f"{self.n_splits} holdouts"]
        return html_table.table(self.sentence, head, rows)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON: the decision as ``verdict``, its headline and its sentence."""
        found = asdict(self)
        found["verdict"] = {field.name: found["verdict"][field.name] for field in fields(Decision)}
        return found | {"headline": self.verdict.headline, "sentence": self.sentence}


def compare(storage: str, names: tuple[str, str]) -> Comparison:
    """Compare two confirmed studies.

    Args:
        storage: A path or a URL; it is only read.
        names: The two studies.

    Raises:
        NotConfirmedError: They are not, or not wholly, confirmed as they are now.
        StudyError: A study is missing or damaged, or the two can't be compared.
    """
    return compared(*read_evidence(storage, names))


def compared(a: Evidence, b: Evidence) -> Comparison:
    """Compare two studies, on the seeds and splits that both have."""
    n_splits = min(len(side.splits) for side in (a, b))
    n_seeds = min(side.replicates[-1]["replicate"] + 1 for side in (a, b))
    splits = [side.splits[:n_splits] for side in (a, b)]
    best = [_first(side.replicates_of_best, n_seeds) for side in (a, b)]
    labels = unpack(best[0][0]["val_labels"], a.best.n_val)
    side_a, side_b = (
        _side(side, n_seeds, own, labels) for side, own in zip((a, b), splits, strict=True)
    )
    holdouts = np.array([[s["holdout_errors"] / s["n_holdout"] for s in side] for side in splits])
    sizes = {"n_train": splits[0][0]["n_fit"], "n_test": splits[0][0]["n_holdout"]}
    difference = nadeau_bengio(holdouts[0] - holdouts[1], **sizes)
    outperforming = probability_of_outperforming(
        *([row["final_errors"] for row in side] for side in best)
    )
    tests = tuple(_mcnemar(*rows) for rows in zip(*best, strict=True))
    counts = paired_counts(a.best.predictions != labels, b.best.predictions != labels)
    decision = decide(difference.interval, outperforming, tests)
    return Comparison(
        a=side_a,
        b=side_b,
        seed=int(a.stored_splits.manifest["seed"]),
        n_seeds=n_seeds,
        n_splits=n_splits,
        search_trials_per_split=len(splits[0][0]["searched"]),
        n_fit=splits[0][0]["n_fit"],
        difference=difference,
        b_outperforms_a=outperforming.mirrored(),
        raw_mcnemar=mcnemar(counts.only_a, counts.only_b),
        raw_difference=newcombe(counts),
        replicate_mcnemar=tests,
        verdict=Verdict(
            **vars(decision),
            names=names_of(a.search, b.search),
            errors=(side_a.holdout.mean, side_b.holdout.mean),
            interval=difference.interval,
        ),
    )


def _first(replicates: Sequence[Attrs], n_seeds: int) -> list[Attrs]:
    """Those of the first seeds."""
    return [row for row in replicates if row["replicate"] < n_seeds]


def _mcnemar(a: Attrs, b: Attrs) -> McNemar:
    """The test of a pair of replicates, at the last validation."""
    labels = unpack(a["val_labels"], a["n_val"])
    wrong = [unpack(r["final_predictions"], r["n_val"]) != labels for r in (a, b)]
    counts = paired_counts(*wrong)
    return mcnemar(counts.only_a, counts.only_b)


def _side(evidence: Evidence, n_seeds: int, splits: Sequence[Attrs], labels: np.ndarray) -> Side:
    """A study's numbers, over so many seeds and these splits; ``labels`` are (n_val,) booleans."""
    search, best = evidence.search, evidence.best
    simple, seed = recommended(search.trials), search.plan.seed
    of_best = _first(evidence.replicates_of_best, n_seeds)
    complete = [trial for trial in search.trials if trial.state == "COMPLETE"]
    wrong = np.stack([trial.predictions != labels for trial in complete], 1)
    sizes = {"n_train": splits[0]["n_fit"], "n_test": splits[0]["n_holdout"]}
    return Side(
        study=search.name,
        model=search.plan.model_definition.title,
        n_trials=len(search.trials),
        n_val=best.n_val,
        raw_best_trial=best.number,
        raw_best_errors=best.val_errors,
        raw_best_interval=wilson(best.val_errors, best.n_val),
        recommended_trial=simple.number,
        recommended_errors=simple.val_errors,
        replicates_final=summarise([r["final_errors"] for r in of_best], seed=seed),
        replicates_best=summarise([r["val_errors"] for r in of_best], seed=seed),
        finalists=_mean_errors(_first(evidence.replicates, n_seeds)),
        holdout=nadeau_bengio([s["holdout_errors"] / s["n_holdout"] for s in splits], **sizes),
        optimism=float(np.mean([s["holdout_errors"] - s["val_errors"] for s in splits])),
        bias_corrected=bootstrap_bias_correction(wrong, seed=seed),
    )


def _mean_errors(replicates: Sequence[Attrs]) -> dict[int, float]:
    """Finalist → the mean over its replicates."""
    errors: dict[int, list[int]] = {}
    for row in replicates:
        errors.setdefault(row["finalist"], []).append(row["final_errors"])
    return {number: float(np.mean(counts)) for number, counts in errors.items()}
