"""Check the functions' arguments, and turn them into what the options of a command give.

A message names the argument as it was written, what is wrong, and what would be right. NumPy's
numbers are taken as Python's are.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from study import system
from study.errors import StudyError
from study.margin import Margin
from study.report.ownership import FORMATS
from study.search.parameters import Stated
from study.text import did_you_mean, one_line
from study.training.registry import (
    MODELS,
    Model,
    default_space,
    load_model_file,
    model_named,
    register,
)
from study.training.space import optimiser_space
from study.workers import Workers

StoragePath = str | os.PathLike[str]
STORAGE = "study.db"
_LONGEST = 60  # letters of a value in a message


def said(name: str, value: object) -> str:
    """An argument as it was written: ``n_trials='many'``."""
    text = repr(value)
    return one_line(f"{name}={text if len(text) <= _LONGEST else f'{text[: _LONGEST - 1]}…'}")


def whole_number(name: str, value: object, least: int = 1) -> int:
    """A whole number, NumPy's too.

    Raises:
        StudyError: It is none, or below ``least``.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise StudyError(f"{said(name, value)}: must be a whole number, {least} or more")
    return int(value)


def number(name: str, value: object, low: float = 0.0, high: float = math.inf) -> float:
    """A finite number above ``low``, and at most ``high``.

    Raises:
        StudyError: It is none.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not low < float(value) <= high or math.isinf(float(value)):  # type: ignore[arg-type]
        ends = f"above {low:g}" + ("" if math.isinf(high) else f" and at most {high:g}")
        raise StudyError(f"{said(name, value)}: must be a number {ends}")
    return float(value)  # type: ignore[arg-type]


def switch(name: str, value: object) -> bool:
    """True or False, NumPy's too.

    Raises:
        StudyError: It is neither.
    """
    if not isinstance(value, bool | np.bool_):
        raise StudyError(f"{said(name, value)}: must be True or False")
    return bool(value)


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """One of some words.

    Raises:
        StudyError: It is none of them; the message names the nearest.
    """
    words = [*known]
    if not isinstance(value, str) or value not in words:
        listed = f"is not one of {', '.join(words)}"
        near = did_you_mean(str(value), words, "name one of them")
        raise StudyError(f"{said(name, value)}: {listed}: {near}")
    return value


def path(name: str, value: object, right: str) -> Path:
    """A path, which need not be there.

    Raises:
        StudyError: It is neither text nor a path; ``right`` says what it would be.
    """
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise StudyError(f"{said(name, value)}: must be {right}")
    return Path(value)


def storage_of(value: object) -> str:
    """A storage's path or URL, as text.

    Raises:
        StudyError: It is neither.
    """
    if isinstance(value, str):
        return value
    return str(path("storage", value, "a path or a URL, such as 'study.db'"))


def names_of(value: object) -> tuple[str, ...]:
    """The names of studies; none where ``value`` is None.

    Raises:
        StudyError: They are not a list of texts.
    """
    return () if value is None else _texts("names", value, ["linear", "mlp"])


def formats_of(value: object) -> tuple[str, ...]:
    """The kinds of a figure's files, each once.

    Raises:
        StudyError: They are not a list of such kinds.
    """
    found = _texts("formats", value, ["svg", "pdf"])
    if not found:
        raise StudyError(f"{said('formats', value)}: is empty: name one or more")
    return tuple(dict.fromkeys(one_of("formats", each, FORMATS) for each in found))


def _texts(name: str, value: object, right: list[str]) -> tuple[str, ...]:
    found = tuple(value) if isinstance(value, list | tuple) else (None,)
    if not all(isinstance(each, str) for each in found):
        raise StudyError(f"{said(name, value)}: must be a list such as {right}")
    return found


def margin_of(value: object) -> Margin:
    """A margin, or its text.

    Raises:
        StudyError: It is neither.
    """
    if isinstance(value, Margin):
        return value
    from argparse import ArgumentTypeError

    from study.confirm.options import margin

    try:
        return margin(value)  # type: ignore[arg-type]
    except (ArgumentTypeError, AttributeError, TypeError):
        right = "must be percentage points such as '0.25pp', or a share such as '20%'"
        raise StudyError(f"{said('margin', value)}: {right}") from None


def model_of(value: object, model_file: StoragePath | None) -> Model:
    """The model of this name, or this model, which is registered; the file is run first.

    Raises:
        StudyError: There is none of the name, or it is neither; see also
            :func:`study.register` and the option ``--model-file``.
    """
    run_file(model_file)
    if isinstance(value, Model):
        register(value)
        return value
    if not isinstance(value, str):
        right = f"must be a name such as {' or '.join(map(repr, MODELS))}, or a study.Model"
        raise StudyError(f"{said('model', value)}: {right}")
    if value not in MODELS:
        listed = f"is not one of {', '.join(MODELS)}"
        near = did_you_mean(value, MODELS, "register it with study.register, or pass model_file")
        raise StudyError(f"{said('model', value)}: {listed}: {near}")
    return model_named(value)


def run_file(model_file: StoragePath | None) -> None:
    """Run a file that registers models, if one is named.

    Raises:
        StudyError: It is missing, fails, or registers no model.
    """
    if model_file is not None:
        load_model_file(path("model_file", model_file, "a Python file such as 'my_model.py'"))


def stated_of(
    hyperparameters: Mapping[str, object], model: Model, function: Callable[..., object]
) -> list[Stated]:
    """The hyperparameters that the further keywords of a function state, as ``--param`` would.

    A number or a word fixes one, a tuple ``(low, high)`` is a range and a list is choices.

    Raises:
        StudyError: The model has none of that name; the message names the nearest keyword.
    """
    known = [*dict.fromkeys([*default_space(model), *optimiser_space()])]
    options = [*signature(function).parameters][1:-1]
    for name, value in hyperparameters.items():
        if name not in known:
            near = did_you_mean(name, [*known, *options], f"{model.name} has {', '.join(known)}")
            what = f"is neither an option nor a hyperparameter of {model.name}"
            raise StudyError(f"{said(name, value)}: {what}: {near}")
    return [Stated(said(n, v), "", n, _text(n, v)) for n, v in hyperparameters.items()]


def _text(name: str, value: object) -> str:
    """A value, range or choices as ``--param`` takes them."""
    if isinstance(value, tuple) and len(value) == 2:
        return "..".join(map(str, value))
    if isinstance(value, list) and value:
        return ",".join(map(str, value))
    if isinstance(value, str | int | float | np.generic | None):
        return str(value)
    raise StudyError(
        f"{said(name, value)}: must be a value, a range (low, high), or a list of choices"
    )


def workers_of(jobs: object, model_file: StoragePath | None) -> Workers:
    """So many workers, by default one on each core; they run the file too.

    Raises:
        StudyError: It is no number.
    """
    count = system.available_cores() if jobs is None else whole_number("jobs", jobs)
    return Workers(count, model_files=() if model_file is None else (Path(model_file).absolute(),))


def text(name: str, value: object) -> str:
    """A text that is not empty.

    Raises:
        StudyError: It is none.
    """
    if not isinstance(value, str) or not value:
        raise StudyError(f"{said(name, value)}: must be a text")
    return value
