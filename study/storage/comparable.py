"""Whether studies can be compared: they searched on the same data and protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from study.errors import StudyError
from study.storage.inspection import Manifest
from study.storage.searched import Searched
from study.storage.urls import shown
from study.training.protocol import Protocol


def require_comparable(*searches: Searched) -> None:
    """Refuse to compare studies of different data or training.

    Raises:
        StudyError: They are fewer than two, one is named twice, or one differs from the first;
            the message says in what.
    """
    names = [search.name for search in searches]
    if len(names) < 2:
        alone = f"study {shown(names[0])}" if names else "no study"
        raise StudyError(f"{alone}: too few to compare: name two or more")
    first, *others = searches
    for name in names:
        if names.count(name) > 1:
            raise StudyError(f"study {shown(name)}: is named twice: name two studies, or one")
    for other in others:
        differences = list(_differences(first.manifest, other.manifest))
        if differences:
            raise StudyError(
                f"studies {shown(first.name)} and {shown(other.name)}: can't be compared, since "
                f"they differ in {', '.join(differences)}: search both on the same data and "
                "protocol"
            )


def _differences(a: Manifest, b: Manifest) -> Iterator[str]:
    default = asdict(Protocol())  # a setting that a manifest leaves out has its default
    for key in sorted({*a["protocol"], *b["protocol"]}):
        ours, theirs = (found["protocol"].get(key, default.get(key)) for found in (a, b))
        if ours != theirs:
            yield f"{key} ({ours} against {theirs})"
    if a["data_sha256"] != b["data_sha256"]:
        ours, theirs = str(a["data_sha256"])[:12], str(b["data_sha256"])[:12]
        kind = a["protocol"].get("normalisation", default["normalisation"])
        items = Protocol(normalisation=kind).items
        yield f"the {items}' SHA-256 ({ours}… against {theirs}…)"
