"""Whether two studies can be compared: they searched on the same data and protocol."""

from __future__ import annotations

from collections.abc import Iterator

from study.errors import StudyError
from study.storage.inspection import Manifest
from study.storage.searched import Searched
from study.storage.urls import shown


def require_comparable(first: Searched, second: Searched) -> None:
    """Refuse to compare studies of different data or training.

    Raises:
        StudyError: They are one study, or differ; the message says in what.
    """
    if first.name == second.name:
        raise StudyError(f"study {shown(first.name)}: is named twice: name two studies, or one")
    differences = list(_differences(first.manifest, second.manifest))
    if differences:
        raise StudyError(
            f"studies {shown(first.name)} and {shown(second.name)}: can't be compared, since they"
            f" differ in {', '.join(differences)}: search both on the same data and protocol"
        )


def _differences(a: Manifest, b: Manifest) -> Iterator[str]:
    for key in sorted({*a["protocol"], *b["protocol"]}):
        ours, theirs = a["protocol"].get(key), b["protocol"].get(key)
        if ours != theirs:
            yield f"{key} ({ours} against {theirs})"
    if a["data_sha256"] != b["data_sha256"]:
        ours, theirs = str(a["data_sha256"])[:12], str(b["data_sha256"])[:12]
        yield f"the images' SHA-256 ({ours}… against {theirs}…)"
