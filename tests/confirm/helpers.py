"""Commands and small plans of confirmations."""

from pathlib import Path

from study.confirm.loop import Settings
from study.training.protocol import Protocol
from study.training.registry import MODELS
from tests.helpers import commands, plans
from tests.helpers.plans import space_of

SHORT = Protocol(steps=300, val_every=20)
PAIR = ("linear", "mlp")
SIZE = {"seeds": 4, "splits": 3, "n_trials": 4, "finalists": 2}
OPTIONS = ("--seeds", 4, "--splits", 3, "--n-trials", 4, "--finalists", 2)


def run(module, storage, *options):
    """Run a command to its end, in the storage's folder."""
    return commands.run(arguments(module, storage, *options), Path(storage).parent)


def here(module, storage, *options):
    """The same command in this process."""
    return commands.here(module, "--storage", storage, *options)


def arguments(module, storage, *options):
    """A command line."""
    return commands.module(module, "--storage", storage, *options)


def plan(model, seed=0, **changes):
    """The default plan of a model, cut to 300 steps."""
    kind = MODELS[model]
    fields = {
        "space": space_of(hidden_units=(8, 16) if kind.size_parameters else None),
        "protocol": SHORT,
        "target": kind.target,
        "generation_size": kind.generation,
        "cohort_size": kind.cohort,
    }
    return plans.plan(model, seed=seed, **fields | changes)


def settings(path, names=PAIR, **changes):
    """A small confirmation."""
    return Settings(str(path), names, **SIZE | changes)
