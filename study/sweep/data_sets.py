"""What a sweep compares the models on: pairs of official classes, and a person's own data."""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from study import storage as store
from study.dataset import DATASETS, name_of, own
from study.errors import StudyError
from study.seeds import derive
from study.storage.urls import shown

Pair = tuple[int, int]
ALL: tuple[Pair, ...] = tuple(combinations(range(10), 2))
_OFFICIAL = "|".join((*DATASETS, own.NAME))
_RESERVED = re.compile(rf"(({_OFFICIAL})-)?\d-\d|index\.html|sweep\.csv|report-files\.json")


@dataclass(frozen=True)
class DataSet:
    """Data of two classes: a pair of an official data set's, or a person's file or folder."""

    name: str  # in a message, and of its report's folder: 4-9, wine.csv
    prefix: str  # of its studies' names: mnist-4-9, wine.csv
    pair: Pair | None = None  # of official classes; None: a person's own data
    root: Path | None = field(default=None, compare=False)  # as --data-root or --data, absolute

    @property
    def title(self) -> str:
        """What the page calls it: ``4 against 9``, ``wine.csv``."""
        return self.name if self.pair is None else f"{self.pair[0]} against {self.pair[1]}"

    @property
    def place(self) -> tuple[bool, Pair, str]:
        """Sorts pairs by their classes, and after them a person's data by its name."""
        return self.pair is None, self.pair or (0, 0), self.name

    def study_names(self, models: Sequence[str]) -> tuple[str, ...]:
        """What its studies are called: ``mnist-4-9/linear`` and ``mnist-4-9/mlp``."""
        return tuple(f"{self.prefix}/{model}" for model in models)

    def seed(self, stated: int) -> int:
        """A seed of its own, so that what a seed's luck does to one data set it does to one only.

        Args:
            stated: The sweep's, of ``--seed``.
        """
        key = int.from_bytes(hashlib.sha256(self.prefix.encode()).digest()[:4])
        return derive(stated, "data set", key)

    def seed_there(self, stated: int, storage: str, names: Sequence[str]) -> int:
        """The seed of its studies of these names, all of one seed.

        Earlier versions gave the stated seed to every data set. What they began goes on with it.

        Raises:
            StudyError: The storage is damaged, or not one of this package's.
            ResourceError: It can't be read.
        """
        begun = [name for name in names if store.has_study(storage, name)]
        manifests = [store.manifest(store.load_study(storage, name)) or {} for name in begun]
        is_former = any(manifest.get("seed") == stated for manifest in manifests)
        return stated if is_former else self.seed(stated)


def pairs(text: str) -> tuple[Pair, ...]:
    """An argparse type: ``all``, or one pair such as ``4-9``, the smaller class first."""
    if text == "all":
        return ALL
    first, dash, second = text.partition("-")
    if not dash or not {first, second} <= set("0123456789") or first == second:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'all' nor a pair such as 4-9")
    smaller, larger = sorted((int(first), int(second)))
    return ((smaller, larger),)


def of_pair(dataset: str, pair: Pair, root: Path | None = None) -> DataSet:
    """Two classes of a data set in the official files' format."""
    name = f"{pair[0]}-{pair[1]}"
    return DataSet(name, f"{dataset}-{name}", pair, root)


def of_path(path: Path) -> DataSet:
    """A person's file or folder, called by its name without the folder that it is in."""
    name = name_of(path).rstrip("/")
    return DataSet(name, name, root=path.absolute())


def is_reserved(name: str) -> bool:
    """Whether it is the name of a pair's studies or report, or of a file of the sweep's."""
    return bool(_RESERVED.fullmatch(name))


def require_names(found: Iterable[DataSet], models: Sequence[str]) -> None:
    """Refuse data whose name can't be that of studies and of a folder, or is there twice.

    Raises:
        StudyError: The message names the file or folder.
    """
    seen: dict[str, Path | None] = {}
    for each in found:
        if not each.name:
            raise StudyError(f"--data {each.root}: has no name: name a file, or a folder in it")
        if each.pair is None and is_reserved(each.name):
            raise StudyError(f"--data {each.root}: has the name of a sweep's own: rename it")
        if each.name in seen:
            raise StudyError(
                f"--data {seen[each.name]} {each.root}: have one name, {shown(each.name)}: "
                "rename one"
            )
        seen[each.name] = each.root
        for name in each.study_names(models):
            store.check_name(name, store.MAX_NAME)
