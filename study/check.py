"""Read a storage and say what is wrong with it; nothing is changed.

``python -m study.check --storage study.db``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from study import cli, options
from study import storage as store
from study.errors import BusyError, ResourceError, StudyError
from study.explain import explaining
from study.storage.inspection import Inspection, Manifest, inspect
from study.storage.manifest import first_name
from study.storage.safe_files import kind, left_files, require_folder
from study.storage.urls import label, shown, sqlite_path
from study.storage.versions import other_versions
from study.storage.weights import weights_of
from study.text import say


@dataclass(frozen=True)
class Finding:
    """Something found in a storage or in one of its studies."""

    where: str
    what: str
    wrong: bool = True  # otherwise it is harmless


@dataclass(frozen=True)
class Checked:
    """What a storage holds, and all that was found."""

    trials: dict[str, int]  # how many each study has
    findings: list[Finding]

    @property
    def wrong(self) -> list[Finding]:
        """The findings that a person has to act on."""
        return [finding for finding in self.findings if finding.wrong]


def check(storage: str) -> Checked:
    """Verify file, manifests, trials, and the weights beside the database.

    Raises:
        StudyError: The storage is missing, foreign, of another version, or too damaged to open.
        ResourceError: It can't be read.
    """
    names, found = store.study_names(storage), list(_file(storage))
    counts: dict[str, int] = {}
    manifests: dict[str, Manifest] = {}
    for name in names:
        try:
            look = inspect(store.load_study(storage, name))
            counts[name] = len(look.frozen) + look.others.total()
            found += [Finding(name, words) for words in look.faults]
            found += [Finding(name, words, wrong=False) for words in _notes(look)]
            if not look.faults and look.manifest is not None:
                manifests[name] = look.manifest
                found += _beside(storage, name, look)
        except StudyError as error:
            found.append(Finding(name, str(error).removeprefix(f"study {name!r}: ")))
    found += [*_orphans(manifests, names), *_unknown_folders(storage, manifests, names)]
    return Checked(counts, found)


def _file(storage: str) -> Iterator[Finding]:
    """What SQLite itself finds."""
    from study.storage.sqlite import connect_readonly

    path = sqlite_path(store.resolve(storage))
    if path is None:
        return
    try:
        with explaining(str(path)), closing(connect_readonly(path)) as connection:
            answers = connection.execute("PRAGMA integrity_check(5)").fetchall()
    except (ResourceError, BusyError):
        raise
    except StudyError as error:  # some damage ends SQLite's own check, and not the reading
        yield Finding(str(path), str(error).removeprefix(f"{path}: "))
        return
    yield from (Finding(str(path), f"is damaged: {a}") for (a,) in answers if a != "ok")


def _notes(look: Inspection) -> Iterator[str]:
    """What a person should know of a study, and is no fault."""
    yield from look.notes
    if look.manifest is None and not look.faults:
        yield "was not searched by this package"
    elif look.others:
        listed = ", ".join(f"{count} {state}" for state, count in sorted(look.others.items()))
        yield f"has unfinished trials ({listed}): searches and reports pass over them"
    if not look.faults:
        yield from other_versions(look)


def _beside(storage: str, name: str, look: Inspection) -> Iterator[Finding]:
    """The study's companion folder: its best trials' weights, its lock, and leftovers."""
    from study.search.checkpoints import kept_of

    folder = store.files(storage, name)
    require_folder(folder)
    kept = kept_of(look.trials) if "model" in (look.manifest or {}) else {}
    for trial in kept.values():
        try:
            weights_of(storage, name, trial)
        except StudyError as error:
            yield Finding(name, str(error))
    for path, number in left_files(folder):
        if number not in kept:
            yield Finding(name, f"{path} is left over: the next search removes it", wrong=False)
    if holder := store.holder(folder):
        yield Finding(name, holder, wrong=False)


def _orphans(manifests: Mapping[str, Manifest], names: Sequence[str]) -> Iterator[Finding]:
    """Confirmations whose study is not in the storage, under its present or its first name."""
    known = {*names, *(first_name(manifest, name) for name, manifest in manifests.items())}
    for name, manifest in manifests.items():
        of = manifest.get("replicates_of", manifest.get("splits_of"))
        if of is not None and of not in known:
            words = f"confirms study {shown(str(of))}, which is not there"
            yield Finding(name, words, wrong=False)


def _unknown_folders(
    storage: str, manifests: Mapping[str, Manifest], names: Sequence[str]
) -> Iterator[Finding]:
    """Companion folders that belong to no study of the storage."""
    known = {store.files(storage, name) for name in names}
    former = {store.files(storage, first_name(m, name)): name for name, m in manifests.items()}
    beside = store.files(storage, "any").parent
    found = kind(beside)
    if found not in ("a folder", None):
        yield Finding(label(storage), f"{beside} is {found}, and has to be a folder: remove it")
        return
    for folder in sorted(beside.iterdir()) if found else ():
        if folder not in known and kind(folder) == "a folder":
            words = f"{folder} belongs to no study there"
            if folder in former:
                new = store.files(storage, former[folder])
                words += f": its study was renamed, rename the folder to {new}"
            yield Finding(label(storage), words, wrong=False)


def lines(checked: Checked) -> Iterator[str]:
    """A line a study, and below it what was found."""
    for name, count in checked.trials.items():
        wrong = sum(finding.where == name for finding in checked.wrong)
        yield f"{name}: {count} trials, {f'{wrong} things wrong' if wrong else 'as recorded'}"
    for finding in checked.findings:
        yield f"  {'wrong' if finding.wrong else 'note'}: {finding.where}: {finding.what}"


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser(
        "study.check",
        "Verify a storage: file, manifests, every trial's digest, order, and the weights beside.",
    )
    options.add_common(found)
    return found


def command(args: argparse.Namespace) -> int:
    """Check the storage that the options name."""
    options.load_model_files(args)
    checked = check(args.storage)
    say(*lines(checked))
    if checked.wrong:
        raise StudyError(
            f"{label(args.storage)}: {len(checked.wrong)} things are wrong: restore it from a "
            "copy, or search again in a new file"
        )
    return 0


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
