"""The table's rows: which peer trains how many of the trials, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.training.registry import MODELS

PEERS = ("plain", "processes", "vmap", "jax", "trainer", "search")
FEW = 32  # trials of a search; peers train some of them, or them again
TRIALS = {"linear": 64}  # where it is not so few
OURS = ("trainer", "search")
OWN_BATCHES = ("plain", "processes")  # peers that draw their batches themselves


@dataclass(frozen=True)
class Row:
    """One line of the table, for every model."""

    key: str
    peer: str
    title: str
    jobs: int
    trials: dict[str, int]  # by model

    def members(self, model: str) -> int:
        """Models trained as one."""
        if self.peer == "search":
            return min(MODELS[model].cohort, self.trials[model])
        return 1 if self.peer in OWN_BATCHES else self.trials[model] // self.jobs


def all_rows(cores: int, *, quick: bool) -> list[Row]:
    """Slow peers train few trials, since it is seconds a trial that count.

    Every stack of models has the width at which its peer is fast; a wider one gains little.
    """
    searched, tiny = (TRIALS["linear"], FEW), quick_trials(cores)

    def row(key: str, title: str, jobs: int, full: tuple[int, int], few: int) -> Row:
        linear, mlp = (few, few) if quick else full
        peer = key.split("-", maxsplit=1)[0]
        trials = {name: linear if name in TRIALS else mlp for name in MODELS}
        return Row(key, peer, title, jobs, trials)

    return [
        row("plain", "plain Optuna", 1, (4, 4), 2),
        row("processes", f"Optuna, processes × {cores}", cores, (2 * cores, 2 * cores), cores),
        row("vmap", "torch.func.vmap", 1, (16, 8), 4),
        row("jax", "JAX vmap + scan", 1, (128, 32), 4),
        row("trainer-1", "trainer, 1 cohort", 1, (64, 16), 4),
        row("trainer-n", f"trainer, cohorts × {cores}", cores, (32 * cores, 8 * cores), 2 * cores),
        row("trainer-wide", f"trainer, wide × {cores}", cores, (64 * cores, 16 * cores), tiny),
        row("search-1", "search --jobs 1", 1, searched, tiny),
        row("search-n", f"search --jobs {cores}", cores, searched, tiny),
    ]


def quick_trials(cores: int) -> int:
    """The trials of a search when ``--quick``."""
    return 4 * cores


def spread(trials: Sequence[tuple[int, float]], count: int) -> tuple[tuple[int, float], ...]:
    """``count`` of the trials, evenly over their learning rates; all again where it is more."""
    if count >= len(trials):
        again = -(-count // len(trials))
        return tuple((list(trials) * again)[:count])
    ordered = sorted(trials, key=lambda trial: trial[1])
    places = [round(i * (len(ordered) - 1) / max(count - 1, 1)) for i in range(count)]
    return tuple(ordered[place] for place in places)
