"""A caller's settings change no bit of a result, and are as they were after it."""

import random
import sys
import warnings
from contextlib import ExitStack, contextmanager
from hashlib import sha256

import matplotlib as mpl
import numpy as np
import optuna
import pandas as pd
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from study.report import write
from study.search.objective import Objective
from study.training.known_state import known_state, seeded
from study.training.protocol import Protocol

from .helpers import NAME, search, state

TINY = Protocol(steps=40, val_every=10)


@contextmanager
def setting(read, write, value):
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)


def dtype(value):
    return setting(torch.get_default_dtype, torch.set_default_dtype, value)


@contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


class Doubling(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.rand, torch.tensor, torch.full):
            raise AssertionError("not the caller's")
        return func(*args, **(kwargs or {}))


class Refusing(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise AssertionError("not the caller's")


@contextmanager
def pandas_and_numpy():
    options = ("display.precision", 1, "compute.use_bottleneck", False, "display.max_rows", 2)
    with pd.option_context(*options), np.errstate(all="raise"), np.printoptions(precision=1):
        yield


@contextmanager
def matplotlib_and_float64():
    """Two at once, as both matter to a report, and drawing one takes long."""
    rc = {"lines.linewidth": 9, "font.size": 30, "svg.hashsalt": "x"}
    with dtype(torch.float64), mpl.rc_context(rc):
        mpl.rcParams["backend"] = "svg"
        yield


@contextmanager
def errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


STATES = {
    "float64": lambda: dtype(torch.float64),
    "bfloat16": lambda: dtype(torch.bfloat16),
    "default device": default_device,
    "device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "matmul": lambda: setting(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"
    ),
    "no grad": torch.no_grad,
    "inference": torch.inference_mode,
    "deterministic": deterministic,
    "threads": lambda: setting(torch.get_num_threads, torch.set_num_threads, 2),
    "function mode": Doubling,
    "dispatch mode": Refusing,
    "pandas and NumPy": pandas_and_numpy,
    "matplotlib": matplotlib_and_float64,
    "warnings": errors,
}
REPORTED = ("pandas and NumPy", "matplotlib")  # the others in the long form below


def matmul_precision():
    """Of which torch 2.9 says once that it should be asked for by another name."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return torch.get_float32_matmul_precision()


def shown():
    """All that the states set, and the global random generators."""
    rc = {k: v for k, v in dict.items(mpl.rcParams) if k != "backend"}
    with ExitStack() as stack:
        if torch._C._len_torch_dispatch_stack():  # nothing could be computed
            from torch.utils._python_dispatch import _disable_current_modes

            stack.enter_context(_disable_current_modes())
        seeds = torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1:3]
    return [
        *(torch.get_default_dtype(), torch.is_autocast_enabled("cpu"), torch.is_grad_enabled()),
        *(torch.is_inference_mode_enabled(), torch.get_num_threads()),
        *(matmul_precision(), torch._C._len_torch_function_stack()),
        *(torch.are_deterministic_algorithms_enabled(), sys.float_info.min / 2),
        *(torch._C._len_torch_dispatch_stack(), mpl.rcParams["backend"], repr(rc)),
        *(np.geterr(), repr(np.get_printoptions()), list(warnings.filters)),
        *(pd.get_option("display.precision"), pd.get_option("compute.use_bottleneck")),
        *map(repr, seeds),
    ]


def objective(pair):
    """The attributes of a trial of Optuna's own, its weights' digest among them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(Objective("linear", pair, seed=3, protocol=TINY, device="cpu"), 1)
    return study.trials[0].value, study.trials[0].user_attrs


def drawn_now(storage, out):
    """A report that is drawn in this state."""
    write(str(storage), out, linear=NAME)
    return files(out)


def files(out):
    """The digest of every file of a report."""
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def golden(calm, pair, reported):
    """What a clean state makes of the objective, the search and the report."""
    return objective(pair), state(calm), files(reported)


QUICK = ("float64", "default device", "autocast", "inference", "matplotlib")


@pytest.mark.matrix("F33")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.faults], id=n) for n in STATES],
)
def test_no_state_of_the_caller_changes_a_bit(name, golden, calm, pair, tmp_path):
    """Objective, search and report give the same bits, and leave the state as it was."""
    fresh = pair.taking(np.arange(len(pair.raw)), pair.n_train)  # prepared in this state
    expected, trials, report = golden
    with STATES[name]():
        before = shown()
        own = objective(fresh)
        search(tmp_path / "study.db")
        drawn = drawn_now(calm, tmp_path / "out") if name in REPORTED else report
        after = shown()

    assert after == before
    assert own == expected
    assert state(tmp_path / "study.db")[0] == trials[0]
    assert drawn == report


@pytest.mark.matrix("F33")
@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(STATES.keys() - set(REPORTED)))
def test_no_state_of_the_caller_changes_a_report(name, golden, calm, tmp_path):
    """The long form: every other state, around a report."""
    with STATES[name]():
        drawn = drawn_now(calm, tmp_path / "out")

    assert drawn == golden[2]


@pytest.mark.matrix("F33")
@pytest.mark.parametrize("flushed", [True, False])
def test_denormals_are_as_they_were(flushed):
    """Also after an exception, and where the caller flushes them too."""
    torch.set_flush_denormal(flushed)
    try:
        with pytest.raises(ZeroDivisionError), known_state():
            _ = 1 / 0
        found = sys.float_info.min / 2 == 0
    finally:
        torch.set_flush_denormal(False)

    assert found == flushed


@pytest.mark.matrix("F33")
def test_what_a_models_code_sets_is_undone():
    """Inside, at the next entry or exit; outside, all of it."""
    with known_state():
        with seeded(1):
            torch.set_default_dtype(torch.float64)
            torch.set_default_device("meta")
        inside = torch.ones(1)
        torch.set_num_threads(2)
        torch.use_deterministic_algorithms(True)

    assert (inside.dtype, inside.device.type) == (torch.float32, "cpu")
    assert torch.get_default_dtype() == torch.float32
    assert torch.ones(1).device.type == "cpu"
    assert not torch.are_deterministic_algorithms_enabled()
