"""The rule that decides between two models; it was fixed before anything was run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from study.stats.intervals import Interval
from study.stats.paired_tests import McNemar
from study.stats.replicates import Outperforming

Outcome = Literal["A better", "B better", "suggestive", "equivalent", "not separated"]

MARGIN = 0.0025  # a smaller difference in error, a fraction, does not matter in practice
ALPHA = 0.05  # of McNemar's mid-p, and of Holm's p where several pairs are compared


@dataclass(frozen=True)
class Decision:
    """What the evidence says. All but ``outcome`` and ``leader`` are the same for B against A.

    ``reasons`` says, in the order of the conditions and from the leader's side, what was
    found and whether it is enough.
    """

    outcome: Outcome
    leader: Literal["A", "B"] | None  # which errs less on average on the holdouts
    separated: bool  # the interval of the difference excludes 0; of several pairs: Holm's p < .05
    outperforms: bool  # the leader's probability of outperforming is meaningful
    confirmed: bool  # McNemar's mid-p favours the leader in nine of ten pairs
    within_margin: bool  # the whole interval of the difference is too small to matter
    reasons: tuple[str, str, str]


def decide(
    difference: Interval,
    outperforming: Outperforming,
    pairs: Sequence[McNemar],
    *,
    margin: float = MARGIN,
    p_adjusted: float | None = None,
) -> Decision:
    """Decide between two models, or decline to.

    The leader is *better* when the Nadeau–Bengio interval excludes 0, its probability of
    outperforming has its lower end above ½ and its upper end above ¾, and McNemar's
    mid-p is below .05, in its favour, for at least nine of ten replicate pairs. With one
    of the last two missing, the difference is *suggestive*. Otherwise the models are
    *not separated*, or *equivalent* where the whole interval lies within the margin.

    Where the two are one of several pairs, the first condition is Holm's: the adjusted p of
    the difference is below .05. It holds wherever the simultaneous interval excludes 0.

    Args:
        difference: Nadeau–Bengio 95 % interval of A's holdout error − B's, fractions; of
            several pairs, the simultaneous one.
        outperforming: of A over B, on the replicates.
        pairs: McNemar's test of each replicate pair, A first.
        margin: the largest difference in error that does not matter, a fraction.
        p_adjusted: of the difference, over all pairs; None where these two are the only pair.

    Raises:
        ValueError: no replicate pairs, or a negative margin.
    """
    if not pairs or margin < 0:
        raise ValueError(f"verdict: {len(pairs)} pairs, margin {margin}: 1 or more, 0 or more")
    middle = difference.lower + difference.upper  # twice the mean of A − B
    leader: Literal["A", "B"] | None = None if middle == 0 else "A" if middle < 0 else "B"
    gain = difference.mirrored() if leader == "A" else difference
    wins = outperforming.mirrored() if leader == "B" else outperforming
    significant = sum(pair.mid_p < ALPHA and pair.favours == leader for pair in pairs)
    separated = gain.lower > 0 if p_adjusted is None else leader is not None and p_adjusted < ALPHA
    outperforms = leader is not None and wins.meaningful
    confirmed = 10 * significant >= 9 * len(pairs)
    within_margin = gain.upper <= margin  # its lower end is never further from 0
    outcome: Outcome = "equivalent" if within_margin else "not separated"
    if separated and (outperforms or confirmed):
        outcome = "suggestive"
    if separated and outperforms and confirmed:
        outcome = "A better" if leader == "A" else "B better"
    mcnemar = (
        f"McNemar: mid-p below {ALPHA} in the leader's favour in {significant} of "
        f"{len(pairs)} pairs, {_not(confirmed)}at least nine of ten"
    )
    reasons = (
        _holdouts(gain, separated, p_adjusted),
        _replicates(wins, leader, outperforms),
        mcnemar,
    )
    return Decision(outcome, leader, separated, outperforms, confirmed, within_margin, reasons)


def _holdouts(gain: Interval, separated: bool, p_adjusted: float | None) -> str:
    ends = f"{100 * gain.lower:+.2f} to {100 * gain.upper:+.2f} percentage points"
    found = f"holdouts: the leader errs less by {ends}, "
    if p_adjusted is None:
        return f"{found}{_not(separated)}above 0"
    below = f"Holm's p, {p_adjusted:.2g}, is {_not(separated)}below {ALPHA}"
    return f"{found}the simultaneous interval; {below}"


def _replicates(wins: Outperforming, leader: str | None, outperforms: bool) -> str:
    if leader is None:
        return "replicates: no leader to favour"
    # 0.575 mirrored is 0.42500000000000004: without its last digits it is written as 0.425 is
    numbers = wins.probability, wins.interval.lower, wins.interval.upper
    probability, lower, upper = (f"{round(number, 9):.2f}" for number in numbers)
    return (
        f"replicates: the leader wins with probability {probability} ({lower} to {upper}), "
        f"{_not(outperforms)}above 1/2 and reaching past 3/4"
    )


def _not(holds: bool) -> str:
    return "" if holds else "not "
