"""What else a cell could hold."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

Others = Iterator[tuple[str, Any]]  # how it is changed, and to what
Path = tuple[str | int, ...]  # of a leaf in JSON


def others(type_: str, value: Any, dice: random.Random) -> Others:
    """Other values for a cell that is no id."""
    yield "NULL", None
    yield "empty", ""
    by_type = {"INTEGER": _integers, "FLOAT": _floats, "DATETIME": _dates}
    if type_ == "TEXT":
        yield from _json(value, dice)
    else:
        yield from by_type.get(type_, _words)(value)


def _integers(value: int) -> Others:
    yield "plus 1", value + 1
    yield "negative", -1 - value
    yield "text", "one"
    yield "a fraction", value + 0.5
    yield "huge", 2**62


def _floats(value: float) -> Others:
    yield "a little more", value * (1 + 1e-9)
    yield "negative", -value
    yield "infinite", float("inf")
    yield "0", 0.0
    yield "text", "best"
    yield "as bytes", repr(value).encode()


def _dates(value: str) -> Others:
    for how, by in {"a second": 1, "a microsecond": 1e-6, "an hour": 3600, "a day": 86400}.items():
        later = datetime.fromisoformat(value) + timedelta(seconds=by)
        yield f"{how} later", later.isoformat(" ", "microseconds")
    yield "with a zone", f"{value}+02:00"
    yield "with a T", value.replace(" ", "T")
    yield "text", "then"
    yield "a number", 7


def _words(value: str) -> Others:
    yield "misspelt", ("x" if value[0] != "x" else "y") + value[1:]
    yield "with a space", f"{value} "
    yield "in another case", value.swapcase()
    yield "shorter", value[:-1]
    yield "a number", 7
    yield "as bytes", value.encode()


def _json(text: str, dice: random.Random) -> Others:
    value = json.loads(text)
    yield "JSON null", "null" if value is not None else "0"
    yield "not JSON", text[:-1] + "{"
    yield "of another kind", "{}" if value == [] else "[]"
    path = dice.choice(list(leaves(value)))
    how, leaf = other_leaf(at(value, path), dice)
    yield f"a leaf {how}", json.dumps(changed(value, path, leaf))
    yield "with a space", f" {text}"
    yield "as text", json.dumps(text)
    yield "as bytes", text.encode()
    if isinstance(value, dict):
        yield from _keys(value, dice)


def _keys(value: dict[str, Any], dice: random.Random) -> Others:
    key = dice.choice(list(value))
    yield "a key misspelt", json.dumps({f"{k}x" if k == key else k: value[k] for k in value})
    yield "a key missing", json.dumps({k: value[k] for k in value if k != key})
    yield "a key more", json.dumps(value | {"also": 1})
    yield "a key twice", json.dumps(value)[:-1] + f', "{key}": 1}}'
    yield "in another order", json.dumps(dict(reversed(value.items())))


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every leaf."""
    if isinstance(value, dict | list) and value:
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))
    else:
        yield path


def at(value: Any, path: Path) -> Any:
    """The leaf at a path."""
    for key in path:
        value = value[key]
    return value


def changed(value: Any, path: Path, leaf: Any) -> Any:
    """The same value with another leaf."""
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], leaf)
    return copy


def other_leaf(leaf: Any, dice: random.Random) -> tuple[str, Any]:
    """How a leaf is changed, and to what."""
    if isinstance(leaf, int | float) and not isinstance(leaf, bool):
        number = {"plus 1": leaf + 1, "negative": -1 - leaf, "NaN": float("nan"), "null": None}
        number["a little more"] = leaf * (1 + 1e-9)
        number |= {"as text": str(leaf), "as a float": float(leaf)}
        return dice.choice(list(number.items()))
    if isinstance(leaf, str) and leaf:
        k = dice.randrange(len(leaf))
        other = leaf[:k] + ("A" if leaf[k] != "A" else "B") + leaf[k + 1 :]
        return dice.choice([("misspelt", other), ("empty", ""), ("null", None)])
    return dice.choice([("a number", 7), ("text", "x"), ("a list", [1])])
