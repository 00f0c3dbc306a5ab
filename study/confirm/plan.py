"""What a confirmation trains: the finalists on fresh seeds, searches with images held out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from study import storage as store
from study.confirm.division import FOLDS, sizes
from study.errors import StudyError
from study.storage.inspection import inspect
from study.storage.manifest import FIRST_NAME
from study.storage.searched import Searched
from study.storage.urls import shell
from study.training.engine import is_here
from study.training.plan import Plan
from study.trials import StoredTrial, rank
from study.trials.selection import recommended
from study.version import versions

PARTS = REPLICATES, SPLITS = "/replicates", "/splits"
"""What follows a study's name in the names of the two studies that confirm it."""

Parts = Mapping[tuple[str, str], str]
"""(study, one of ``PARTS``) → the name of the study that has it."""


def read_searched(storage: str, name: str) -> Searched:
    """Read a study that is to be confirmed, without changing it.

    Raises:
        StudyError: The study is missing, foreign, damaged, or has no finished trial.
    """
    return require_finished(Searched.read(storage, name))


def require_finished(found: Searched) -> Searched:
    """The study, if a trial of it was trained to the end.

    Raises:
        StudyError: None was.
    """
    if found.best is None:
        raise StudyError(f"study {found.name!r}: has no finished trial: search it first")
    return found


def command_of(storage: str, names: Sequence[str], *options: str) -> str:
    """The command that confirms these studies, as typed in a shell."""
    if len(names) == 2:
        chosen = [f"--linear={names[0]}", f"--mlp={names[1]}", *options]
    else:  # a name that begins with - is no option after --
        dashes = ["--"] if any(name.startswith("-") for name in names) else []
        chosen = [*options, *dashes, *names]
    return shell("study.confirm", storage, *chosen)


def seed_key(search: Searched) -> int:
    """Tells studies apart in seeds: two searches of one model draw different weights."""
    return int.from_bytes(hashlib.sha256(search.first_name.encode()).digest()[:4])


def find_parts(storage: str, searches: Sequence[Searched]) -> Parts:
    """The studies that confirm these studies; those that are not there are left out.

    A part is named after its study. Where one of the two was renamed since, the part's
    manifest says which study it confirms.

    Raises:
        StudyError: A study with the name of a part is damaged.
    """
    names = set(store.study_names(storage))
    wanted = [(search, part) for search in searches for part in PARTS]
    found = {
        (search.name, part): search.name + part
        for search, part in wanted
        if search.name + part in names and _is_named_after(storage, search, part)
    }
    if len(found) == len(wanted) or not (found or any(s.name != s.first_name for s in searches)):
        return found
    manifests = store.manifests(storage)
    for search, part in wanted:
        if (search.name, part) not in found and not _is_copied(search, manifests):
            renamed = [name for name, m in manifests.items() if _confirms(m, search, part)]
            if renamed:
                found[search.name, part] = renamed[0]
    return found


def _is_named_after(storage: str, search: Searched, part: str) -> bool:
    """Whether the study with the usual name confirms this study.

    Raises:
        StudyError: It is damaged; its manifest may have lost what it confirms.
    """
    study = store.load_study(storage, search.name + part)
    if _confirms(store.manifest(study), search, part):
        return True
    inspect(study).require_faultless()
    return False


def _confirms(manifest: Mapping[str, Any] | None, search: Searched, part: str) -> bool:
    return bool((manifest or {}).get(f"{part[1:]}_of") == search.first_name)


def _is_copied(search: Searched, manifests: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the storage has two studies with this first name: one is a copy."""
    first_names = [manifest.get(FIRST_NAME) for manifest in manifests.values()]
    return first_names.count(search.first_name) > 1


def require_free(storage: str, searches: Sequence[Searched], parts: Parts) -> None:
    """Refuse to confirm where another program's study has the name of a part.

    Raises:
        StudyError: Names the study.
    """
    names = store.study_names(storage)
    for name in (search.name + part for search in searches for part in PARTS):
        if name in names and name not in parts.values() and not _is_empty(storage, name):
            raise StudyError(
                f"study {name!r}: has the name of a confirmation and is none of this study: "
                "rename it"
            )


def _is_empty(storage: str, name: str) -> bool:
    """Whether a study has nothing in it, as after a kill while it was made."""
    study = store.load_study(storage, name)
    return store.manifest(study) is None and not store.frozen_trials(study)


def require_images(search: Searched, folds: int) -> None:
    """Refuse a study whose training images can't give up a part that is held out.

    Raises:
        StudyError: Less than a batch would be left to train on.
    """
    protocol = search.plan.protocol
    n = protocol.n_train + search.trials[0].n_val
    n_fit, _, n_holdout = sizes(n, protocol.n_train, number=0, folds=folds)
    if n_fit < protocol.batch_size:
        raise StudyError(
            f"study {search.name!r}: n_train {protocol.n_train} leaves too few "
            f"{protocol.items} to train on beside a holdout of {n_holdout}: search with a larger "
            "--n-train"
        )


def finalists(plan: Plan, trials: Sequence[StoredTrial], limit: int) -> list[StoredTrial]:
    """The best trial, the recommended one, then what is level with the best, by rank.

    A trial that diverged after its best step is a finalist only as the best one.

    Args:
        plan: The study's.
        trials: Of the study.
        limit: The most finalists, 1 or more.
    """
    from study.stats import level_with_best

    complete = sorted((trial for trial in trials if trial.state == "COMPLETE"), key=rank)
    level = level_with_best([trial.val_errors for trial in complete], complete[0].n_val)
    ranked = [
        trial
        for trial, is_level in zip(complete, level, strict=True)
        if is_level and trial.outcome == "finished"
    ]
    chosen = {trial.number: trial for trial in (complete[0], recommended(plan, trials), *ranked)}
    return list(chosen.values())[:limit]


def searched_as(search: Searched) -> dict[str, Any]:
    """What a confirmation's manifest keeps of a study's own: all but the versions."""
    return {name: value for name, value in search.manifest.items() if name != "versions"}


def manifest_of_part(
    search: Searched, part: str, seed: int, engine: str, **settings: object
) -> dict[str, Any]:
    """What defines the replicates or splits of a study, stored with them.

    An engine is a part of it where it is not the study's own.
    """
    return {
        f"{part[1:]}_of": search.first_name,
        "search": searched_as(search),
        **settings,
        **({} if engine == search.plan.engine else {"engine": engine}),
        "seed": seed,
        "versions": versions(),
    }


def folds_of(storage: str, searches: Sequence[Searched], parts: Parts) -> int:
    """How many parts the images are divided into: as a confirmation that is there divided them.

    Args:
        storage: A path or a URL.
        searches: The studies.
        parts: Those that are there.

    Returns:
        0 for random splits, which confirmations of version 0.1 have.
    """
    there = [parts[s.name, SPLITS] for s in searches if (s.name, SPLITS) in parts]
    begun = [manifest_of(storage, name) for name in there]
    return next((found.get("folds", 0) for found in begun if found is not None), FOLDS)


def manifest_of(storage: str, name: str) -> dict[str, Any] | None:
    """The manifest of a study; None where it is not there, or was not begun."""
    if not store.has_study(storage, name):
        return None
    return store.manifest(store.load_study(storage, name))


def engine_of_part(storage: str, search: Searched, name: str) -> str:
    """What trains a part: what began it, else the study's engine, or torch where that is missing.

    Args:
        storage: A path or a URL.
        search: The study.
        name: Of the part, which need not be there.
    """
    own, begun = search.plan.engine, manifest_of(storage, name)
    if begun is not None:
        return str(begun.get("engine", own))
    return own if is_here(own) else "torch"
