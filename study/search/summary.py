"""The lines that end a search: the best trial, the recommended one, and the search space."""

from __future__ import annotations

from collections.abc import Sequence

from study.search.loop import Outcome, Settings
from study.text import hidden
from study.training.plan import Plan
from study.trials import StoredTrial, best_of
from study.trials.selection import diagnosed, recommended


def summary(plan: Plan, settings: Settings, outcome: Outcome) -> list[str]:
    """What the search found, a line each."""
    head = f"{settings.study_name}: {len(outcome.trials)} trials in {hidden(settings.storage)}"
    rate = outcome.added / outcome.seconds
    news = f"{outcome.added} new, {rate:.3g} trials/s" if outcome.added else "nothing to add"
    best = best_of(outcome.trials)
    rows = (
        [("no trial was trained to the end", "")] if best is None else _rows(plan, outcome, best)
    )
    return [f"{head} ({news})", *(f"  {name:<18} {value}".rstrip() for name, value in rows)]


def _rows(plan: Plan, outcome: Outcome, best: StoredTrial) -> list[tuple[str, str]]:
    simple = recommended(outcome.trials)
    return [
        ("best trial", _described(best)),
        ("validation error", f"{_error(best)}, at step {best.step:,} of {plan.protocol.steps:,}"),
        ("target", _target(plan, best)),
        ("recommended trial", f"{_described(simple)}: {_error(simple)}"),
        *_left_out(outcome.trials),
        *_passed_over(outcome),
        ("learning rate", diagnosis(plan, outcome.trials)),
    ]


def _described(trial: StoredTrial) -> str:
    units = "" if trial.hidden_units is None else f", {trial.hidden_units} hidden units"
    return f"{trial.number} (learning rate {trial.learning_rate:.4g}{units})"


def _error(trial: StoredTrial) -> str:
    return f"{trial.val_error:.2%} ({trial.val_errors} of {trial.n_val:,})"


def _target(plan: Plan, best: StoredTrial) -> str:
    """Whether the target is met, by both rules; the one that counts first."""
    from study.stats import TargetRule, allowed_errors

    rules: tuple[TargetRule, TargetRule] = ("point", "wilson")
    allowed = {rule: allowed_errors(plan.target, best.n_val, rule=rule) for rule in rules}
    ordered = sorted(allowed.items(), key=lambda item: item[0] != plan.target_rule)
    said = ", ".join(_by_rule(best.val_errors, rule, most) for rule, most in ordered)
    return f"{plan.target:.2%}: {said}"


def _by_rule(errors: int, rule: str, most: int | None) -> str:
    if most is None:
        return f"missed by the {rule} rule (no count meets it)"
    return f"{'met' if errors <= most else 'missed'} by the {rule} rule (≤ {most} errors)"


def _left_out(trials: Sequence[StoredTrial]) -> list[tuple[str, str]]:
    counts = {
        outcome: sum(trial.outcome == outcome for trial in trials)
        for outcome in ("diverged", "pruned")
    }
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return [("of all trials", said)] if said else []


def _passed_over(outcome: Outcome) -> list[tuple[str, str]]:
    """Trials that Optuna's tools left unfinished."""
    said = ", ".join(f"{count} {state}" for state, count in sorted(outcome.others.items()))
    return [("passed over", f"{said}: not trained by this search")] if said else []


def diagnosis(plan: Plan, trials: Sequence[StoredTrial]) -> str:
    """What the trials say of the learning rate's range, in one line."""
    low, high = plan.space.learning_rate
    found = diagnosed(trials, (low, high))
    edge = found.best_edge or found.best_tenth_edge
    wider = f"; the best lie near the {edge} edge of {low:g} to {high:g}: widen it" if edge else ""
    apart = found.falls_apart_from
    falls = "" if apart is None else f"; training falls apart from {apart:.2g}"
    return f"{found.level[0]:.2g} to {found.level[1]:.2g} is level with the best{falls}{wider}"
