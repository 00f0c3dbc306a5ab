"""The lines that end a search: the best trial, the simplest one level with it, the ranges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from study import formats
from study.search.loop import Outcome, Settings
from study.text import hidden
from study.training.plan import Plan
from study.training.space import sampled
from study.trials import StoredTrial, best_of
from study.trials.sampling import Sampling
from study.trials.selection import diagnosed, level_choices, recommended

if TYPE_CHECKING:
    from study.stats import Diagnosis


def summary(settings: Settings, outcome: Outcome) -> list[str]:
    """What the search found, a line each."""
    trials = formats.plural(len(outcome.trials), "trial")
    speed = outcome.added / outcome.seconds
    news = f"{outcome.added} new, {speed:.3g} trials/s" if outcome.added else "nothing to add"
    best = best_of(outcome.trials)
    rows = [("no trial was trained to the end", "")]
    if best is not None:
        rows = _rows(outcome.plan, outcome, best)
    return [
        f"{settings.study_name}: {trials} in {hidden(settings.storage)} ({news})",
        *(f"  {name:<18} {value}".rstrip() for name, value in rows),
    ]


def _rows(plan: Plan, outcome: Outcome, best: StoredTrial) -> list[tuple[str, str]]:
    simple = recommended(plan, outcome.trials)
    failed = Counter(t.outcome for t in outcome.trials if t.outcome in ("diverged", "pruned"))
    rows = [
        ("best trial", _described(best)),
        ("validation error", f"{_error(best)}, at step {best.step:,} of {plan.protocol.steps:,}"),
        *([] if plan.target is None else [("target", _target(plan.target, plan, best))]),
        ("simplest trial", _simplest(simple, best)),
    ]
    if failed:
        rows.append(("of all trials", _counts(failed)))
    if outcome.others:  # Optuna's tools left them unfinished
        rows.append(("passed over", f"{_counts(outcome.others)}: not trained by this search"))
    rows.append(("sampler", Sampling.of(plan.sampler, outcome.trials).sentence))
    ranges = diagnoses(plan, outcome.trials)
    return [*rows, *((formats.parameter_name(name), said) for name, said in ranges.items())]


def _simplest(simple: StoredTrial, best: StoredTrial) -> str:
    """The simplest trial within one standard error of the best, which may be the best itself."""
    if simple.number == best.number:
        return "the best one itself"
    return f"{_described(simple)}: {_error(simple)}, within one standard error of the best"


def _described(trial: StoredTrial) -> str:
    return f"{trial.number} ({formats.parameters(trial.parameters)})"


def _error(trial: StoredTrial) -> str:
    return formats.error(trial.val_errors, trial.n_val)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _target(target: float, plan: Plan, best: StoredTrial) -> str:
    """Whether the target is met, by both rules; the one that counts first."""
    from study.stats import TargetRule, allowed_errors

    rules: list[TargetRule] = ["point", "wilson"]
    parts = []
    for rule in sorted(rules, key=lambda rule: rule != plan.target_rule):
        most = allowed_errors(target, best.n_val, rule=rule)
        if most is None:
            parts.append(f"missed by the {rule} rule (no count meets it)")
        else:
            met = "met" if best.val_errors <= most else "missed"
            parts.append(f"{met} by the {rule} rule (≤ {most} errors)")
    return f"{formats.percent(target)}: {', '.join(parts)}"


def diagnoses(plan: Plan, trials: Sequence[StoredTrial]) -> dict[str, str]:
    """What the trials show about each range and choice that was searched, in one line each."""
    numbers, level = diagnosed(plan, trials), level_choices(plan, trials)
    return {
        name: _diagnosis(numbers[name], plan.space[name])
        if name in numbers
        else f"{formats.listed([str(c) for c in level[name]])} "
        f"{'is' if len(level[name]) == 1 else 'are'} level with the best"
        for name in sampled(plan.space)
    }


def _diagnosis(found: Diagnosis, searched: Any) -> str:  # noqa: ANN401 (a number's distribution)
    kind, value = type(searched.low), formats.value
    low, high = value(searched.low), value(searched.high)
    near = f"; the best lie near the {found.edge} edge of {low} to {high}: widen it"
    wider = near if found.edge else ""
    apart = found.falls_apart_from
    falls = "" if apart is None else f"; training falls apart from {value(kind(apart))}"
    level = " to ".join(dict.fromkeys(value(kind(end)) for end in found.level))
    return f"{level} is level with the best{falls}{wider}"
