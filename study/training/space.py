"""The hyperparameters of a model: what is searched, and what one trial has.

A space maps a hyperparameter's name to the Optuna distribution that it is drawn from; a
configuration maps every name of a space to one value. The names in ``OPTIMISER`` are those of
``torch.optim.SGD``; every other one is a keyword of the model's factory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from study.errors import StudyError

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

Value: TypeAlias = float | int | str | bool | None
Configuration: TypeAlias = Mapping[str, Value]
if TYPE_CHECKING:
    Space: TypeAlias = Mapping[str, BaseDistribution]
else:
    Space = Mapping[str, Any]  # each a distribution of Optuna, which is loaded when it is needed

OPTIMISER = ("learning_rate", "momentum", "weight_decay", "nesterov")


class LazySpace(Mapping[str, "BaseDistribution"]):
    """A space that is made when it is first read, so that ``--help`` does not load Optuna."""

    def __init__(self, make: Callable[[], Space]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Space:
        return self._make()

    def __getitem__(self, name: str) -> BaseDistribution:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def optimiser_space() -> dict[str, BaseDistribution]:
    """What is searched of the optimiser's hyperparameters where a model does not say it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        "learning_rate": FloatDistribution(1e-5, 1, log=True),
        "momentum": FloatDistribution(0, 0.99),
        "weight_decay": FloatDistribution(1e-8, 1, log=True),
        "nesterov": CategoricalDistribution((False, True)),
    }


def whole(space: Space) -> dict[str, BaseDistribution]:
    """A space with its learning rate first, by default that of :func:`optimiser_space`.

    Raises:
        StudyError: The optimiser can't take a value that a distribution gives.
    """
    found = {"learning_rate": optimiser_space()["learning_rate"], **space}
    for name in OPTIMISER:
        if name in found:
            require_optimiser(name, found[name])
    if True in _values(found.get("nesterov")) and not any(_values(found.get("momentum"))):
        raise StudyError("nesterov: there is no momentum: must have one above 0 beside it")
    return found


def require_optimiser(name: str, found: BaseDistribution) -> None:
    """Refuse a distribution with values that ``torch.optim.SGD`` does not take.

    Raises:
        StudyError: The message says what would be right.
    """
    values = _values(found)
    numbers = [value for value in values if isinstance(value, int | float)]
    if name == "nesterov":
        fits, right = {*values} <= {False, True}, "True, False or both"
    elif name == "learning_rate":
        fits, right = hasattr(found, "low") and min(numbers) > 0, "a range above 0"
    else:
        fits, right = len(numbers) == len(values) and min(numbers) >= 0, "numbers, 0 or more"
    if not fits:
        raise StudyError(f"{name}: {words(found)} can't be searched: must be {right}")


def _values(found: Any) -> tuple[Value, ...]:  # noqa: ANN401 (any distribution, or none)
    """The ends of a range, or all choices; nothing of no distribution."""
    if found is None:
        return ()
    return tuple(getattr(found, "choices", ())) or (found.low, found.high)


def sampled(space: Space) -> dict[str, BaseDistribution]:
    """What Optuna samples: the learning rate, and every other hyperparameter that is not fixed.

    A fixed learning rate is sampled too: a trial of Optuna has one hyperparameter at least.
    """
    return {n: found for n, found in space.items() if n == "learning_rate" or not found.single()}


def configuration(space: Space, params: Mapping[str, Any]) -> dict[str, Value]:
    """What a trial trains: what Optuna sampled, and what is fixed."""
    return {n: params[n] if n in params else first_value(found) for n, found in space.items()}


def first_value(distribution: BaseDistribution) -> Value:
    """The lower end of a range, or the first choice; the only value of what is fixed."""
    return _values(distribution)[0]


def suggest(space: Space, trial: optuna.Trial) -> dict[str, Value]:
    """Ask a trial for its configuration, with Optuna's own calls."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    params: dict[str, Value] = {}
    for name, found in sampled(space).items():
        if isinstance(found, CategoricalDistribution):
            params[name] = trial.suggest_categorical(name, found.choices)
            continue
        ask: Any = trial.suggest_int if isinstance(found, IntDistribution) else trial.suggest_float
        ends: Any = found
        params[name] = ask(name, ends.low, ends.high, step=ends.step, log=ends.log)
    return configuration(space, params)


def contains(distribution: BaseDistribution, value: object) -> bool:
    """Whether the distribution can give this value; ValueError or TypeError for another type."""
    found: bool = distribution._contains(distribution.to_internal_repr(value))
    return found


def to_json(space: Space) -> dict[str, Any]:
    """A space as a manifest stores it: each distribution in Optuna's own JSON."""
    from optuna.distributions import distribution_to_json

    return {name: json.loads(distribution_to_json(found)) for name, found in space.items()}


def from_json(stored: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """A space of a manifest, also of one in the format of version 0.1: see :func:`is_former`.

    Raises:
        KeyError, TypeError, ValueError: It can't be read.
    """
    from optuna.distributions import json_to_distribution

    read = _from_ends if is_former(stored) else lambda _, d: json_to_distribution(json.dumps(d))
    return {name: read(name, found) for name, found in stored.items() if found is not None}


def modern(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest in the present format, whichever version wrote it.

    Version 0.1 stored ranges as :func:`is_former` says, and had no engine but torch.

    Raises:
        KeyError, TypeError, ValueError: The ranges can't be read.
    """
    return {"engine": "torch", **manifest, "space": to_json(from_json(manifest["space"]))}


def is_former(stored: Mapping[str, Any]) -> bool:
    """Whether it is in the format of version 0.1: ``[low, high]``, null for what a model lacks."""
    return not all(isinstance(found, dict) for found in stored.values())


def _from_ends(name: str, ends: tuple[Any, Any]) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = ends
    kind: Any = FloatDistribution if name == "learning_rate" else IntDistribution
    found: BaseDistribution = kind(low, high, log=True)
    return found


def words(distribution: BaseDistribution) -> str:
    """A distribution as an option takes it: ``16..128``, ``0.1`` or ``relu,tanh``."""
    if choices := getattr(distribution, "choices", ()):
        return ",".join(map(str, choices))
    found: Any = distribution
    low, high = (
        f"{end:g}" if float(f"{end:g}") == end else repr(end) for end in (found.low, found.high)
    )
    return low if distribution.single() else f"{low}..{high}"
