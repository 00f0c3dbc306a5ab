"""Weights are read back exactly, or not at all."""

import os
import re
import signal

import numpy as np
import pytest

from study.errors import StudyError
from study.storage import load_weights, safe_files, save_weights, write_atomically
from tests.helpers import posix
from tests.helpers.children import forked
from tests.helpers.storages import snapshot

TENSORS = {
    "linear.weight": np.random.default_rng(0).normal(size=(1, 784)).astype(np.float32),
    "linear.bias": np.array([0.5], dtype=np.float32),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "step": np.array(50, dtype=np.int64),
}
METADATA = {"trial": "3", "seed": "0"}


@pytest.fixture
def file(tmp_path):
    """Weights that were saved."""
    path = tmp_path / "linear" / "trial-3.safetensors"
    save_weights(path, TENSORS, METADATA)
    return path


def test_weights_come_back_as_they_were(file):
    """Values, shapes, types and metadata are the same, and nothing lies beside the file."""
    tensors, metadata = load_weights(file)

    assert metadata == METADATA
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(tensors[name], tensor, strict=True)
    assert list(file.parent.iterdir()) == [file]


def test_the_file_is_ordinary_safetensors(file):
    """The library reads it without us."""
    from safetensors.numpy import load_file

    assert load_file(file)["linear.bias"] == np.float32(0.5)


def test_every_flipped_bit_is_seen(file):
    """Whichever byte of header or data is damaged, the file is refused or reads the same."""
    good = file.read_bytes()
    for position in range(0, len(good), 7):
        damaged = bytearray(good)
        damaged[position] ^= 1 << position % 8
        file.write_bytes(damaged)
        with pytest.raises(StudyError, match="is damaged, or was not written by a search"):
            load_weights(file)


@pytest.mark.parametrize("length", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_refused(length, file):
    """A file that ends early is said to be damaged."""
    file.write_bytes(file.read_bytes()[:length])

    with pytest.raises(StudyError, match=f"{re.escape(str(file))}: is damaged"):
        load_weights(file)


def test_weights_of_another_program_are_refused(tmp_path):
    """Without our digest nothing says that they are whole."""
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "a.safetensors")

    with pytest.raises(StudyError, match="was not written by a search"):
        load_weights(tmp_path / "a.safetensors")


@pytest.mark.parametrize("make", [lambda p: None, posix.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_at_once(make, tmp_path):
    """A missing file, a pipe and a folder hold no weights."""
    make(tmp_path / "w")

    with pytest.raises(StudyError, match="there are no weights there"):
        load_weights(tmp_path / "w")


@pytest.mark.parametrize("step", ["_write_through", "flush_folder"])
def test_a_kill_leaves_the_old_file_or_the_new_one(step, tmp_path, monkeypatch):
    """Before the rename the old file stands whole, after it the new one."""
    path = tmp_path / "w"
    write_atomically(path, b"old" * 999)

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(safe_files, step, die)
    status = forked(lambda: write_atomically(path, b"new" * 999))

    assert status == -signal.SIGKILL
    assert path.read_bytes() == (b"old" if step == "_write_through" else b"new") * 999


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failed_write_leaves_the_folder_as_it_was(error, tmp_path, monkeypatch):
    """The draft is removed and the old file is as before."""
    write_atomically(tmp_path / "w", b"old")
    before = snapshot(tmp_path)

    def fail(_):
        raise error

    monkeypatch.setattr(safe_files.os, "fsync", fail)
    with pytest.raises(error):
        write_atomically(tmp_path / "w", b"new")

    assert snapshot(tmp_path) == before


def test_the_digests_field_is_reserved(tmp_path):
    """A caller's ``sha256`` would be overwritten, so it is refused."""
    with pytest.raises(ValueError, match="sha256"):
        save_weights(tmp_path / "w", TENSORS, {"sha256": "0"})
