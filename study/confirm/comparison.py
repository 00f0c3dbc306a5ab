"""The comparison of two studies, computed from the storage alone.

Nothing here trains or needs the images: every number comes from stored counts and
predictions, through :mod:`study.stats`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from study import html_table
from study import storage as store
from study.confirm.plan import REPLICATES, SPLITS, Contender, Parts, find_parts, require_comparable
from study.errors import NotConfirmedError
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
from study.storage.searched import Searched
from study.storage.urls import shell
from study.trials import StoredTrial, best_of, unpack
from study.trials.selection import recommended

Attrs = dict[str, Any]


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
    verdict: Decision

    @property
    def sentence(self) -> str:
        """One plain sentence that may be quoted."""
        a, b, ends = self.a, self.b, self.difference.interval
        return (
            f"{self.headline}: {a.study} errs on {a.holdout.mean:.2%} and {b.study} on "
            f"{b.holdout.mean:.2%} of images that played no part in tuning (difference "
            f"{100 * self.difference.mean:+.2f} percentage points, 95 % interval "
            f"{100 * ends.lower:+.2f} to {100 * ends.upper:+.2f})."
        )

    @property
    def headline(self) -> str:
        """The verdict with the studies' names."""
        a, b, found = self.a.study, self.b.study, self.verdict
        leader = {"A": a, "B": b}.get(found.leader or "", "")
        if found.separated and found.outcome == "not separated":
            return f"{a} and {b} differ on the holdouts, but not reliably on fresh seeds"
        return {
            "A better": f"{a} is better",
            "B better": f"{b} is better",
            "suggestive": f"The evidence favours {leader} without settling it",
            "equivalent": f"{a} and {b} are equivalent in practice",
            "not separated": f"{a} and {b} are not separated",
        }[found.outcome]

    def _repr_html_(self) -> str:
        """The sentence and each study's errors, for a notebook."""
        rows = [
            [
                side.study,
                f"{side.raw_best_errors / side.n_val:.2%}",
                f"{side.replicates_final.mean / side.n_val:.2%}",
                f"{side.holdout.mean:.2%}",
            ]
            for side in (self.a, self.b)
        ]
        head = ["study", "raw best", f"{self.n_seeds} fresh seeds", f"{self.n_splits} holdouts"]
        return html_table.table(self.sentence, head, rows)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON, with the sentence."""
        return asdict(self) | {"headline": self.headline, "sentence": self.sentence}


def is_confirmed(storage: str, names: tuple[str, str]) -> bool:
    """Whether the storage has replicates and splits of both studies.

    Raises:
        StudyError: A study is missing, foreign or damaged.
    """
    there = set(store.study_names(storage))
    return {name + suffix for name in names for suffix in (REPLICATES, SPLITS)} <= there


def compare(storage: str, names: tuple[str, str]) -> Comparison:
    """Compare two confirmed studies.

    Args:
        storage: A path or a URL; it is only read.
        names: The two studies.

    Raises:
        NotConfirmedError: They are not, or not wholly, confirmed as they are now.
        StudyError: A study is missing or damaged, or the two can't be compared.
    """
    return compare_with_rows(storage, names)[0]


def compare_with_rows(
    storage: str, names: tuple[str, str]
) -> tuple[Comparison, dict[str, list[Attrs]]]:
    """The comparison, and the attributes of the trials behind it: of ``REPLICATES``, ``SPLITS``.

    Each trial's study stands in its attributes as ``study``. See :func:`compare`.
    """
    a, b = (Contender.load(storage, name) for name in names)
    require_comparable(a, b)
    parts = find_parts(storage, (a, b))
    command = shell("study.confirm", storage, f"--linear={a.name}", f"--mlp={b.name}")
    seeds = [_confirmed(storage, c, REPLICATES, parts, command) for c in (a, b)]
    splits = [_confirmed(storage, c, SPLITS, parts, command) for c in (a, b)]
    seed = _common_seed(storage, (a, b), parts, command)
    rows = {
        suffix: [row for side in both for row in side]
        for suffix, both in ((REPLICATES, seeds), (SPLITS, splits))
    }
    return _compared((a, b), seeds, splits, seed, command), rows


def _compared(
    pair: tuple[Contender, Contender],
    seeds: Sequence[list[Attrs]],
    splits: Sequence[list[Attrs]],
    seed: int,
    command: str,
) -> Comparison:
    a, b = pair
    pairs = min(len(side) for side in splits)
    splits = [side[:pairs] for side in splits]
    n_seeds = min(side[-1]["replicate"] + 1 for side in seeds)
    seeds = [[r for r in side if r["replicate"] < n_seeds] for side in seeds]
    holdouts = [[s["holdout_errors"] / s["n_holdout"] for s in side] for side in splits]
    sizes = {"n_train": splits[0][0]["n_fit"], "n_test": splits[0][0]["n_holdout"]}
    difference = nadeau_bengio(np.array(holdouts[0]) - np.array(holdouts[1]), **sizes)
    firsts = [_of_best(side, c, command) for side, c in zip(seeds, (a, b), strict=True)]
    finals = [[r["final_errors"] for r in side] for side in firsts]
    outperforming = probability_of_outperforming(*finals)
    tests = tuple(_mcnemar(ra, rb) for ra, rb in zip(*firsts, strict=True))
    best_a, best_b = _best(a), _best(b)
    labels = unpack(firsts[0][0]["val_labels"], best_a.n_val)
    counts = paired_counts(best_a.predictions != labels, best_b.predictions != labels)
    return Comparison(
        a=_side(a, seeds[0], firsts[0], splits[0], labels),
        b=_side(b, seeds[1], firsts[1], splits[1], labels),
        seed=seed,
        n_seeds=n_seeds,
        n_splits=pairs,
        search_trials_per_split=len(splits[0][0]["searched"]),
        n_fit=splits[0][0]["n_fit"],
        difference=difference,
        b_outperforms_a=outperforming.mirrored(),
        raw_mcnemar=mcnemar(counts.only_a, counts.only_b),
        raw_difference=newcombe(counts),
        replicate_mcnemar=tests,
        verdict=decide(difference.interval, outperforming, tests),
    )


def _unconfirmed(why: str, command: str) -> NotConfirmedError:
    return NotConfirmedError(f"{why}: run `{command}`", why)


def _best(contender: Contender) -> StoredTrial:
    best = best_of(contender.trials)
    assert best is not None, "a contender has a finished trial"
    return best


def _confirmed(
    storage: str,
    contender: Contender,
    suffix: str,
    parts: Parts,
    command: str,
) -> list[Attrs]:
    """The attributes of a confirmation's trials, if it is of the study as it is now."""
    name = parts.get((contender.name, suffix), contender.name + suffix)
    if (contender.name, suffix) not in parts:
        raise _unconfirmed(f"study {name!r}: is not there", command)
    found = Searched.read(storage, name)
    if len(found.trials) < 2:
        raise _unconfirmed(f"study {name!r}: has {len(found.trials)} trials", command)
    search = {part: value for part, value in contender.manifest.items() if part != "versions"}
    best = _best(contender)
    if found.manifest.get("search") != search or (
        suffix == REPLICATES and best.weights_sha256 not in found.manifest.get("digests", ())
    ):
        raise _unconfirmed(
            f"study {contender.name!r}: was confirmed before it was searched as it is now, where "
            f"trial {best.number} is its best",
            f"{command} --restart",
        )
    return [{"study": contender.name} | trial.user_attrs for trial in found.frozen]


def _common_seed(
    storage: str,
    pair: tuple[Contender, Contender],
    parts: Parts,
    command: str,
) -> int:
    """The confirmation's seed: replicates and splits of two have nothing in common."""
    a, b = pair
    for suffix in (REPLICATES, SPLITS):
        names = [parts[c.name, suffix] for c in pair]
        found = [store.manifest(store.load_study(storage, name)) or {} for name in names]
        for setting in ("seed", "n_trials"):
            used = [manifest.get(setting) for manifest in found]
            if used[0] != used[1]:
                raise _unconfirmed(
                    f"studies {a.name!r} and {b.name!r}: were confirmed with {setting} "
                    f"{used[0]} and {used[1]}",
                    f"{command} --restart",
                )
    return int(found[0]["seed"])


def _of_best(replicates: Sequence[Attrs], contender: Contender, command: str) -> list[Attrs]:
    """The replicates of the study's best trial, one a seed."""
    best = _best(contender).number
    found = [r for r in replicates if r["finalist"] == best]
    if len(found) < 2:
        raise _unconfirmed(
            f"study {contender.name!r}: trial {best} is its best but was not confirmed",
            f"{command} --restart",
        )
    return found


def _mcnemar(a: Attrs, b: Attrs) -> McNemar:
    """The test of a pair of replicates, at the last validation."""
    labels = unpack(a["val_labels"], a["n_val"])
    wrong = [unpack(r["final_predictions"], r["n_val"]) != labels for r in (a, b)]
    counts = paired_counts(*wrong)
    return mcnemar(counts.only_a, counts.only_b)


def _side(
    contender: Contender,
    replicates: Sequence[Attrs],
    firsts: Sequence[Attrs],
    splits: Sequence[Attrs],
    labels: np.ndarray,
) -> Side:
    best, simple = _best(contender), recommended(contender.trials)
    complete = [trial for trial in contender.trials if trial.state == "COMPLETE"]
    wrong = np.stack([trial.predictions != labels for trial in complete], 1)
    holdout = [s["holdout_errors"] / s["n_holdout"] for s in splits]
    gaps = [s["holdout_errors"] - s["val_errors"] for s in splits]
    seed = contender.plan.seed
    sizes = {"n_train": splits[0]["n_fit"], "n_test": splits[0]["n_holdout"]}
    return Side(
        study=contender.name,
        model=contender.plan.model_definition.title,
        n_trials=len(contender.trials),
        n_val=best.n_val,
        raw_best_trial=best.number,
        raw_best_errors=best.val_errors,
        raw_best_interval=wilson(best.val_errors, best.n_val),
        recommended_trial=simple.number,
        recommended_errors=simple.val_errors,
        replicates_final=summarise([r["final_errors"] for r in firsts], seed=seed),
        replicates_best=summarise([r["val_errors"] for r in firsts], seed=seed),
        finalists=_means(replicates, lambda r: r["final_errors"]),
        holdout=nadeau_bengio(holdout, **sizes),
        optimism=float(np.mean(gaps)),
        bias_corrected=bootstrap_bias_correction(wrong, seed=seed),
    )


def _means(replicates: Sequence[Attrs], value: Callable[[Attrs], float]) -> dict[int, float]:
    """Finalist → the mean over its replicates."""
    numbers = dict.fromkeys(r["finalist"] for r in replicates)
    return {
        n: float(np.mean([value(r) for r in replicates if r["finalist"] == n])) for n in numbers
    }
