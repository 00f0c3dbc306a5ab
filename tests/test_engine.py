"""The engine: chosen by the processor, kept by the study, and equal to torch within rounding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from study.confirm.comparison import compare
from study.errors import StudyError
from study.search.options import parser, plans_of
from study.storage.searched import Searched
from study.training.engine import Processor, default_engine
from study.training.plan import Plan
from study.training.products import filled, has_onednn, products
from study.training.protocol import Protocol
from study.training.registry import MODELS, build
from study.training.trainer import train
from tests.helpers.plans import SMALLEST, configuration_of, confirmed, plan, searched

ZEN_5 = "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nflags\t\t: fpu avx2 avx512f\n"
CPUINFO = {
    ZEN_5: "onednn",
    ZEN_5.replace("26", "25"): "torch-padded",  # Zen 4 splits 512 bits into two halves
    ZEN_5.replace(" avx512f", ""): "torch-padded",  # hidden by a virtual machine
    ZEN_5.replace("AuthenticAMD", "GenuineIntel"): "torch-padded",
    "Processor\t: AArch64\nCPU implementer\t: 0x41\n": "torch-padded",
    "": "torch-padded",
}
WINDOWS = {
    "AMD64 Family 26 Model 68 Stepping 0, AuthenticAMD": "onednn",
    "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD": "torch-padded",
    "Intel64 Family 6 Model 183 Stepping 1, GenuineIntel": "torch-padded",
    "": "torch-padded",
}
needs_onednn = pytest.mark.skipif(not has_onednn(), reason="this torch has no oneDNN operator")


@pytest.mark.parametrize("text", CPUINFO)
def test_the_processor_decides_the_engine(text, monkeypatch):
    """Never the clock: the same processor has the same engine in every run."""
    monkeypatch.setattr(Processor, "here", classmethod(lambda cls: cls.of_cpuinfo(text)))

    assert default_engine() == CPUINFO[text]


@pytest.mark.parametrize("text", WINDOWS)
def test_windows_names_the_processor_in_its_own_way(text, monkeypatch):
    """``platform.processor()`` has vendor and family."""
    monkeypatch.setattr(Processor, "here", classmethod(lambda cls: cls.of_windows(text)))

    assert default_engine() == WINDOWS[text]


@needs_onednn
@pytest.mark.parametrize("width", [1, 3, 32, 400])
def test_onednn_multiplies_as_torch_does(width):
    """All three products equal those of ``torch.mm``, within the rounding of 620 terms."""
    torch.manual_seed(0)
    x, weight, back = torch.randn(100, 620), torch.randn(620, width), torch.randn(100, width)
    ours, theirs = products("onednn"), products("torch")
    moved, expected = weight.clone(), weight.clone()

    ours.update(moved, x, back, 0.01)
    theirs.update(expected, x, back, 0.01)

    torch.testing.assert_close(ours.forward(x, weight), x @ weight, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(ours.hidden(x, weight), (x @ weight).relu(), rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(moved, expected, rtol=1e-5, atol=1e-4)


OTHERS = ["torch-padded", pytest.param("onednn", marks=needs_onednn)]
ALONE = {"momentum": (), "weight_decay": ()}
PUSHED = {"momentum": [0.9, 0.5, 0.0], "weight_decay": [0.0, 1e-3, 1e-4]}


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("optimiser", [ALONE, PUSHED], ids=["plain", "pushed"])
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_training_is_the_same_with_every_engine(name, optimiser, engine, images):
    """Within float32 rounding, and so is what is left when a member leaves or overflows."""
    protocol = Protocol(steps=200, val_every=50)
    sizes = [None] * 3 if name == "linear" else [21, 50, 7]
    rates = [0.05, 1e30, 0.02] if optimiser is ALONE else [0.01, 0.02, 0.05]

    def histories(engine):
        members = [build(MODELS[name], configuration_of(0.05, size), seed=1) for size in sizes]
        stop = {"rungs": [100], "prune": lambda step, places, errors: [places[-1]]}
        return train(members, rates, images, protocol, seed=1, engine=engine, **optimiser, **stop)

    found = zip(rates, histories(engine), histories("torch"), strict=True)
    for rate, ours, theirs in found:
        assert len(ours.steps) == len(theirs.steps)
        if rate > 1:  # rounding decides what becomes of such a member
            continue
        assert abs(ours.val_errors - theirs.val_errors).max() <= 1
        for tensor in theirs.weights:
            np.testing.assert_allclose(
                ours.weights[tensor], theirs.weights[tensor], rtol=1e-3, atol=1e-4
            )


def test_columns_are_filled_up_to_a_multiple():
    """A single column is left: torch multiplies it faster than sixteen."""
    shapes = [tuple(filled(torch.ones(5, width), 16).shape) for width in (1, 2, 16, 17)]

    assert shapes == [(5, 1), (5, 16), (5, 16), (5, 32)]
    assert filled(torch.ones(5, 2), 16).sum() == 10


def test_an_unknown_engine_is_refused():
    """In one line that says what would be right."""
    with pytest.raises(StudyError, match="engine 'mkl-dnn': is not on this machine: search a new"):
        products("mkl-dnn")


@needs_onednn
def test_a_study_goes_on_with_its_own_engine_sampler_and_sizes(tmp_path):
    """Whatever the defaults are: what a plan does not state is the stored study's."""
    path = tmp_path / "study.db"
    stated = {"engine": "onednn", "sampler": "random", "generation_size": 6, "cohort_size": 3}
    searched(path, n_trials=6, **stated)
    searched(path, n_trials=12, sampler="", generation_size=0, cohort_size=0)
    searched(tmp_path / "whole.db", n_trials=12, **stated)

    ours, whole = (Searched.read(str(tmp_path / n), "linear") for n in ("study.db", "whole.db"))

    assert {n: getattr(ours.plan, n) for n in stated} == stated
    assert [t.user_attrs["digest"] for t in ours.frozen] == [
        t.user_attrs["digest"] for t in whole.frozen
    ]


@needs_onednn
def test_a_stated_engine_that_differs_is_refused(tmp_path):
    """As every other setting is."""
    path = searched(tmp_path / "study.db", engine="torch")

    with pytest.raises(StudyError, match='engine "torch" → "onednn"'):
        searched(path, n_trials=16, engine="onednn")


def test_a_study_that_names_no_engine_was_trained_by_torch(tmp_path, monkeypatch):
    """As studies of version 0.1: they go on by ``torch.mm``, whatever a new study gets."""
    manifest = Plan.manifest
    with monkeypatch.context() as patch:
        patch.setattr(
            Plan,
            "manifest",
            lambda *args: {k: v for k, v in manifest(*args).items() if k != "engine"},
        )
        path = searched(tmp_path / "study.db", n_trials=4, engine="torch")
    monkeypatch.setattr("study.training.plan.default_engine", lambda: "onednn")

    searched(path, n_trials=8)

    found = Searched.read(str(path), "linear")
    assert (len(found.trials), found.plan.engine) == (8, "torch")
    assert "engine" not in found.manifest


def test_without_its_engine_a_study_is_read_and_confirmed_but_not_searched(tmp_path, monkeypatch):
    """A search that must add trials says what ``--engine`` would change."""
    path = tmp_path / "study.db"
    for model in ("linear", "mlp"):
        searched(path, model, n_trials=4, engine="onednn")
    for place in ("study.search.loop", "study.confirm.plan", "study.confirm.loop"):
        monkeypatch.setattr(f"{place}.is_here", lambda engine: engine == "torch")

    searched(path, n_trials=4)  # nothing to add
    with pytest.raises(StudyError, match=r"searched with engine onednn, .* --engine torch"):
        searched(path, n_trials=8)
    confirmed(path)

    assert Searched.read(str(path), "linear/splits").manifest["engine"] == "torch"
    assert compare(str(path), ("linear", "mlp")).judged.n_splits == SMALLEST["splits"]


def test_a_persons_own_model_trains_on_torch(monkeypatch):
    """Its products are in its own code, where an engine would do nothing."""
    own = replace(MODELS["linear"], name="own", factory=lambda generator: torch.nn.Linear(784, 1))
    monkeypatch.setitem(MODELS, "own", own)
    stated = {name: plan(name, engine="onednn").settled().engine for name in ("own", "linear")}

    assert stated == {"own": "torch", "linear": "onednn"}


def test_the_option_states_the_engine():
    """Without it the plan leaves it to the study."""
    given, silent = (
        plans_of(parser().parse_args(["--model", "linear", *more]), [MODELS["linear"]])[0]
        for more in (["--engine", "torch"], [])
    )

    assert (given.engine, silent.engine) == ("torch", "")
