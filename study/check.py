"""Read a storage and say what is wrong with it; nothing is changed.

``python -m study.check --storage study.db``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from study import cli
from study import storage as store
from study.errors import StudyError
from study.integrity import FINISHED, faults
from study.storage.companions import kind, left_files, require_folder
from study.storage.urls import label, sqlite_path
from study.text import say
from study.trials import StoredTrial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial


@dataclass(frozen=True)
class Finding:
    """Something to say of a storage or one of its studies."""

    where: str
    what: str
    wrong: bool = True  # or else harmless: the next search tidies it up


@dataclass(frozen=True)
class Checked:
    """What a storage holds, and all that was found."""

    trials: dict[str, int]  # how many each study has
    findings: list[Finding]

    @property
    def wrong(self) -> list[Finding]:
        """What needs a person."""
        return [finding for finding in self.findings if finding.wrong]


def check(storage: str) -> Checked:
    """Verify file, manifests, trials, and the weights beside the database.

    Raises:
        StudyError: The storage is missing, foreign, of another version, or too damaged to open.
        ResourceError: It can't be read.
    """
    names = store.study_names(storage)
    found, counts = list(_file(storage)), {}
    for name in names:
        try:
            study = store.load_study(storage, name)
            manifest, seal = store.manifest(study), store.stored_seal(study)
            trials = store.frozen_trials(study)
            counts[name] = len(trials)
            if manifest is None:
                found.append(Finding(name, "was not searched by this package", wrong=False))
                continue
            wrong = [*_order(trials), *faults(study, trials, seal)]
            found += [Finding(name, words) for words in wrong]
            if not wrong:
                found += _beside(storage, name, trials, searched="model" in manifest)
        except StudyError as error:
            found.append(Finding(name, str(error).removeprefix(f"study {name!r}: ")))
    return Checked(counts, found + list(_strangers(storage, names)))


def _file(storage: str) -> Iterator[Finding]:
    """What SQLite itself finds."""
    path = sqlite_path(store.resolve(storage))
    if path is not None:
        from study.storage.sqlite import connect_readonly

        with closing(connect_readonly(path)) as connection:
            for (answer,) in connection.execute("PRAGMA integrity_check(5)"):
                if answer != "ok":
                    yield Finding(str(path), f"is damaged: {answer}")


def _order(trials: Sequence[FrozenTrial]) -> Iterator[str]:
    """Trials that are missing, doubled or unfinished."""
    if [trial.number for trial in trials] != list(range(len(trials))):
        yield f"its {len(trials)} trials are not numbered from 0 to {len(trials) - 1}"
    for trial in trials:
        if trial.state.name not in FINISHED:
            yield f"trial {trial.number} is {trial.state.name}: it is not one of a search"


def _beside(
    storage: str, name: str, trials: Sequence[FrozenTrial], *, searched: bool
) -> Iterator[Finding]:
    """The study's companion folder: its best trials' weights, its lock, and leftovers."""
    from study.search.kept import kept_of, weights_path

    folder, expected = store.files(storage, name), set()
    require_folder(folder)
    whole = [StoredTrial.of(trial) for trial in trials if trial.state.name in FINISHED]
    for number, trial in (kept_of(whole) if searched else {}).items():
        path = weights_path(storage, name, number)
        expected.add(path)
        words = _weights(path, trial)
        if words:
            yield Finding(name, words)
    for path, _ in left_files(folder):
        if path not in expected:
            yield Finding(name, f"{path} is left over: the next search removes it", wrong=False)
    holder = store.holder(folder / "lock")
    if holder:
        yield Finding(name, holder, wrong=False)


def _weights(path: Path, trial: StoredTrial) -> str | None:
    from study.trials import weights_digest

    try:
        tensors, _ = store.load_weights(path)
    except StudyError as error:
        return str(error)
    if weights_digest(tensors) != trial.weights_sha256:
        return f"{path}: holds the weights of another trial"
    return None


def _strangers(storage: str, names: Sequence[str]) -> Iterator[Finding]:
    """Companion folders of studies that are not there."""
    known = {store.files(storage, name) for name in names}
    beside = store.files(storage, "any").parent
    found = kind(beside)
    if found not in ("a folder", None):
        yield Finding(label(storage), f"{beside} is {found}, and has to be a folder: remove it")
        return
    for folder in sorted(beside.iterdir()) if found else ():
        if folder not in known and kind(folder) == "a folder":
            yield Finding(label(storage), f"{folder} belongs to no study there", wrong=False)


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
    cli.add_common(found)
    return found


def command(args: argparse.Namespace) -> int:
    """Check the storage that the options name."""
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
