"""The verdict about two models, in one sentence that may be quoted."""

from __future__ import annotations

from dataclasses import dataclass

from study import formats
from study.stats import Decision, Interval
from study.storage.searched import Searched


@dataclass(frozen=True)
class Verdict(Decision):
    """What was decided, with the models' names and errors.

    The terminal, the report and the sweep print its ``sentence`` or its ``headline``.
    """

    names: tuple[str, str]  # of A and B, as a sentence has them: "the linear model"
    errors: tuple[float, float]  # of A and B on the holdouts, fractions
    interval: Interval  # 95 %, of A's error less B's, fractions

    @property
    def headline(self) -> str:
        """Which model is better, if either is: ``The MLP is better``."""
        both = formats.listed(self.names)
        leading = self.names[self.leader == "B"]
        if self.separated and self.outcome == "not separated":
            said = f"{both} differ on the holdouts, but not reliably on fresh seeds"
        else:
            said = {
                "A better": f"{leading} is better",
                "B better": f"{leading} is better",
                "suggestive": f"the evidence favours {leading} but does not settle it",
                "equivalent": f"{both} are equivalent in practice",
                "not separated": f"{both} are not separated",
            }[self.outcome]
        return f"T{said[1:]}" if said.startswith("the ") else said

    @property
    def sentence(self) -> str:
        """The headline with the evidence: both errors and their difference, the leader first."""
        a, b = zip(self.names, self.errors, strict=True)
        (ahead, less), (behind, more) = (b, a) if self.leader == "B" else (a, b)
        gap = self.interval if self.leader == "B" else self.interval.mirrored()
        return (
            f"{self.headline}: on images that played no part in tuning, {ahead} errs on "
            f"{formats.percent(less)} and {behind} on {formats.percent(more)}, a difference of "
            f"{100 * (more - less):.2f} percentage points (95 % interval {100 * gap.lower:.2f} to "
            f"{100 * gap.upper:.2f})."
        )


def names_of(a: Searched, b: Searched) -> tuple[str, str]:
    """What a sentence calls the models: ``the MLP``; two of one kind by their studies' names."""
    first, second = (found.plan.model_definition for found in (a, b))
    if first.name == second.name:
        return a.name, b.name
    return f"the {first.label or first.name}", f"the {second.label or second.name}"
