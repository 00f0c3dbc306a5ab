"""Which versions of Python and the libraries trained a study's trials, and which are here.

A study's manifest and machine say with which versions it was begun. Other versions may train
trials with other last bits. So they go on with a study only where a person says so, and each trial
that they train says which they were.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from study import formats
from study.errors import StudyError
from study.storage.attributes import named
from study.version import LIBRARIES, versions

if TYPE_CHECKING:
    from optuna import Study

    from study.storage.inspection import Inspection

Versions: TypeAlias = Mapping[str, str]
"""A library, or Python → its version."""

TRAINED_WITH = "trained_with"
"""A trial's system attribute: the versions that trained it, if its study was begun with others."""

PYTHON = "Python"
SAME_BITS = ("0.1.0", "1.0.0")  # of this package: what they train is the same, bit for bit

log = logging.getLogger("study.versions")


def versions_here() -> dict[str, str]:
    """The versions that train here."""
    return versions() | {PYTHON: platform.python_version()}


def begun_with(manifest: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, str]:
    """The versions that a study was begun with, as far as they were recorded."""
    found = {**_object(manifest.get("versions")), PYTHON: machine.get("python")}
    names = {*LIBRARIES, PYTHON} - {manifest.get("model")}  # a person's model has its digest there
    return {name: str(number) for name, number in found.items() if name in names and number}


def _object(stored: object) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}


def differing(*several: Versions) -> list[str]:
    """The names whose versions are not all the same; what was not recorded is no difference.

    Of Python the patch release does not count, nor does this package's version where the bits
    are known to be the same.
    """
    names = dict.fromkeys(name for found in several for name in found)
    return [n for n in names if len({_compared(n, f[n]) for f in several if n in f}) > 1]


def _compared(name: str, number: str) -> str:
    if name == PYTHON:
        return ".".join(number.split(".")[:2])
    return SAME_BITS[0] if name == "study" and number in SAME_BITS else number


def runs(found: Inspection) -> list[tuple[list[int], dict[str, str]]]:
    """The numbers of the trials that the same versions trained, with these."""
    begun = begun_with(found.manifest or {}, found.machine)
    several: dict[frozenset[tuple[str, str]], tuple[list[int], dict[str, str]]] = {}
    for trial in found.frozen:
        stored = _object(trial.system_attrs.get(TRAINED_WITH))
        own = {name: str(number) for name, number in stored.items()} or begun
        same = frozenset((name, _compared(name, number)) for name, number in own.items())
        several.setdefault(same, ([], own))[0].append(trial.number)
    return [*several.values()]


def trials(numbers: Sequence[int]) -> str:
    """``trial 3``, ``trials 0–31 and 64``."""
    starts = [k for k, n in enumerate(numbers) if not k or n != numbers[k - 1] + 1]
    parts = [numbers[a:b] for a, b in zip(starts, [*starts[1:], len(numbers)], strict=True)]
    ranges = [f"{p[0]}" if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts]
    return f"trial{'s' * (len(numbers) > 1)} {formats.listed(ranges)}"


def listed(found: Versions, names: Sequence[str]) -> str:
    """``numpy 2.4.6 and torch 2.13.0``."""
    return formats.listed([f"{name} {found[name]}" for name in names if name in found])


def other_versions(found: Inspection) -> Iterator[str]:
    """That versions other than those here trained a study's trials, in one line, if it is so."""
    here, several = versions_here(), runs(found)
    names = [n for n in here if any(n in differing(own, here) for _, own in several)]
    if names:
        trained = [
            f"{trials(numbers)} {'were' if len(numbers) > 1 else 'was'} trained with "
            f"{listed(own, names)}"
            for numbers, own in several
        ]
        yield (
            f"{formats.listed(trained)}; this is {listed(here, names)}: what is stored stays as "
            "it is"
        )


def tell_versions(*studies: Inspection) -> None:
    """Log a line for each study that other versions trained."""
    for found in studies:
        for words in other_versions(found):
            log.warning("%s: %s", named(found.study), words)


def other_than_begun(manifest: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    """The versions that a study was begun with, and those here, where they differ."""
    begun, here = begun_with(manifest, machine), versions_here()
    names = differing(begun, here)
    return f"{listed(begun, names)}, and this is {listed(here, names)}" if names else ""


def refused(study: Study, begun: str) -> StudyError:
    """The refusal to train trials of a study with other versions than it was begun with."""
    return StudyError(
        f"{named(study)}: was begun with {begun}: install what it was begun with, or pass "
        "--other-versions (in Python other_versions=True), which goes on with what is here and "
        "says so in each new trial"
    )
