"""Read studies with their confirmations, and check that these are up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Parts,
    command_of,
    find_parts,
    read_searched,
    searched_as,
)
from study.errors import NotConfirmedError
from study.storage.comparable import require_comparable
from study.storage.searched import Searched
from study.storage.versions import tell_versions
from study.trials import StoredTrial

Attrs = dict[str, Any]


@dataclass(frozen=True)
class Evidence:
    """A study, its replicates and its splits."""

    search: Searched
    stored_replicates: Searched
    stored_splits: Searched

    @property
    def replicates(self) -> list[Attrs]:
        """The attributes of the replicates, one a finalist and seed, by seed."""
        return [trial.user_attrs for trial in self.stored_replicates.frozen]

    @property
    def splits(self) -> list[Attrs]:
        """The attributes of the splits' winners."""
        return [trial.user_attrs for trial in self.stored_splits.frozen]

    @property
    def folds(self) -> int:
        """Parts that the images were divided into; 0 for random splits."""
        return int(self.stored_splits.manifest.get("folds", 0))

    @property
    def best(self) -> StoredTrial:
        """The study's best trial."""
        assert self.search.best is not None, "the study was read by read_searched"
        return self.search.best

    @property
    def replicates_of_best(self) -> list[Attrs]:
        """Those of the best trial, one a seed."""
        return [row for row in self.replicates if row["finalist"] == self.best.number]


def read_evidence(storage: str, names: Sequence[str]) -> tuple[Evidence, ...]:
    """Read two or more confirmed studies.

    Raises:
        NotConfirmedError: They are not, or not wholly, confirmed as they are now; or with
            different seeds or numbers of trials.
        StudyError: A study is missing or damaged, or they can't be compared.
    """
    return evidence_of(storage, [read_searched(storage, name) for name in names])


def evidence_of(storage: str, searches: Sequence[Searched]) -> tuple[Evidence, ...]:
    """The same of studies that were read already.

    Raises:
        NotConfirmedError: See :func:`read_evidence`.
        StudyError: A part is damaged, or the studies can't be compared.
    """
    names = [search.name for search in searches]
    require_comparable(*searches)
    parts = find_parts(storage, searches)
    replicates, splits = (
        [_read_part(storage, search, part, parts, names) for search in searches]
        for part in (REPLICATES, SPLITS)
    )
    for part in (replicates, splits):
        _require_same_settings(storage, names, part)
    tell_versions(*searches, *replicates, *splits)
    evidence = tuple(Evidence(*found) for found in zip(searches, replicates, splits, strict=True))
    for found in evidence:
        if len(found.replicates_of_best) < 2:
            raise _unconfirmed(
                f"study {found.search.name!r}: trial {found.best.number} is its best but was not "
                "confirmed",
                command_of(storage, names, "--restart"),
            )
    return evidence


def _read_part(
    storage: str, search: Searched, part: str, parts: Parts, names: Sequence[str]
) -> Searched:
    """Read the replicates or splits of a study, if they are of the study as it is now."""
    command = command_of(storage, names)
    name = parts.get((search.name, part))
    if name is None:
        raise _unconfirmed(f"study {search.name + part!r}: is not there", command)
    found, best = Searched.read(storage, name), search.best
    assert best is not None, "the study was read by read_searched"
    if len(found.trials) < 2:
        raise _unconfirmed(f"study {name!r}: has {len(found.trials)} trials", command)
    if found.manifest.get("search") != searched_as(search) or (
        part == REPLICATES and best.weights_sha256 not in found.manifest.get("digests", ())
    ):
        raise _unconfirmed(
            f"study {search.name!r}: was confirmed before it was searched as it is now, where "
            f"trial {best.number} is its best",
            command_of(storage, names, "--restart"),
        )
    return found


def _require_same_settings(storage: str, names: Sequence[str], parts: list[Searched]) -> None:
    """Refuse to pair replicates or splits that were made with different settings."""
    for setting in ("seed", "n_trials", "folds"):
        first, *others = (found.manifest.get(setting) for found in parts)
        for name, other in zip(names[1:], others, strict=True):
            if first != other:
                raise _unconfirmed(
                    f"studies {names[0]!r} and {name!r}: were confirmed with {setting} {first} "
                    f"and {other}",
                    command_of(storage, names, "--restart"),
                )


def _unconfirmed(why: str, command: str) -> NotConfirmedError:
    return NotConfirmedError(f"{why}: run `{command}`", why)
