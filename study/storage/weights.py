"""A model's weights in a safetensors file, with a digest that a flipped bit breaks."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.explain import explaining
from study.storage import safe_files
from study.storage.urls import files

if TYPE_CHECKING:
    import numpy as np

    from study.trials import StoredTrial

    Tensors = dict[str, np.ndarray[Any, np.dtype[Any]]]

_LONGEST = 1 << 30  # bytes of a file that is read
_LONGEST_HEADER = 1 << 20  # of its names, shapes and metadata
_DIGEST = "sha256"  # the header's own field, beside the caller's metadata
MAKE_AGAIN = (
    "run the same search again, which trains it again; if the database or the study was renamed, "
    "rename its folder beside the database in the same way"
)


def save_weights(path: Path, tensors: "Tensors", metadata: dict[str, str]) -> None:
    """Write ``tensors`` and ``metadata``; a crash leaves the old file or the new one.

    The folder is made if it is missing.

    Raises:
        ValueError: ``metadata`` has a field ``sha256``, which is computed here.
        StudyError: A link, a folder or the like is in its place, or it would be too large.
        ResourceError: The disk is full or the folder read-only; an old file is as before.
    """
    import numpy as np
    from safetensors.numpy import save

    if _DIGEST in metadata:
        raise ValueError(f"metadata can't have a field {_DIGEST!r}: it is computed")
    whole = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    content = _ordered(save(whole, {**metadata, _DIGEST: _digest(whole, metadata)}))
    if len(content) > _LONGEST:
        raise StudyError(f"{path}: weights of {len(content):,} bytes: at most {_LONGEST:,}")
    with explaining(str(path)):
        safe_files.make_folder(path.parent)
        safe_files.require_file(path)
        safe_files.write_atomically(path, content)


def load_weights(path: Path) -> "tuple[Tensors, dict[str, str]]":
    """The tensors and the metadata that :func:`save_weights` was given.

    Raises:
        StudyError: The file is missing, damaged, or was not written here.
        ResourceError: It can't be read.
    """
    safe_files.require_folder(path.parent)
    if (found := safe_files.kind(path)) != "a file":
        remedy = f", but {found}: remove it" if found else f": {MAKE_AGAIN}"
        raise StudyError(f"{path}: there are no weights there{remedy}")
    with explaining(str(path)):
        tensors, metadata = _read(safe_files.read(path, _LONGEST), path)
    if metadata.pop(_DIGEST, None) != _digest(tensors, metadata):
        raise StudyError(_damaged(path))
    return tensors, metadata


def weights_path(storage: str, study_name: str, number: int) -> Path:
    """Where a trial's best weights lie, if it is among the study's best."""
    return files(storage, study_name) / f"trial-{number:05d}.safetensors"


def weights_of(storage: str, study_name: str, trial: "StoredTrial") -> "Tensors":
    """The weights at a trial's best step, which a search keeps of its best trials.

    Raises:
        StudyError: They are missing, damaged, or another trial's.
        ResourceError: They can't be read.
    """
    from study.trials import weights_digest

    path = weights_path(storage, study_name, trial.number)
    tensors, _ = load_weights(path)
    if weights_digest(tensors) != trial.weights_sha256:
        raise StudyError(f"{path}: holds the weights of another trial: {MAKE_AGAIN}")
    return tensors


def _read(content: bytes, path: Path) -> "tuple[Tensors, dict[str, str]]":
    from safetensors import SafetensorError
    from safetensors.numpy import load

    end = 8 + int.from_bytes(content[:8], "little")
    if end > min(len(content), _LONGEST_HEADER):
        raise StudyError(_damaged(path))
    try:
        return load(content), dict(json.loads(content[8:end]).get("__metadata__", {}))
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise StudyError(_damaged(path)) from error


def _ordered(content: bytes) -> bytes:
    """The same file with its metadata sorted: safetensors writes them in any order."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return content[:8] + text.ljust(start - 8) + content[start:]


def _digest(tensors: "Tensors", metadata: dict[str, str]) -> str:
    """SHA-256 over the metadata and every tensor's name, type, shape and bytes."""
    described = [[name, t.dtype.str, list(t.shape)] for name, t in sorted(tensors.items())]
    digest = hashlib.sha256(json.dumps([sorted(metadata.items()), described]).encode())
    for _, tensor in sorted(tensors.items()):
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def _damaged(path: Path) -> str:
    return f"{path}: is damaged, or was not written by a search: {MAKE_AGAIN}"
