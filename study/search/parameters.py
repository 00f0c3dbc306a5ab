"""The options that say where hyperparameters are searched, and with which target.

``--param [MODEL.]NAME=VALUE`` fixes one, ``LOW..HIGH`` is a range and ``A,B,C`` are choices. Type,
scale and step are those of the model's own distribution.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from study import cli
from study.errors import StudyError
from study.text import did_you_mean
from study.training.registry import FORMER, HIDDEN_UNITS, MODELS, Model, default_space
from study.training.space import (
    OPTIMISER,
    contains,
    optimiser_space,
    require_optimiser,
    whole,
    words,
)

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LARGEST = 1e15  # of a hyperparameter: floats are exact for whole numbers below
_LONGEST = 200  # letters of an option


@dataclass(frozen=True)
class Stated:
    """What one option states of a hyperparameter."""

    option: str  # as it was typed, for messages
    model: str  # empty: of every model that has it
    name: str
    text: str


def add_space(parser: argparse.ArgumentParser) -> None:
    """Where each hyperparameter is searched, and the target."""
    group = parser.add_argument_group("search space (one value fixes a hyperparameter)")
    add_param(
        group,
        "[MODEL.]NAME=VALUE",
        "a hyperparameter's value, its range LOW..HIGH, or its choices A,B,C; may be repeated",
    )
    group.add_argument(
        "--learning-rate",
        nargs="+",
        type=cli.positive_float,
        metavar=("LOW", "HIGH"),
        help="the range of the learning rate (default: 1e-5 to 1)",
    )
    low, high = HIDDEN_UNITS
    group.add_argument(
        "--hidden-units",
        nargs="+",
        type=cli.positive_int,
        metavar=("LOW", "HIGH"),
        help="hidden units of the mlp, or of another model that has them "
        f"(default: {low} to {high})",
    )
    targets = ", ".join(f"{model.target} for {name}" for name, model in MODELS.items())
    group.add_argument(
        "--target",
        type=_target,
        action="append",
        default=[],
        metavar="[MODEL=]ERROR",
        help=f"validation error to reach, as a fraction (default: {targets}; none with --data)",
    )


def add_param(group: argparse._ActionsContainer, metavar: str, help_text: str) -> None:
    """``--param``."""
    group.add_argument(
        "--param", type=_stated, action="append", default=[], metavar=metavar, help=help_text
    )


def _stated(text: str) -> Stated:
    left, sign, value = text.partition("=")
    model, dot, name = left.rpartition(".")
    is_whole = sign and value and name.isidentifier() and bool(dot) == bool(model)
    if not is_whole or len(text) > _LONGEST:
        raise argparse.ArgumentTypeError(f"{text[:_LONGEST]!r} is not [MODEL.]NAME=VALUE")
    return Stated(f"--param {text}", model, name, value)


def _target(text: str) -> tuple[str, float]:
    model, sign, error = text.rpartition("=")
    if bool(sign) != bool(model):
        raise argparse.ArgumentTypeError(f"{text!r} is not [MODEL=]ERROR")
    return model, cli.fraction(error)


def target_of(args: argparse.Namespace, model: Model, models: Sequence[Model]) -> float | None:
    """The target that the options give a model; one that names the model counts first.

    Without an option it is the model's own, and for ``--data`` there is none.

    Raises:
        StudyError: They name a model that is not searched, or give one target twice.
    """
    given: dict[str, float] = dict(args.target)
    if len(given) < len(args.target):
        raise StudyError("--target: is given twice for one model: give it once")
    for name in given.keys() - {"", *(each.name for each in models)}:
        words = _not_searched(name, [each.name for each in models])
        raise StudyError(f"--target {name}={given[name]:g}: {words}")
    usual = None if args.data else model.target  # stated for images of digits
    return given.get(model.name, given.get("", usual))


def _not_searched(name: str, names: Iterable[str]) -> str:
    known = [*names]
    right = did_you_mean(name, known, f"must be one of {', '.join(known)}")
    return f"model {name!r} is not searched here: {right}"


def space_of(
    stated: Sequence[Stated], model: Model, models: Sequence[Model]
) -> dict[str, BaseDistribution]:
    """The space of a model where these options are given: see :func:`narrowed`."""
    return whole(default_space(model) | narrowed(stated, model, models))


def narrowed(
    stated: Sequence[Stated], model: Model, models: Sequence[Model]
) -> dict[str, BaseDistribution]:
    """The distributions that options state of a model's hyperparameters.

    Args:
        stated: From :func:`stated_by`.
        model: The model.
        models: All that the command is about, this one too.

    Raises:
        StudyError: A model, name, range, value or choice that there is not; the message lists
            what the model has.
    """
    known = {each.name: _known(each) for each in models}
    for each in stated:
        _require_known(each, known)
    own, found = known[model.name], {}
    for name, each in _of_model(stated, model.name, own).items():
        try:
            found[name] = _narrowed(each, own[name])
        except (StudyError, ValueError) as error:
            raise StudyError(f"{each.option}: {error}: {_listed(model.name, own)}") from error
    return found


def _require_known(stated: Stated, known: Mapping[str, Mapping[str, object]]) -> None:
    if stated.model and stated.model not in known:
        raise StudyError(f"{stated.option}: {_not_searched(stated.model, known)}")
    having = [stated.model] if stated.model else list(known)
    if not any(stated.name in known[each] for each in having):
        listed = "; ".join(_listed(each, known[each]) for each in having)
        names = [name for each in having for name in known[each]]
        right = did_you_mean(stated.name, names, listed)
        raise StudyError(f"{stated.option}: no such hyperparameter: {right}")


def _of_model(
    stated: Sequence[Stated], model: str, own: Mapping[str, object]
) -> dict[str, Stated]:
    """What is stated of each of a model's own names; what names the model counts first."""
    given: dict[tuple[str, str], Stated] = {}
    for each in stated:
        if (each.model, each.name) in given:
            raise StudyError(f"{each.option}: {each.name} is given twice: give it once")
        given[each.model, each.name] = each
    return {name: given[of, name] for of in ("", model) for name in own if (of, name) in given}


def _known(model: Model) -> dict[str, BaseDistribution]:
    """All hyperparameters of a model: those that it searches, and the optimiser's."""
    space = default_space(model)
    return space | {n: d for n, d in optimiser_space().items() if n not in space}


def _listed(name: str, known: Mapping[str, Any]) -> str:
    return f"{name} has {', '.join(f'{n}={words(d)}' for n, d in known.items())}"


def stated_by(args: argparse.Namespace) -> list[Stated]:
    """What the options of :func:`add_space` state; the short forms are ranges.

    Raises:
        StudyError: A short form has more than two numbers.
    """
    found: list[Stated] = []
    for name, values in zip(FORMER, (args.learning_rate, args.hidden_units), strict=True):
        if values:
            option = f"--{name.replace('_', '-')} {' '.join(map(str, values))}"
            if len(values) > 2:
                raise StudyError(
                    f"{option}: {len(values)} values: give LOW HIGH, or one to fix it"
                )
            if values[0] > values[-1]:
                right = f"{values[-1]} {values[0]}"
                raise StudyError(f"{option}: the range is reversed: give {right}")
            found.append(Stated(option, "", name, f"{values[0]!r}..{values[-1]!r}"))
    return [*found, *args.param]


def _narrowed(stated: Stated, own: Any) -> BaseDistribution:  # noqa: ANN401 (any distribution)
    """The model's distribution with the values that are stated; ValueError where it can't be."""
    if hasattr(own, "choices"):
        return _chosen(stated.text, own)
    if "," in stated.text:
        raise ValueError(f"{stated.name} is a number, and no choice")
    kind = int if isinstance(own.low, int) else float
    first, is_range, last = stated.text.partition("..")
    low, high = _number(kind, first), _number(kind, last if is_range else first)
    if low > high:
        raise ValueError(f"the range is reversed: give {last}..{first}")
    if own.log and low <= 0:
        raise ValueError(f"{low:g} is not above 0, and the scale is logarithmic")
    if own.step is not None and not all(_is_on_step(end, own) for end in (low, high)):
        raise ValueError(f"is off the steps of {own.step:g} from {own.low:g}")
    found: BaseDistribution = type(own)(low, high, log=own.log, step=own.step)
    if stated.name in OPTIMISER:
        require_optimiser(stated.name, found)
    if not is_range and not contains(own, low):
        raise ValueError(f"is outside of {words(own)}, where a range {first}..{first} may lie")
    return found


def _is_on_step(end: float, own: Any) -> bool:  # noqa: ANN401 (a stepped number)
    steps: float = (end - own.low) / own.step
    return abs(steps - round(steps)) < 1e-8


def _number(kind: type[int] | type[float], text: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        what = "whole number" if kind is int else "number"
        raise ValueError(f"{text!r} is not a {what}") from None
    if not abs(value) < LARGEST:
        raise ValueError(f"{text} is not a finite number below {LARGEST:g}")
    return value


def _chosen(text: str, own: Any) -> BaseDistribution:  # noqa: ANN401 (a choice)
    """One choice, or several parted by commas, as they are written in lower or upper case."""
    from optuna.distributions import CategoricalDistribution

    known = {str(choice).lower(): choice for choice in own.choices}
    parts = [text] if text.lower() in known else text.split(",")
    for part in parts:
        if part.lower() not in known:
            raise ValueError(f"{part!r} is none of the choices {words(own)}")
    return CategoricalDistribution([known[part.lower()] for part in dict.fromkeys(parts)])
