"""A search that is stopped, however, goes on to the table of one that never was."""

import random
import secrets
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from study.search import Settings, loop
from study.search import search as search_here
from study.storage import ledger
from study.training.pruning import PRUNERS
from study.training.registry import MODELS
from tests.helpers.commands import (
    KILLED,
    PATIENCE_S,
    Result,
    command,
    concurrently,
    end,
    here,
    kill,
    search,
    start,
    wait_for,
)
from tests.helpers.plans import GENERATION, N_TRIALS, SHORT, plan
from tests.helpers.storages import assert_same, assert_whole, copied, count, snapshot


class Killed(NamedTuple):
    """A search that was killed twice and then left alone."""

    path: object
    seed: int
    statuses: list
    last: Result


def killed(model, folder):
    """A search on two workers, killed at two random moments and then finished."""
    seed = secrets.randbelow(10**6)
    moments, path, statuses = random.Random(seed), folder / "study.db", []
    for part in (0, N_TRIALS // 2):
        at = part + GENERATION * moments.randrange(2)
        process = start(command(model, *SHORT, "--storage", path, "--jobs", 2), folder)
        wait_for((path.with_name("study.db.files") / model / "lock").exists, process)
        wait_for(lambda at=at: count(path) >= at, process)
        time.sleep(moments.uniform(0, 0.3))
        kill(process)
        statuses.append(end(process).status)
    return Killed(path, seed, statuses, search(model, folder, "--jobs", 2))


@pytest.mark.parametrize("model", [pytest.param("linear", marks=pytest.mark.faults), "mlp"])
@pytest.mark.matrix("F2")
def test_killed_twice_at_random_moments_it_ends_in_the_table_of_a_calm_run(tmp_path, whole, model):
    """Trials and weights are those of the uninterrupted search, bit for bit."""
    run = killed(model, tmp_path)
    print(f"seed of the moments: {run.seed}, statuses: {run.statuses}")

    assert KILLED in run.statuses
    assert run.last.status == 0
    assert run.last.stderr == ""
    assert_same(run.path, whole.path[model], model)


class _Kill(BaseException):
    """As sudden as a signal, within this process."""


@pytest.mark.parametrize("step", ["keep_weights", "record", "drop_weights"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.matrix("F2")
def test_killed_between_two_steps_it_ends_in_the_same_table_and_weights(
    tmp_path, monkeypatch, step, when
):
    """Whichever step of the last generation is the last, the next run makes up for it."""
    calm, path = tmp_path / "calm.db", tmp_path / "study.db"
    search_here(plan(), Settings(str(calm), "linear", 12))
    search_here(plan(), Settings(str(path), "linear", 8))
    with monkeypatch.context() as patch:
        owner = ledger if step == "record" else loop
        patch.setattr(owner, step, _kill_at(getattr(owner, step), when))
        with pytest.raises(_Kill):
            search_here(plan(), Settings(str(path), "linear", 12))

    search_here(plan(), Settings(str(path), "linear", 12))

    assert_same(path, calm, "linear")


def _kill_at(step, when):
    def doomed(*arguments, **options):
        if when == "after":
            step(*arguments, **options)
        raise _Kill

    return doomed


@pytest.mark.parametrize("model", MODELS)
def test_the_same_command_again_changes_no_byte(whole, tmp_path, model):
    """A whole study gains nothing: not a trial, not a file, not a byte."""
    copied(whole.path[model], tmp_path)
    before = snapshot(tmp_path)

    again = here("study.search", "--model", model, *SHORT, folder=tmp_path)

    assert (again.status, again.stderr) == (0, "")
    assert "(nothing to add)" in again.stdout
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("sampler", "model"),
    [("tpe", "mlp"), ("random", "mlp"), ("qmc", "mlp"), ("grid", "mlp"), ("gp", "linear")],
)
def test_every_sampler_goes_on_as_if_it_had_not_stopped(tmp_path, sampler, model):
    """A generation's plan depends on the trials before it, and on no sampler's memory."""
    searched = plan(model, sampler=sampler, grid=N_TRIALS if sampler == "grid" else None)
    calm, path = tmp_path / "calm.db", tmp_path / "study.db"
    search_here(searched, Settings(str(calm), model, N_TRIALS))

    for size in (12, N_TRIALS):
        search_here(searched, Settings(str(path), model, size))

    assert_same(path, calm, model)


@pytest.mark.parametrize("pruner", PRUNERS)
def test_every_pruner_goes_on_as_if_it_had_not_stopped(tmp_path, pruner):
    """Which trials stop early depends on the trials before them, and on no pruner's memory.

    So many trials that pruned ones are among those that the sampler takes for good.
    """
    searched = plan(pruner=pruner, generation_size=16, cohort_size=16)
    calm, path = tmp_path / "calm.db", tmp_path / "study.db"
    search_here(searched, Settings(str(calm), "linear", 64))

    for size in (16, 48, 64):
        search_here(searched, Settings(str(path), "linear", size))

    assert_same(path, calm, "linear")


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture(scope="module")
def signalled(tmp_path_factory):
    """For each signal: how a search ended on it, after how long, and where it is."""

    def one(sent):
        path = tmp_path_factory.mktemp(sent.name) / "study.db"
        process = start(command("mlp", *SHORT, "--storage", path, "--jobs", 2), path.parent)
        wait_for(lambda: count(path) >= GENERATION, process)
        sent_at = time.monotonic()
        process.send_signal(sent)
        return end(process), time.monotonic() - sent_at, path

    return dict(zip(SIGNALS, concurrently(one, SIGNALS), strict=True))


@pytest.mark.posix("Windows sends no such signals")
@pytest.mark.parametrize("sent", SIGNALS)
@pytest.mark.matrix("F3")
def test_a_signal_ends_it_in_one_line_and_its_own_status(signalled, sent):
    """Ctrl-C is 130, SIGTERM is 143; within seconds; finished trials are kept, all of them."""
    result, seconds, path = signalled[sent]

    assert result.status == SIGNALS[sent]
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("study: ")
    assert seconds < PATIENCE_S / 4
    assert_whole(path)
    assert count(path) in range(GENERATION, N_TRIALS, GENERATION)


@pytest.mark.posix("Windows sends no such signals")
@pytest.mark.parametrize("sent", SIGNALS)
@pytest.mark.matrix("F3")
def test_after_a_signal_it_goes_on_to_the_same_table(signalled, whole, sent):
    """What was kept is the start of the uninterrupted search."""
    path = signalled[sent][2]

    assert here("study.search", "--model", "mlp", *SHORT, folder=path.parent).status == 0
    assert_same(path, whole.path["mlp"], "mlp")


@pytest.mark.posix("/proc, and SIGINT")
@pytest.mark.matrix("F3")
def test_a_signal_while_torch_loads_ends_it_in_one_line_too(tmp_path):
    """Ctrl-C in the first second is as orderly as later."""
    process = start(command("linear", *SHORT), tmp_path, is_fresh=True)
    maps = Path(f"/proc/{process.pid}/maps")
    wait_for(lambda: "libtorch_cpu" in maps.read_text(), process)
    process.send_signal(signal.SIGINT)

    result = end(process)

    assert result.status == 130
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("study: ")


@pytest.fixture(scope="module")
def rivals(tmp_path_factory):
    """Two searches of one study started at once; the loser's end, the winner's pid and end."""
    folder = tmp_path_factory.mktemp("rivals")
    options = (*SHORT, "--steps", 20_000, "--storage", "study.db")
    pair = [start(command("linear", *options), folder) for _ in range(2)]
    try:
        wait_for(lambda: pair[1].poll() is not None, pair[0])
        loser, winner = sorted(pair, key=lambda process: process.poll() is None)
        lost = end(loser)
        held = (folder / "study.db.files/linear/holder").read_text()
        winner.terminate()
        return lost, winner.pid, held, end(winner)
    finally:
        for process in pair:
            kill(process)


@pytest.mark.posix("SIGTERM")
@pytest.mark.matrix("F16")
def test_of_two_searches_of_one_study_one_runs(rivals):
    """The first goes on undisturbed until it is told to stop."""
    _, pid, held, won = rivals

    assert held.startswith(f"pid {pid} on ")
    assert won.status == 143


@pytest.mark.matrix("F16")
def test_the_other_says_who_holds_the_study(rivals):
    """It ends in one line, with status 4."""
    lost, _, held, _ = rivals

    assert lost.status == 4
    assert lost.stdout == ""
    assert lost.stderr == (
        f"study: study 'linear' in study.db: being searched by {held.strip()}:"
        " wait for it or stop it\n"
    )


@pytest.mark.matrix("F16")
def test_two_models_are_searched_at_once_in_one_file(whole, tmp_path):
    """Each study in the file is as if the other were not there."""
    both = [start(command(m, *SHORT, "--storage", "study.db"), tmp_path) for m in MODELS]
    ends = [end(process) for process in both]

    assert [(result.status, result.stderr) for result in ends] == [(0, ""), (0, "")]
    for model in MODELS:
        assert_same(tmp_path / "study.db", whole.path[model], model)
