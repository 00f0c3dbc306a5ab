"""Bad input ends in one line on stderr and status 2, and changes nothing on disk."""

import gzip
import os
import shutil
import sqlite3
from contextlib import closing
from typing import NamedTuple
from unittest import mock

import pytest

from tests.helpers.commands import here, search
from tests.helpers.plans import SHORT
from tests.helpers.storages import copied, snapshot

LINEAR, MLP = ("--model", "linear"), ("--model", "mlp")
IMAGES = bytes([0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28])  # the official header
LABELS = bytes([0, 0, 8, 1, 0, 0, 0xEA, 0x60]) + bytes(range(10)) * 6000
GZIPPED = gzip.compress(IMAGES + bytes(60_000 * 784), 1)  # well-formed, and all black
STORAGE, ROOT = (*LINEAR, "--storage"), (*LINEAR, "--data-root", "data")


class Case(NamedTuple):
    """Options, the words that the line must have, and what is there before."""

    options: tuple
    words: tuple[str, ...]
    prepare: object = lambda folder, finished: None


def _text(folder, finished):
    (folder / "notes.txt").write_text("not a database\n" * 100)


def _foreign(folder, finished):
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.commit()


def _folder(folder, finished):
    (folder / "results").mkdir()


def _cut(folder, finished):
    copied(finished, folder)
    whole = (folder / "study.db").read_bytes()
    (folder / "study.db").write_bytes(whole[: len(whole) // 2])


def _finished(folder, finished):
    copied(finished, folder)


def _finished_alone(folder, finished):
    shutil.copy(finished, folder)


def _once_killed(folder, finished):
    copied(finished, folder)
    (folder / "study.db.files/linear/lock").write_text("pid 1 on nowhere since 2020-01-01\n")


def _root(images, labels=LABELS, suffix=""):
    def prepare(folder, finished):
        (folder / "data").mkdir()
        (folder / f"data/train-images-idx3-ubyte{suffix}").write_bytes(images)
        (folder / "data/train-labels-idx1-ubyte").write_bytes(labels)

    return prepare


def _option(name, value, *words):
    return Case((*LINEAR, name, *value.split(" ")), (name, *words))


CASES = {
    "no model": Case((), ("--model",)),
    "unknown model": Case(("--model", "forest"), ("--model", "forest", "linear", "mlp")),
    "unknown option": Case((*LINEAR, "--epochs", "3"), ("--epochs",)),
    "unknown option of two lines": Case((*LINEAR, "--a\nb"), ("--a",)),
    "steps 0": _option("--steps", "0", "1 or more"),
    "steps negative": _option("--steps", "-5", "1 or more"),
    "steps fractional": _option("--steps", "1.5", "whole number"),
    "val-every 0": _option("--val-every", "0", "1 or more"),
    "batch-size 0": _option("--batch-size", "0", "1 or more"),
    "n-trials 0": _option("--n-trials", "0", "1 or more"),
    "n-trials a word": _option("--n-trials", "many", "whole number"),
    "generation 0": _option("--generation", "0", "1 or more"),
    "cohort 0": _option("--cohort", "0", "1 or more"),
    "jobs 0": _option("--jobs", "0", "1 or more"),
    "seed negative": _option("--seed", "-1", "0 or more"),
    "timeout 0": _option("--timeout", "0", "above 0"),
    "timeout NaN": _option("--timeout", "nan", "above 0"),
    "target NaN": _option("--target", "nan", "fraction"),
    "target in per cent": _option("--target", "2", "0.02"),
    "unknown sampler": _option("--sampler", "cmaes", "cmaes", "tpe"),
    "unknown pruner": _option("--pruner", "wilcoxon", "wilcoxon", "median"),
    "unknown dataset": _option("--dataset", "cifar", "cifar", "kmnist"),
    "unknown device": _option("--device", "abacus", "abacus", "cpu"),
    "device that is not there": _option("--device", "mps", "cpu"),
    "learning rate 0": _option("--learning-rate", "0 1", "above 0"),
    "learning rate negative": _option("--learning-rate", "-0.1 1", "--learning-rate"),
    "learning rate NaN": _option("--learning-rate", "nan 1", "above 0"),
    "learning rate infinite": _option("--learning-rate", "0.1 inf", "finite"),
    "learning rate reversed": _option("--learning-rate", "1 0.1", "reversed", "0.1 1"),
    "learning rate of three": _option("--learning-rate", "0.1 0.2 0.3", "LOW HIGH"),
    "hidden units of linear": _option("--hidden-units", "50", "linear"),
    "hidden units reversed": Case((*MLP, "--hidden-units", "50", "20"), ("reversed", "20 50")),
    "hidden units 0": Case((*MLP, "--hidden-units", "0"), ("--hidden-units", "1 or more")),
    "one digit": _option("--digits", "4", "--digits"),
    "same digit twice": Case((*LINEAR, "--digits", "4", "4"), ("4 and 4", "different")),
    "no such digit": Case((*LINEAR, "--digits", "4", "10"), ("10", "0 to 9")),
    "digits not in the package": Case((*LINEAR, "--digits", "3", "7"), ("3 and 7", "--data-root")),
    "batch over training set": _option("--batch-size", "10001", "10000"),
    "small training set": Case((*LINEAR, "--n-train", "50"), ("--batch-size 100", "50")),
    "n-train too large": Case((*LINEAR, "--n-train", "11791"), ("11791", "1 to 11790")),
    "study name empty": Case((*LINEAR, "--study-name", ""), ("name", "empty")),
    "study name of two lines": Case((*LINEAR, "--study-name", "a\nb"), ("unprintable",)),
    "storage empty": Case((*STORAGE, ""), ("storage", "name a file")),
    "storage unknown": Case((*STORAGE, "foo://u:secret@h/x"), ("foo", "u:***@h")),
    "storage a text file": Case((*STORAGE, "notes.txt"), ("notes.txt", "not an"), _text),
    "storage a shop's": Case((*STORAGE, "shop.db"), ("shop.db", "customers"), _foreign),
    "storage a folder": Case((*STORAGE, "results"), ("results", "folder"), _folder),
    "storage nowhere": Case((*STORAGE, "no/study.db"), ("no", "create it first")),
    "storage cut short": Case(LINEAR, ("study.db", "damaged"), _cut),
    "other protocol": Case((*LINEAR, "--steps", 500), ("protocol.steps 400 → 500",), _finished),
    "other seed": Case((*LINEAR, "--seed", 7), ("seed 0 → 7",), _finished_alone),
    "other target": Case((*LINEAR, "--target", 0.5), ("target 0.035 → 0.5",), _finished),
    "other model": Case((*MLP, "--study-name", "linear"), ('"linear" → "mlp"',), _finished),
    "other range": Case((*LINEAR, "--learning-rate", 0.1), ("space.learning_rate",), _finished),
    "other pruner, once killed": Case((*LINEAR, "--pruner", "median"), ("pruner",), _once_killed),
    "data missing, no network": Case(ROOT, ("data", "train-images-idx3-ubyte", "put")),
    "data a file": Case((*LINEAR, "--data-root", "notes.txt"), ("notes.txt", "folder"), _text),
    "data truncated": Case(ROOT, ("train-images", "size"), _root(IMAGES + bytes(999))),
    "data empty": Case(ROOT, ("train-images",), _root(b"")),
    "data a web page": Case(ROOT, ("train-images",), _root(b"<html>" * 9999)),
    "data gzip cut short": Case(ROOT, ("train-images",), _root(GZIPPED[:-9], suffix=".gz")),
    "data of no digits": Case(ROOT, ("train-images", "SHA-256"), _root(GZIPPED, suffix=".gz")),
}  # fmt: skip


class Refused(NamedTuple):
    """How a command ended, and what was there before and after."""

    result: object
    before: dict
    after: dict


@pytest.fixture(scope="module")
def refused(whole, tmp_path_factory):
    """Every case's end, each in a folder of its own, without a network."""
    offline = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")

    def one(case):
        folder = tmp_path_factory.mktemp("refused")
        case.prepare(folder, whole.path["linear"])
        before = snapshot(folder)
        result = here("study.search", *SHORT, *case.options, folder=folder)
        return Refused(result, before, snapshot(folder))

    with mock.patch.dict(os.environ, offline):
        os.environ.pop("OPTUNA_STORAGE", None)
        return {name: one(case) for name, case in CASES.items()}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_ends_in_one_line_that_says_what_is_wrong(refused, case):
    """Status 2, nothing on stdout, no traceback; the line names the input and its fault."""
    result = refused[case].result

    assert result.status == 2
    assert result.stdout == ""
    assert result.stderr.startswith("study: ")
    assert result.stderr.endswith("\n")
    assert len(result.stderr.splitlines()) == 1
    assert [word for word in CASES[case].words if word not in result.stderr] == []
    assert "secret" not in result.stderr


@pytest.mark.parametrize("case", CASES)
def test_bad_input_changes_nothing_on_disk(refused, case):
    """No file is made, removed or changed, a lock's folder included."""
    assert refused[case].after == refused[case].before


def test_debug_shows_where_an_error_comes_from(tmp_path):
    """With ``--debug`` the same refusal is a traceback."""
    result = search("linear", tmp_path, "--digits", 4, 4, "--debug")

    assert "Traceback" in result.stderr
    assert "StudyError: classes 4 and 4" in result.stderr
