"""Which members of a cohort run the same code, so that one call can answer for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import torch
from torch import nn

arguments: WeakKeyDictionary[nn.Module, tuple[object, ...]] = WeakKeyDictionary()
"""What a model's factory was given for a module: the model's name first."""

_TENSORS = {"_parameters", "_buffers", "_modules"}  # these differ, or are visited on their own


def groups(members: Sequence[nn.Module]) -> list[list[int]]:
    """The places of the members, those of the same code together, by their first places.

    Two modules have the same code if their class and the shapes of their weights are equal, and
    if one factory made them from equal arguments, or all else that their layers hold is equal. A
    hyperparameter such as an activation changes the code and no shape.
    """
    found: list[list[int]] = []
    for place, member in enumerate(members):
        for group in found:
            if _are_alike(members[group[0]], member):
                group.append(place)
                break
        else:
            found.append([place])
    return found


def _are_alike(a: nn.Module, b: nn.Module) -> bool:
    if type(a) is not type(b) or shapes(a) != shapes(b):
        return False
    made = arguments.get(a)
    return (made is not None and made == arguments.get(b)) or _have_equal_layers(a, b)


def _have_equal_layers(a: nn.Module, b: nn.Module) -> bool:
    """Whether all that the layers hold is equal, but for weights and buffers."""
    ours, theirs = dict(a.named_modules()), dict(b.named_modules())
    return ours.keys() == theirs.keys() and all(
        type(layer) is type(theirs[path]) and _hold_equal(vars(layer), vars(theirs[path]))
        for path, layer in ours.items()
    )


def _hold_equal(ours: Mapping[str, object], theirs: Mapping[str, object]) -> bool:
    return ours.keys() == theirs.keys() and all(
        name in _TENSORS or _is_equal(value, theirs[name]) for name, value in ours.items()
    )


def _is_equal(a: object, b: object) -> bool:
    """Equality, False where it can't be said in one word, as of two arrays."""
    try:
        return a is b or (type(a) is type(b) and bool(a == b))
    except Exception:  # whatever a person's own class raises
        return False


def shapes(module: nn.Module) -> tuple[torch.Size, ...]:
    """The shapes of a module's parameters and buffers, in their order."""
    return tuple(tensor.shape for tensor in module.state_dict().values())
