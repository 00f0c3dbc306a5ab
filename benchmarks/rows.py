"""The table's rows: which peer trains how many of the trials, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from study.training.plan import Plan
from study.training.registry import MODELS, default_space

PEERS = ("plain", "processes", "vmap", "jax", "trainer", "search", "command")
OURS = ("trainer", "search", "command")
SEARCHES = ("search", "command")
OWN_BATCHES = ("plain", "processes")  # peers that draw their batches themselves
CLOCKS = {
    "optimize": "from the first ask to the last tell on a new SQLite file; imports, data and "
    "processes are there before",
    "training": "from the draw of the batches to the last result; imports, data and models are "
    "there before, and JAX's compilation has a column of its own",
    "cohorts": "from handing over the cohorts to the last result; imports, data and workers are "
    "there before",
    "search": "from planning the first trial to the last record on a new SQLite file; imports, "
    "data and workers are there before",
    "command": "the whole command, from exec to exit: imports, data and workers too",
}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    key: str
    title: str
    jobs: int
    trials: Mapping[str, int]  # by model; 0: the model has no such row
    clock: str  # what is timed: a key of CLOCKS
    device: str = "cpu"

    @property
    def peer(self) -> str:
        """The module of ``benchmarks/peers``."""
        return self.key.split("-", maxsplit=1)[0]

    def members(self, model: str) -> int:
        """Models trained as one."""
        if self.peer in SEARCHES:
            return min(default_cohort(model, self.device), self.trials[model])
        return 1 if self.peer in OWN_BATCHES else self.trials[model] // self.jobs


def default_cohort(model: str, device: str) -> int:
    """The models that a search trains as one."""
    return Plan(model, default_space(MODELS[model]), device=device).settled().cohort_size


def all_rows(cores: int, *, quick: bool, device: str = "cpu") -> list[Row]:
    """The rows of a kind of device.

    Slow peers train few trials, since it is seconds a trial that count. Every stack of models
    has the width at which its peer is fast; JAX has those of this package's rows as well.
    """
    return _on_gpu(quick=quick) if device == "cuda" else _on_cpu(cores, quick=quick)


def _on_cpu(cores: int, *, quick: bool) -> list[Row]:
    default = {name: default_cohort(name, "cpu") * cores for name in MODELS}
    wide = _of_each(64 * cores, 16 * cores)
    searched = _of_each(64, 32)
    wider = {name: n if n > searched[name] else 0 for name, n in wide.items()}

    few, twice = _of_each(2, 2), _of_each(cores, cores)

    def trials(full: Mapping[str, int], tiny: int) -> Mapping[str, int]:
        return dict.fromkeys(full, tiny) if quick else full

    stack, cohort = trials(_of_each(16, 8), 4), trials(_of_each(64, 16), 4)
    jax, more = trials(searched, 4), trials(wider, 0)
    cohorts, whole = trials(default, 2 * cores), trials(wide, 4 * cores)
    search = trials(searched, 4 * cores)
    return [
        Row("plain", "plain Optuna", 1, few, "optimize"),
        Row("processes", f"Optuna, processes × {cores}", cores, twice, "optimize"),
        Row("vmap", "torch.func.vmap", 1, stack, "training"),
        Row("jax", "JAX vmap + scan", 1, jax, "training"),
        Row("jax-wide", "JAX, more trials", 1, more, "training"),
        Row("trainer-1", "trainer, 1 cohort", 1, cohort, "cohorts"),
        Row("trainer-n", f"trainer, cohorts × {cores}", cores, cohorts, "cohorts"),
        Row("trainer-wide", f"trainer, wide × {cores}", cores, whole, "cohorts"),
        Row("search-n", f"search --jobs {cores}", cores, search, "search"),
        Row("search-wide", "search, more trials", cores, more, "search"),
        Row("command", "python -m study.search", cores, search, "command"),
    ]


def _on_gpu(*, quick: bool) -> list[Row]:
    """One cohort at a time; nothing of this has a second process."""
    wide = _of_each(64, 64) if quick else _of_each(4096, 64)
    few, stacked = _of_each(2, 2), _of_each(64, 16)
    return [
        Row("plain", "plain Optuna", 1, few, "optimize", "cuda"),
        Row("vmap", "torch.func.vmap", 1, stacked, "training", "cuda"),
        Row("jax", "JAX vmap + scan", 1, wide, "training", "cuda"),
        Row("trainer-1", "trainer, 1 cohort", 1, wide, "cohorts", "cuda"),
        Row("search-n", "search", 1, _of_each(64, 64), "search", "cuda"),
        Row("command", "python -m study.search", 1, _of_each(64, 64), "command", "cuda"),
    ]


def _of_each(linear: int, other: int) -> dict[str, int]:
    """As many trials of the linear model, and as many of any other."""
    return {name: linear if name == "linear" else other for name in MODELS}


def most_searched(rows: Sequence[Row], model: str) -> int:
    """The trials of the largest search."""
    return max((row.trials[model] for row in rows if row.peer in SEARCHES), default=32)


def chosen(
    trials: Sequence[tuple[int, float]], row: Row, model: str
) -> tuple[tuple[int, float], ...]:
    """The trials of a row: a search's first ones, for other peers some over all rates."""
    count = row.trials[model]
    return tuple(trials[:count]) if row.peer in SEARCHES else spread(trials, count)


def spread(trials: Sequence[tuple[int, float]], count: int) -> tuple[tuple[int, float], ...]:
    """``count`` of the trials, evenly over their learning rates; all again where it is more."""
    if count >= len(trials):
        again = -(-count // len(trials))
        return tuple((list(trials) * again)[:count])
    ordered = sorted(trials, key=lambda trial: trial[1])
    places = [round(i * (len(ordered) - 1) / max(count - 1, 1)) for i in range(count)]
    return tuple(ordered[place] for place in places)
