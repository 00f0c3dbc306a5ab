"""The verdict about two models, and about more, in one sentence that may be quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from study import formats
from study.margin import Margin
from study.stats import CorrectedMean, Decision, Interval, Probabilities
from study.storage.searched import Searched


@dataclass(frozen=True)
class Judged:
    """What was judged: searches that were repeated with a part of the images held out."""

    n_trials: int  # of each search
    n_fit: int  # images that its models trained on
    n_splits: int  # searches
    n_images: int  # held-out images that they were judged on; in folds, each counts once
    folds: int  # disjoint parts that were held out in turn; 0: each split was drawn at random
    items: str = "images"  # or "rows"

    @property
    def words(self) -> str:
        """How the models came about, at the head of a sentence about their errors."""
        return (
            f"tuned with {formats.plural(self.n_trials, 'trial')} on {self.n_fit:,} training "
            f"{self.items}, and judged on {self.items} that played no part in it"
        )


@dataclass(frozen=True)
class Verdict(Decision):
    """What was decided about a pair, with the models' names and errors.

    The terminal, the report and the sweep print its ``sentence``, ``power`` or ``headline``.
    """

    names: tuple[str, str]  # of A and B, as a sentence has them: "the linear model"
    errors: tuple[float, float]  # of A and B on the held-out images, fractions
    difference: CorrectedMean  # A's error less B's, fractions; of several pairs simultaneous
    margin: float  # the largest difference that does not matter, a fraction
    stated_margin: Margin  # as it was stated
    probabilities: Probabilities  # of a difference beyond the margin either way, or within it
    detectable: float  # the smallest difference found with 80 % power, a fraction
    judged: Judged
    p_adjusted: float | None = None  # Holm's, of the difference; None where this is the only pair

    @property
    def interval(self) -> Interval:
        """Of the difference: 95 %, and of several pairs simultaneous."""
        return self.difference.interval

    @property
    def headline(self) -> str:
        """Which model is better, if either is, in 15 words at most: ``The MLP is better``."""
        both = formats.listed(self.names)
        leading = self.names[self.leader == "B"]
        better = f"{leading} is better"
        if self.within_margin:
            better += ", but by less than the margin"
        return formats.capital(
            {
                "A better": better,
                "B better": better,
                "equivalent": f"{both} are equivalent in practice",
                "not separated": f"{both} are not separated",
            }[self.outcome]
        )

    @property
    def evidence(self) -> str:
        """What was judged, both errors and their difference, the leader first."""
        a, b = zip(self.names, self.errors, strict=True)
        (ahead, less), (behind, more) = (b, a) if self.leader == "B" else (a, b)
        margin = f"; margin {_points(self.margin)}" if self.within_margin else ""
        return (
            f"{self.judged.words}, {ahead} errs on {formats.percent(less)} and "
            f"{behind} on {formats.percent(more)}, a difference of {_points(more - less)} "
            f"percentage points ({self._interval}{margin})."
        )

    @property
    def sentence(self) -> str:
        """The headline with the evidence, which may be quoted."""
        return f"{self.headline}: {self.evidence}"

    @property
    def _interval(self) -> str:
        if self.difference.is_bound:
            return f"at most {_points(self._gap.upper)}, with 95 % confidence"
        kind = "95 % interval" if self.p_adjusted is None else "simultaneous 95 % interval"
        return f"{kind} {self._ends}"

    @property
    def power(self) -> str:
        """The smallest difference that this design finds, and how probable each state is."""
        a, b = self.names
        p = self.probabilities
        size, probable = _points(self.margin), formats.probability
        stated = f" ({self.stated_margin.words})" if self.stated_margin.is_relative else ""
        return (
            f"This design finds a difference of {_points(self.detectable)} percentage points with "
            f"80 % power. With a margin of {size} percentage points{stated}, the probability that "
            f"{a} is better by more than it is {probable(p.a_better)}, that {b} is "
            f"{probable(p.b_better)}, and that they are equivalent {probable(p.equivalent)}."
        )

    @property
    def disagreement(self) -> str:
        """A sentence where Holm's p separates two models and Bonferroni's interval does not."""
        if self.p_adjusted is None or not self.separated:
            return ""
        if self.interval.lower > 0 or self.interval.upper < 0:
            return ""
        return (
            f"Holm's correction separates {formats.listed(self.names)} "
            f"(p = {formats.p_value(self.p_adjusted)}), but the simultaneous interval of their "
            f"difference, {self._ends} percentage points, contains 0: Bonferroni's intervals are "
            "wider than Holm's correction needs."
        )

    @property
    def _gap(self) -> Interval:
        """By how much the leader errs less; a difference is never beyond 100 points."""
        gap = self.interval if self.leader == "B" else self.interval.mirrored()
        return Interval(max(gap.lower, -1), min(gap.upper, 1))

    @property
    def _ends(self) -> str:
        return f"{_points(self._gap.lower)} to {_points(self._gap.upper)}"


def _points(fraction: float) -> str:
    """In percentage points: ``2.04``."""
    return f"{100 * fraction:.2f}"


@dataclass(frozen=True)
class OverallVerdict:
    """What the verdicts about all pairs of three or more models say together.

    The model with the lowest error on the holdouts leads. It is the best only where the verdict
    about each of its pairs, after Holm's correction, is that it is better.
    """

    names: tuple[str, ...]  # as a sentence has them
    errors: tuple[float, ...]  # on the holdouts, fractions
    pairs: tuple[Verdict, ...]  # all pairs, in the order of itertools.combinations

    @property
    def leader(self) -> int:
        """The place of the model with the lowest error; of equal ones, the first."""
        return self.errors.index(min(self.errors))

    @property
    def headline(self) -> str:
        """Which model errs least, and from how many it is not separated, in 15 words at most."""
        others, level = self._others(self.leader), self._level()
        leading = self.names[self.leader]
        if not level:
            return formats.capital(f"{leading} is better than every other model")
        which = f"{len(level)} of {len(others)} others"
        if len(level) == 1:
            which = self._listed(level)
        elif len(level) == len(others):
            which = "all others"
        is_alone = self.errors.count(min(self.errors)) == 1
        least = " errs least, but" if is_alone else ""
        return formats.capital(f"{leading}{least} is {self._verb(level)} {which}")

    @property
    def evidence(self) -> str:
        """All errors, the lowest first; then who is level with the leader, and whom these beat."""
        order = sorted(range(len(self.names)), key=self.errors.__getitem__)
        verbs = ["errs on", *["on"] * (len(order) - 1)]
        said = [
            f"{self.names[k]} {verb} {formats.percent(self.errors[k])}"
            for k, verb in zip(order, verbs, strict=True)
        ]
        clauses = "; ".join(self._details())
        return (
            f"{self.pairs[0].judged.words}, "
            f"{formats.listed(said)} ({len(self.pairs)} pairs, with Holm's correction)."
            + (f" Pair by pair: {clauses}." if clauses else "")
        )

    @property
    def sentence(self) -> str:
        """The headline with the evidence, which may be quoted."""
        return f"{self.headline}: {self.evidence}"

    def _others(self, place: int) -> list[int]:
        return [k for k in range(len(self.names)) if k != place]

    def _level(self) -> list[int]:
        """The places of the models that the leader is not better than."""
        leader = self.leader
        return [k for k in self._others(leader) if self._outcome(leader, k) != "better"]

    def _outcome(self, ahead: int, behind: int) -> str:
        """What was decided about a pair, seen from one of its models."""
        places = combinations(range(len(self.names)), 2)
        pairs = dict(zip(places, self.pairs, strict=True))
        found = pairs[min(ahead, behind), max(ahead, behind)]
        won = "A better" if ahead < behind else "B better"
        return "better" if found.outcome == won else found.outcome

    def _verb(self, level: Sequence[int]) -> str:
        """How the leader stands to the models that it is not better than."""
        equivalent = all(self._outcome(self.leader, k) == "equivalent" for k in level)
        return "equivalent in practice to" if equivalent else "not separated from"

    def _details(self) -> list[str]:
        """Whom the headline counts, and which models are better than which, where some are."""
        level, leading = self._level(), self.names[self.leader]
        behind = [k for k in self._others(self.leader) if k not in level]
        if not level or not behind:
            return []
        counted = f"{self._listed(level)} are {self._verb(level)} {leading}"
        return [counted] * (len(level) > 1) + self._better([self.leader, *level], behind)

    def _better(self, ahead: Sequence[int], behind: Sequence[int]) -> list[str]:
        """What all of those ahead are better than, then what only the leader is better than."""
        beaten = [k for k in behind if all(self._outcome(a, k) == "better" for a in ahead)]
        rest = [k for k in behind if k not in beaten]
        who = self._listed(ahead) if len(ahead) == 2 else f"all {len(ahead)}"
        also = "also " if beaten else ""
        all_are = [f"{who} are better than {self._listed(beaten)}"] if beaten else []
        leading = f"{self.names[self.leader]} is {also}better than"
        return all_are + ([f"{leading} {self._listed(rest)}"] if rest else [])

    def _listed(self, places: Sequence[int]) -> str:
        return formats.listed([self.names[k] for k in places])


def names_of(searches: Sequence[Searched]) -> tuple[str, ...]:
    """What a sentence calls the models: ``the MLP``; those of one kind by their studies' names."""
    kinds = [search.plan.model_definition for search in searches]
    names = [kind.name for kind in kinds]
    called = [
        search.name if names.count(kind.name) > 1 else f"the {kind.label or kind.name}"
        for search, kind in zip(searches, kinds, strict=True)
    ]
    if len(set(called)) < len(called):  # two kinds with one label
        called = [search.name for search in searches]
    return tuple(called)
