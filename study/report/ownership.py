"""Which files of a folder are a report's, said by a record beside them.

A report replaces and deletes the files of the last one and no others. ``report-files.json``
names them with their SHA-256. It is written before the first file is replaced, with the
digests of both reports, and again after the last: so after a kill at any instant the next report
knows whose each file is, and a folder that mixes two reports says so (``"complete": false``).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import permutations
from pathlib import Path, PurePosixPath
from typing import Any

from study.errors import StudyError
from study.explain import explaining
from study.storage.safe_files import drafts, remove, write_atomically
from study.system import folder_lock
from study.training.registry import FORMER

RECORD, PAGE, SUMMARY, SWEEP = "report-files.json", "index.html", "summary.json", "sweep.csv"
REMEDY = "move it away, name another --out, or replace it with --replace"
FORMATS, USUAL_FORMATS = ("png", "svg", "pdf"), ("png", "svg")  # of figures
FIGURES = (
    *("answer", "averages", "curves", "examples", "expected_trials", "history"),
    *("learning_rate", "misread", "predictions", "replicates", "splits"),
    *("expected_seconds", "outperforming"),  # of earlier versions
)
OF_A_MODEL = ("error", "importance", "loss", "units", "weights")
_TABLES = "classes columns data distribution importance mcnemar pairs scores sure thresholds"
TABLES = *_TABLES.split(), "trials"
LATEX = ("detail", "found", "judged", "own", "paired", "pairs", "power", "simplest", "versions")

_NAME = re.compile(
    r"index\.html|summary\.json|sweep\.csv|figures/[^/]+\.(png|svg|pdf)|tables/[^/]+\.(csv|tex)"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**28  # bytes; no file of a report comes near it
_FOOTER = "<footer><p>Every number on this page was read from the studies’ storage".encode()
_GENERATOR = b'<meta name="generator" content="study">'
_SUMMARISED = {"models", "winner", "data_sha256", "protocol", "test_set_opened"}

Digests = dict[str, set[str]]  # of the files that are a report's, by name


def report_names(
    keys: Iterable[str], parameters: Iterable[str] = FORMER, formats: Iterable[str] = USUAL_FORMATS
) -> list[str]:
    """Every file that a report may have, as a path in its folder.

    Args:
        keys: Of its models.
        parameters: Their hyperparameters; by default those of version 0.1.
        formats: Of the figures.
    """
    names = list(parameters)
    pairs = [f"{x}_{y}" for x, y in permutations(names, 2)]
    figures = [
        *FIGURES,
        *(f"{what}{name}" for what in ("", "error_") for name in names),
        *(f"{key}_{what}" for key in keys for what in (*OF_A_MODEL, *names, *pairs)),
    ]
    return [
        *(PAGE, SUMMARY),
        *(f"figures/{name}.{kind}" for kind in formats for name in figures),
        *(f"tables/{name}.csv" for name in (*figures, *TABLES)),
        *(f"tables/{name}.tex" for name in LATEX),
    ]


def write(out: Path, content: Mapping[str, bytes], *, replace: bool = False) -> None:
    """Replace the last report of a folder by this one, file by file.

    Old files that were changed since they were written stay.

    Args:
        out: The folder, made if it is not there.
        content: The files, by their paths in it, in the order in which they are written.
        replace: Overwrite files of these names that no report wrote, or that were changed.

    Raises:
        StudyError: See :func:`require_own`; nothing is written then.
        ResourceError: The folder can't be written. The next report goes on from there.
    """
    with _hold(out):
        require_own(out, content, replace=replace)
        _replace(out, content)


@contextmanager
def _hold(out: Path) -> Iterator[None]:
    """Keep other reports out of a folder, made if need be, for the length of the block."""
    with explaining(str(out)):
        out.mkdir(parents=True, exist_ok=True)
        with folder_lock(out):
            yield


def require_own(out: Path, names: Iterable[str], *, replace: bool = False) -> None:
    """Refuse a folder where a report would overwrite a file that no report wrote.

    Args:
        out: The report's folder, there or not; nothing in it is changed.
        names: The files to be written, as paths in it.
        replace: Accept a file that no report wrote, or that was changed since.

    Raises:
        StudyError: There is such a file, or a link, folder or pipe in the place of one.
        ResourceError: The folder can't be read.
    """
    with explaining(str(out)):
        if os.path.lexists(out) and not out.is_dir():
            raise StudyError(f"{out}: is not a folder: remove it, or name another --out")
        recorded = _recorded(out, lenient=replace)
        for name in names:
            for folder in _folders(name):
                require_folder(out / folder)
            if not is_file(out / name) or replace or _digest(out, name) in recorded.get(name, ()):
                continue
            changed = "was changed since a report wrote it"
            what = changed if name in recorded else "is there, and no report wrote it"
            raise StudyError(f"{out / name}: {what}: {REMEDY}")


def require_folder(folder: Path) -> None:
    """Refuse a link, or a file, in the place of a folder that is there or to be made.

    Raises:
        StudyError: There is one.
    """
    if folder.is_symlink():
        raise StudyError(f"{folder}: is a symbolic link: remove it, or name another --out")
    if os.path.lexists(folder) and not folder.is_dir():
        raise StudyError(f"{folder}: is not a folder: remove it, or name another --out")


def is_file(path: Path) -> bool:
    """Whether a file is there.

    Raises:
        StudyError: Something else is: a link, folder, pipe or device.
    """
    if not os.path.lexists(path):
        return False
    if path.is_symlink():
        raise StudyError(f"{path}: is a symbolic link: remove it, or write elsewhere")
    if not _is_regular(path):
        raise StudyError(f"{path}: is not a file: remove it, or write elsewhere")
    return True


def _replace(out: Path, content: Mapping[str, bytes]) -> None:
    for folder in ("", "figures", "tables"):
        remove(drafts(out / folder))
    for name in content:
        (out / name).parent.mkdir(exist_ok=True)
    new = {name: hashlib.sha256(whole).hexdigest() for name, whole in content.items()}
    old = _own(out)
    _write_record(out, new, old)
    for name, whole in content.items():
        write_atomically(out / name, whole)
    stale = [name for name in old if name not in new and _digest(out, name) == old[name]]
    remove(out / name for name in stale)
    _write_record(out, new)


def is_complete(out: Path) -> bool:
    """Whether a folder has a page and a summary of one report, by its record, if it has one."""
    try:
        if not (_is_regular(out / PAGE) and _is_regular(out / SUMMARY)):
            return False
        return not os.path.lexists(out / RECORD) or bool(_parsed(out)["complete"])
    except (OSError, ValueError):
        return False


def _own(out: Path) -> dict[str, str]:
    """The last report's files that are there as it wrote them, with their digests."""
    recorded = _recorded(out, lenient=True)
    there = {name: _digest(out, name) for name in recorded}
    return {name: digest for name, digest in there.items() if digest in recorded[name] and digest}


def _recorded(out: Path, *, lenient: bool) -> Digests:
    """The files of the last report with the digests that they may have.

    Args:
        out: The folder.
        lenient: Take a record that is none for no record.

    Raises:
        StudyError: The record is none, or no file.
    """
    if not is_file(out / RECORD):
        return _unrecorded(out)
    try:
        record = _parsed(out)
    except ValueError:
        if lenient:
            return {}
        raise StudyError(f"{out / RECORD}: is not the record of a report: {REMEDY}") from None
    both = (record["files"], record.get("replacing", {}))
    return {name: {each[name] for each in both if name in each} for name in {*both[0], *both[1]}}


def _parsed(out: Path) -> dict[str, Any]:
    """The record; ValueError where it is none. It may be a stranger's, so nothing is assumed."""
    if not _is_regular(out / RECORD) or (out / RECORD).stat().st_size > 2**20:
        raise ValueError
    with _shallow():
        record = json.loads((out / RECORD).read_bytes())
    if not isinstance(record, dict) or record.get("generator") != "study":
        raise ValueError
    for files in (record.get("files"), record.get("replacing", {})):
        if not isinstance(files, dict) or not all(map(_is_entry, files, files.values())):
            raise ValueError
    return {"complete": False} | record


@contextmanager
def _shallow() -> Iterator[None]:
    """Let text that is nested too deeply to be read be as wrong as any other."""
    try:
        yield
    except RecursionError:
        raise ValueError from None


def _is_entry(name: str, digest: object) -> bool:
    return _is_name(name) and isinstance(digest, str) and bool(_SHA256.fullmatch(digest))


def _is_name(name: str) -> bool:
    """Whether a report may have a file of this name; a record or summary may be a stranger's."""
    try:
        return bool(_NAME.fullmatch(name)) and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        return False


def _write_record(out: Path, new: Mapping[str, str], old: Mapping[str, str] | None = None) -> None:
    """Record a report that is there, or is about to replace the files of ``old``."""
    record = {"generator": "study", "complete": old is None, "files": dict(sorted(new.items()))}
    if old is not None:
        record["replacing"] = dict(sorted(old.items()))
    write_atomically(out / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def _unrecorded(out: Path) -> Digests:
    """The files of a report, or of a sweep, from before there was a record.

    Its page is known by the footer that every version wrote, and has a summary or a table of
    ours beside it. Of the files there, those are its own that have a name which it wrote. A page
    that names its generator had a record: where it is gone, nothing says whose the files are.
    """
    page = (out / PAGE).read_bytes() if _digest(out, PAGE) else b""
    if _FOOTER not in page or _GENERATOR in page:
        return {}
    names = [] if (keys := _summarised(out)) is None else report_names(keys, formats=("png",))
    if _digest(out, SWEEP) and (out / SWEEP).read_bytes().startswith(b"first,second,"):
        names += [PAGE, SWEEP]
    known = (name for name in names if _is_name(name) and not name.endswith(".tex"))
    return {name: {digest} for name in known if (digest := _digest(out, name))}


def _summarised(out: Path) -> list[str] | None:
    """The keys of the models of a summary of ours; None where there is none."""
    if not _digest(out, SUMMARY):
        return None
    with suppress(ValueError, TypeError), _shallow():
        summary = json.loads((out / SUMMARY).read_bytes())
        if isinstance(summary, dict) and summary.keys() >= _SUMMARISED:
            return list(summary["models"])
    return None


def _digest(out: Path, name: str) -> str | None:
    """SHA-256 of a file of a folder; None where there is none, or it is too large, or a link."""
    if any((out / folder).is_symlink() for folder in _folders(name)):
        return None
    with suppress(FileNotFoundError, NotADirectoryError):
        if _is_regular(out / name) and (out / name).stat().st_size <= _LARGEST:
            return hashlib.sha256((out / name).read_bytes()).hexdigest()
    return None


def _is_regular(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _folders(name: str) -> list[str]:
    """``figures/a.png`` → ``figures``."""
    return [str(parent) for parent in PurePosixPath(name).parents if parent.name]
