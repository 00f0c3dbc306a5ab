"""Plans, options and searches that take a fraction of a second."""

from optuna.distributions import FloatDistribution, IntDistribution

from study.confirm.loop import Settings as ConfirmSettings
from study.confirm.loop import confirm
from study.search import Plan, Settings
from study.search import search as search_here
from study.training.protocol import Protocol
from study.training.registry import MODELS, default_space

GENERATION, N_TRIALS = 4, 16
SHORT = (
    *("--steps", "400", "--val-every", "20"),
    *("--generation", str(GENERATION), "--cohort", "2", "--n-trials", str(N_TRIALS)),
)
SMALLEST = {"seeds": 2, "splits": 2, "n_trials": 2, "finalists": 1}  # confirmation


def space_of(learning_rate=(1e-5, 1.0), hidden_units=None):
    """The space of the linear model, or with hidden units of the MLP, in these ranges."""
    space = {"learning_rate": FloatDistribution(*learning_rate, log=True)}
    if hidden_units is not None:
        space["hidden_units"] = IntDistribution(*hidden_units, log=True)
    return space


def configuration_of(learning_rate, hidden_units=None):
    """What one trial of the linear model trains, or with hidden units one of the MLP."""
    units = {} if hidden_units is None else {"hidden_units": hidden_units}
    return {"learning_rate": learning_rate, **units}


def plan(model="linear", **changes):
    """A plan whose search takes a fraction of a second."""
    fields = {
        "space": default_space(MODELS[model]),
        "protocol": Protocol(steps=60, val_every=20),
        "generation_size": GENERATION,
        "cohort_size": 2,
        "target": 0.035,
    }
    return Plan(model, **fields | changes)


def search(path, name, n_trials, chosen, progress=None, **workers):
    """Search by a plan, in this process; what came of it."""
    return search_here(chosen, Settings(str(path), name, n_trials, **workers), progress)


def searched(storage, model="linear", n_trials=8, *, progress=None, **changes):
    """A short search in this process; its storage. Changes are of the plan, or ``workers``."""
    workers = {key: changes.pop(key) for key in ("workers",) if key in changes}
    search(storage, model, n_trials, plan(model, **changes), progress, **workers)
    return storage


def confirmed(storage, progress=None, names=("linear", "mlp"), **sizes):
    """The smallest confirmation of two searches, in this process; its storage."""
    confirm(ConfirmSettings(str(storage), names, **SMALLEST | sizes), progress)
    return storage
