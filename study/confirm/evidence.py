"""Read two studies with their confirmations, and check that these are up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from study.confirm.plan import (
    REPLICATES,
    SPLITS,
    Parts,
    find_parts,
    read_searched,
    searched_as,
)
from study.errors import NotConfirmedError
from study.storage.comparable import require_comparable
from study.storage.searched import Searched
from study.storage.urls import shell
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
    def best(self) -> StoredTrial:
        """The study's best trial."""
        assert self.search.best is not None, "the study was read by read_searched"
        return self.search.best

    @property
    def replicates_of_best(self) -> list[Attrs]:
        """Those of the best trial, one a seed."""
        return [row for row in self.replicates if row["finalist"] == self.best.number]


def read_evidence(storage: str, names: tuple[str, str]) -> tuple[Evidence, Evidence]:
    """Read two confirmed studies.

    Raises:
        NotConfirmedError: They are not, or not wholly, confirmed as they are now; or with
            different seeds or numbers of trials.
        StudyError: A study is missing or damaged, or the two can't be compared.
    """
    first, second = pair = [read_searched(storage, name) for name in names]
    require_comparable(first, second)
    parts = find_parts(storage, pair)
    command = shell("study.confirm", storage, f"--linear={names[0]}", f"--mlp={names[1]}")
    replicates, splits = (
        [_read_part(storage, search, part, parts, command) for search in pair]
        for part in (REPLICATES, SPLITS)
    )
    for both in (replicates, splits):
        _require_same_settings(names, both, command)
    a, b = (Evidence(*found) for found in zip(pair, replicates, splits, strict=True))
    for found in (a, b):
        if len(found.replicates_of_best) < 2:
            raise _unconfirmed(
                f"study {found.search.name!r}: trial {found.best.number} is its best but was not "
                "confirmed",
                f"{command} --restart",
            )
    return a, b


def _read_part(storage: str, search: Searched, part: str, parts: Parts, command: str) -> Searched:
    """Read the replicates or splits of a study, if they are of the study as it is now."""
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
            f"{command} --restart",
        )
    return found


def _require_same_settings(names: tuple[str, str], both: list[Searched], command: str) -> None:
    """Refuse to pair replicates or splits that were made with different settings."""
    for setting in ("seed", "n_trials"):
        first, second = (found.manifest.get(setting) for found in both)
        if first != second:
            raise _unconfirmed(
                f"studies {names[0]!r} and {names[1]!r}: were confirmed with {setting} {first} "
                f"and {second}",
                f"{command} --restart",
            )


def _unconfirmed(why: str, command: str) -> NotConfirmedError:
    return NotConfirmedError(f"{why}: run `{command}`", why)
