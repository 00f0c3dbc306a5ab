"""The comparison of two or more studies, computed from the storage alone.

Nothing here trains or needs the images: every number comes from stored counts and
predictions, through :mod:`study.stats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import combinations
from typing import Any

from study.confirm.evidence import Attrs, Evidence, read_evidence
from study.confirm.notebook import html, line
from study.confirm.side import Sample, Side, differences, samples
from study.confirm.verdict import Judged, OverallVerdict, Verdict
from study.margin import DEFAULT_MARGIN, Margin
from study.stats import (
    CorrectedMean,
    Decision,
    Interval,
    McNemar,
    Outperforming,
    bonferroni_confidence,
    decide,
    detectable,
    holm,
    mcnemar,
    newcombe,
    paired_counts,
    probabilities,
    probability_of_outperforming,
)
from study.trials import unpack

SHARED = ("seed", "n_seeds", "judged")
"""What all pairs of a comparison have in common."""


@dataclass(frozen=True)
class Comparison:
    """Two studies, held against each other; A is the first, and differences are A − B.

    They may be one of several pairs. Then the interval of ``difference`` holds at once for all
    pairs (Bonferroni's), and the verdict goes by Holm's adjusted p; all else is the pair's own.
    """

    a: Side
    b: Side
    seed: int  # of everything random in the confirmation
    n_seeds: int
    judged: Judged
    difference: CorrectedMean  # of the errors on held-out images, a fraction
    verdict: Verdict
    b_ahead_over_splits: Outperforming  # P(B errs less) on what a split held out
    b_outperforms_a: Outperforming  # P(B errs less) on a fresh seed, at the best step
    raw_mcnemar: McNemar  # of the two raw best trials; b: only A wrong
    raw_difference: Interval  # Newcombe 95 %, a fraction
    replicate_mcnemar: tuple[McNemar, ...]  # at the best step
    n_pairs: int = 1  # that are compared together
    storage: str = field(default="", repr=False, compare=False)  # a URL, with its password

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, in order."""
        return self.a, self.b

    def __repr__(self) -> str:
        return line(type(self).__name__, self.sentence)

    @property
    def p_adjusted(self) -> float:
        """Of the difference: Holm's over all pairs, which is the p value itself for one pair."""
        adjusted = self.verdict.p_adjusted
        return self.difference.p if adjusted is None else adjusted

    @property
    def sentence(self) -> str:
        """The verdict in one sentence that may be quoted."""
        return self.verdict.sentence

    def _repr_html_(self) -> str:
        """The verdict's sentence and each study's errors, for a notebook."""
        return html(self.sentence, self.sides, self.n_seeds, self.judged)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON: the decision as ``verdict``, its headline and its sentence.

        One of several pairs has ``p_adjusted`` and ``n_pairs`` too.
        """
        found = asdict(self)
        del found["storage"]  # it may have a password
        v = self.verdict
        kept = (
            *(each.name for each in fields(Decision)),
            "margin",
            "probabilities",
            "detectable",
        )
        found["verdict"] = {name: found["verdict"][name] for name in kept}
        found |= {"headline": v.headline, "sentence": v.sentence, "power": v.power}
        if self.n_pairs == 1:
            del found["n_pairs"]
            return found
        return found | {"p_adjusted": self.p_adjusted}


@dataclass(frozen=True)
class Comparisons:
    """Two or more studies, each held against each other; of two, all of it is the pair's own."""

    sides: tuple[Side, ...]
    pairs: tuple[Comparison, ...]  # each side with each later one, in order

    @property
    def storage(self) -> str:
        """The URL of the storage, with its password."""
        return self.pairs[0].storage

    def __repr__(self) -> str:
        return line(type(self).__name__, self.sentence)

    @property
    def verdict(self) -> Verdict | OverallVerdict:
        """The pair's own, or what the verdicts of all pairs say together."""
        verdicts = tuple(pair.verdict for pair in self.pairs)
        if len(verdicts) == 1:
            return verdicts[0]
        names = (verdicts[0].names[0], *(v.names[1] for v in verdicts[: len(self.sides) - 1]))
        return OverallVerdict(names, tuple(side.holdout.mean for side in self.sides), verdicts)

    @property
    def headline(self) -> str:
        """Which model is better than every other, or which errs least."""
        return self.verdict.headline

    @property
    def sentence(self) -> str:
        """The headline with all errors, in one sentence that may be quoted."""
        return self.verdict.sentence

    @property
    def disagreements(self) -> list[str]:
        """A sentence for each pair that Holm's p separates and Bonferroni's interval does not."""
        return [said for pair in self.pairs if (said := pair.verdict.disagreement)]

    def _repr_html_(self) -> str:
        """The sentence and each study's errors, for a notebook."""
        first = self.pairs[0]
        return html(self.sentence, self.sides, first.n_seeds, first.judged)

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON; of two studies it has the keys of :meth:`Comparison.as_dict`.

        Of more, ``sides`` has each study's numbers, and in ``pairs`` ``a`` and ``b`` are names.
        """
        if len(self.pairs) == 1:
            return self.pairs[0].as_dict()
        found = [pair.as_dict() | {"a": pair.a.study, "b": pair.b.study} for pair in self.pairs]
        return {
            "sides": [asdict(side) for side in self.sides],
            **{name: found[0][name] for name in (*SHARED, "n_pairs")},
            "pairs": [
                {name: value for name, value in pair.items() if name not in (*SHARED, "n_pairs")}
                for pair in found
            ],
            "headline": self.headline,
            "sentence": self.sentence,
            "disagreements": self.disagreements,
        }


def compare(storage: str, names: tuple[str, str], margin: Margin = DEFAULT_MARGIN) -> Comparison:
    """Compare two confirmed studies.

    Args:
        storage: A path or a URL; it is only read.
        names: The two studies.
        margin: The largest difference in error that does not matter in practice.

    Raises:
        NotConfirmedError: They are not, or not wholly, confirmed as they are now.
        StudyError: A study is missing or damaged, or the two can't be compared.
    """
    return compare_all(storage, names, margin).pairs[0]


def compare_all(
    storage: str, names: Sequence[str], margin: Margin = DEFAULT_MARGIN
) -> Comparisons:
    """Compare two or more confirmed studies, with corrections for the number of pairs.

    Args:
        storage: A path or a URL; it is only read.
        names: The studies, two or more.
        margin: The largest difference in error that does not matter in practice.

    Raises:
        NotConfirmedError: One is not, or not wholly, confirmed as it is now.
        StudyError: A study is missing or damaged, or they can't be compared.
    """
    return compared_all(read_evidence(storage, names), margin)


def compared_all(evidence: Sequence[Evidence], margin: Margin = DEFAULT_MARGIN) -> Comparisons:
    """Compare two or more studies, on the seeds and splits that all have."""
    cut = samples(evidence)
    pairs = list(combinations(cut, 2))
    found = [_difference(a, b, len(pairs)) for a, b in pairs]
    adjusted = holm([difference.p for difference in found]).tolist()
    compared = [
        _pair(pair, difference, p if len(pairs) > 1 else None, len(pairs), margin)
        for pair, difference, p in zip(pairs, found, adjusted, strict=True)
    ]
    return Comparisons(tuple(sample.side for sample in cut), tuple(compared))


def _difference(a: Sample, b: Sample, n_pairs: int) -> CorrectedMean:
    """Of the errors on held-out images, with an interval that holds for so many pairs at once."""
    return a.mean(differences(a.wrong, b.wrong), bonferroni_confidence(n_pairs))


def _pair(
    sides: tuple[Sample, Sample],
    difference: CorrectedMean,
    p_adjusted: float | None,
    n_pairs: int,
    margin: Margin,
) -> Comparison:
    """Two studies, with what was found about their difference beside all others."""
    a, b = sides
    ahead = probability_of_outperforming(a.holdout_errors, b.holdout_errors)
    fresh = [[row["val_errors"] for row in side.of_best] for side in (a, b)]
    counts = paired_counts(*(side.evidence.best.predictions != a.labels for side in (a, b)))
    return Comparison(
        a=a.side,
        b=b.side,
        seed=int(a.evidence.stored_splits.manifest["seed"]),
        n_seeds=a.n_seeds,
        judged=a.judged,
        difference=difference,
        verdict=_verdict(sides, difference, p_adjusted, n_pairs, margin),
        b_ahead_over_splits=ahead.mirrored(),
        b_outperforms_a=probability_of_outperforming(*fresh).mirrored(),
        raw_mcnemar=mcnemar(counts.only_a, counts.only_b),
        raw_difference=newcombe(counts),
        replicate_mcnemar=tuple(_mcnemar(*r) for r in zip(a.of_best, b.of_best, strict=True)),
        n_pairs=n_pairs,
        storage=a.evidence.search.storage,
    )


def _verdict(
    sides: tuple[Sample, Sample],
    difference: CorrectedMean,
    p_adjusted: float | None,
    n_pairs: int,
    stated: Margin,
) -> Verdict:
    a, b = sides
    errors = a.side.holdout.mean, b.side.holdout.mean
    margin = stated.of(*errors)
    decision = decide(difference, margin, p_adjusted=p_adjusted, n_pairs=n_pairs)
    return Verdict(
        **vars(decision),
        names=(a.name, b.name),
        errors=errors,
        difference=difference,
        margin=margin,
        stated_margin=stated,
        probabilities=probabilities(difference, margin),
        detectable=detectable(difference, confidence=bonferroni_confidence(n_pairs)),
        judged=a.judged,
        p_adjusted=p_adjusted,
    )


def _mcnemar(a: Attrs, b: Attrs) -> McNemar:
    """The test of a pair of replicates, each at its best step."""
    labels = unpack(a["val_labels"], a["n_val"])
    wrong = [unpack(r["predictions"], r["n_val"]) != labels for r in (a, b)]
    counts = paired_counts(*wrong)
    return mcnemar(counts.only_a, counts.only_b)
