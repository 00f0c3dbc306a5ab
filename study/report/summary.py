"""The report's numbers for programs: ``summary.json``."""

from __future__ import annotations

import json
from typing import Any

from study import stats
from study.report import parameters
from study.report.record import Record, ReportedStudy
from study.report.words import finite
from study.storage.versions import runs
from study.text import visible
from study.trials import StoredTrial
from study.trials.selection import optuna_best, recommended


def to_json(record: Record) -> str:
    """The summary as JSON text; errors are fractions (``val_error``) or counts."""
    text = (
        json.dumps(_finite(summarise(record)), indent=2, ensure_ascii=False, allow_nan=False)
        + "\n"
    )
    return "".join(c if visible(c) == c or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _finite(value: Any) -> Any:  # noqa: ANN401
    """The same with None for what JSON can't hold, such as the t of equal differences."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return finite(value) if isinstance(value, float) else value


def summarise(record: Record) -> dict[str, Any]:
    """What the first screen says, for each model and in all."""
    return {
        "models": {search.key: _model(record, search) for search in record.searches},
        "winner": _winner(record),
        "comparison": None if record.comparison is None else record.comparison.as_dict(),
        "data_sha256": record.searches[0].manifest["data_sha256"],
        "protocol": record.searches[0].manifest["protocol"],
        "test_set_opened": False,
    }


def _winner(record: Record) -> str | None:
    """The model with the fewest errors, ``tie``, or None where two can't be compared."""
    if len(record.winners) < 2:
        return None
    (first, best), (_, second) = sorted(record.winners, key=lambda pair: pair[1].val_errors)[:2]
    return "tie" if best.val_errors == second.val_errors else first.key


def _model(record: Record, search: ReportedStudy) -> dict[str, Any]:
    kept = ("seed", "sampler", "space", "device", "versions")
    return {
        "study": search.name,
        "model": search.model.name,
        "trials": len(search.trials),
        "outcomes": {k: search.outcomes[k] for k in ("finished", "diverged", "pruned")},
        "unfinished": dict(search.stored.others),
        "best": None if search.best is None else _best(record, search.best),
        "simplest": None if search.best is None else _simplest(search),
        "optuna_best_trial": None if search.best is None else optuna_best(search.trials).number,
        "target": search.target,
        "target_rule": search.stored.plan.target_rule,
        "target_met": search.target_met,
        "training_seconds": round(search.seconds, 6),
        "importance": search.importance,
        "trials_sha256": search.digest,
        "machine": search.stored.machine,
        **{name: search.manifest.get(name) for name in kept},
        **_trained_with(search),
    }


def _trained_with(search: ReportedStudy) -> dict[str, Any]:
    """The numbers of the trials that each versions trained, where they are not all the same."""
    several = [{"trials": numbers, "versions": own} for numbers, own in runs(search.stored)]
    return {"trained_with": several} if len(several) > 1 else {}


def _simplest(search: ReportedStudy) -> dict[str, Any]:
    """The simplest trial within one standard error of the best."""
    found = recommended(search.stored.plan, search.trials)
    names = ("val_error", "val_errors", "n_val", "step", "weights_sha256")
    return {
        "trial": found.number,
        **{name: getattr(found, name) for name in names},
        "parameters": dict(found.parameters),
    }


def _best(record: Record, best: StoredTrial) -> dict[str, Any]:
    """The best trial, each hyperparameter of any model beside its other fields too."""
    interval = stats.wilson(best.val_errors, best.n_val)
    own = parameters.columns(record).items()
    return {
        "trial": best.number,
        **{column: best.parameters.get(name) for name, column in own},
        "val_error": best.val_error,
        "val_errors": best.val_errors,
        "n_val": best.n_val,
        "val_error_wilson_95": [interval.lower, interval.upper],
        "val_loss": finite(best.val_loss),
        "step": best.step,
        "final_error": best.final_error,
        "weights_sha256": best.weights_sha256,
        "parameters": dict(best.parameters),
    }
