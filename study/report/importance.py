"""Which hyperparameter decides the error, by Optuna's own evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

ENOUGH = 20  # complete trials: the evaluator looks at the best tenth, and two are the least


def importances(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Parameter → its share, from the most important on; they sum to 1.

    PED-ANOVA asks how unlike the parameter's values in the best tenth of all trials are to its
    values in all of them; it uses no random numbers. Empty where there are fewer than two
    parameters or :data:`ENOUGH` complete trials, and where no parameter matters.

    Source: Watanabe, Bansal and Hutter (2023), PED-ANOVA, IJCAI.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    from study.search.planner import without_user_attrs

    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if len(complete) < ENOUGH or len(complete[0].params) < 2:
        return {}
    study = optuna.create_study()
    study.add_trials([without_user_attrs(trial) for trial in complete])
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return found if sum(found.values()) > 0 else {}
