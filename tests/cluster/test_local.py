"""Local workers: forked from a server that is ready, replaced where they end, gone at the end."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from study.errors import Bug, ResourceError, StudyError
from study.system import KILL
from study.training.loading import own_protocol
from study.training.registry import Model
from study.workers import Workers
from study.workers.threads import Here, Threads
from tests.cluster import deeds  # as the workers know it
from tests.helpers.commands import command, end, run, start, until, wait_for
from tests.helpers.plans import SHORT, plan
from tests.helpers.storages import assert_same
from tests.helpers.storages import count as number_of_trials

ROOT = Path(__file__).parents[2]
REQUEST = ("classes", "n_train", "normalisation", "order")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.posix("local workers are forked"),
]


@pytest.fixture(scope="module")
def two():
    """Two workers, which tests may end."""
    with Workers(2).open([plan()]) as pool:
        yield pool


@pytest.fixture
def hasty():
    """One worker that has a second for a task."""
    with Workers(trial_timeout=1.0).open([plan()]) as pool:
        yield pool


@pytest.fixture
def tries(tmp_path):
    """A folder in which a deed counts how often it went wrong."""
    folder = tmp_path / "tries"
    folder.mkdir()
    return folder


def status(pid, field):
    """A field of what the system knows of a process; none once it has ended."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return None


def children(pid):
    """The processes that this one has started, ended ones that it has not waited for included."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def is_gone(pid):
    """It has ended, and nobody has to wait for it but the system's first process."""
    return status(pid, "State") in (None, "Z") and status(pid, "PPid") in (None, "1")


def test_a_worker_has_torch_and_the_data_from_a_server_of_one_thread(two):
    """It loads neither again, and its server had no lock that another thread might hold."""
    [[has_torch, has_data, server]] = two.results(deeds.finds, [plan()])

    assert (has_torch, has_data) == (True, True)
    assert server == two.server.process.pid
    assert status(server, "Threads") == "1"


def test_a_reader_that_starts_threads_is_left_to_the_workers(tmp_path):
    """pyarrow's, of a .parquet file: the server stays a process of one thread."""
    pytest.importorskip("pyarrow")
    path = tmp_path / "rows.parquet"
    rows = {"a": [*range(40)], "b": [1.0, -1.0] * 20, "y": ["n", "p"] * 20}
    pd.DataFrame(rows).to_parquet(path, index=False)
    protocol, _ = own_protocol(path, "", dict.fromkeys(REQUEST), {})

    with Workers(2).open([replace(plan(), protocol=protocol)], path) as pool:
        assert list(pool.results(deeds.slept, [0.0])) == [[0.0]]
        assert status(pool.server.process.pid, "Threads") == "1"


def test_results_come_in_the_order_of_the_tasks_which_are_taken_as_they_are_needed(two):
    """Four a worker are taken beyond those whose results were yielded, and no more."""
    taken = []

    def tasks():
        for seconds in [0.2, *19 * [0.0]]:
            yield seconds
            taken.append(seconds)

    results = two.results(deeds.slept, tasks())

    assert next(results) == [0.2]
    assert len(taken) == 8 - 1  # the generator waits in the eighth
    assert list(results) == 19 * [[0.0]]
    assert len(taken) == 20


def test_progress_comes_while_a_cohort_is_at_work(two, tries):
    """A few times a second, in the thread that asks; a second try tells nothing twice."""
    told = []

    def tell(work):
        told.append(work)
        assert threading.current_thread() is threading.main_thread()

    assert list(two.results(deeds.tells, [(tries, 1, 0.3)], tell)) == [["done"]]

    assert len(told) == 2
    assert sum(told) == 1


@pytest.mark.matrix("F19")
@pytest.mark.parametrize("deed", [deeds.dies, deeds.fails], ids=["dies", "fails"])
def test_a_task_that_ends_badly_once_is_done_again(two, tries, caplog, deed):
    """In one line; what other workers do goes on."""
    tasks = [(tries, 1), (tries, 0)]

    assert list(two.results(deed, tasks)) == 2 * [["done"]]

    assert caplog.text.count("\n") == 1
    assert "a cohort failed and is tried once more: " in caplog.text


@pytest.mark.matrix("F19")
@pytest.mark.parametrize(
    ("deed", "kind", "words"),
    [
        (deeds.dies, ResourceError, r"worker \d+ was killed, perhaps for want of memory$"),
        (deeds.fails, Bug, "Unwieldy: failure 1: is a bug: report it$"),
        (deeds.hangs, ResourceError, r"worker \d+ was at a cohort for more than 1 s$"),
    ],
)
def test_a_task_that_ends_badly_twice_is_given_up_in_one_line(hasty, tries, deed, kind, words):
    """With the last one's reason and its status; then the next task is done."""
    with pytest.raises(kind, match=f"^a cohort failed twice: {words}"):
        list(hasty.results(deed, [(tries, 9)]))

    assert len(list(tries.iterdir())) == 2
    assert list(hasty.results(deeds.slept, [0.0])) == [[0.0]]


def test_a_task_that_hangs_is_done_by_another_process(hasty, tries):
    """After the time limit, which begins when the worker is ready; the first is killed."""
    before = list(hasty.results(deeds.hangs, [(tries, 0)]))

    assert list(hasty.results(deeds.hangs, [(tries, 1)])) != before
    [[first]] = before
    until(lambda: is_gone(first) or status(first, "State") == "Z", "the worker's end")


def test_a_bugs_traceback_travels(two, tries):
    """As a note, which ``--debug`` shows."""
    with pytest.raises(Bug) as caught:
        list(two.results(deeds.fails, [(tries, 9)]))

    assert "in fails\n" in "".join(caught.value.__cause__.__notes__)


def test_an_error_of_the_input_is_not_tried_again(two, tries):
    """It comes as it was raised there."""
    with pytest.raises(StudyError, match=r"^digits.npz: is not here$"):
        list(two.results(deeds.lacks, [(tries, 9)]))

    assert len(list(tries.iterdir())) == 1


def test_a_server_that_is_killed_is_replaced(two):
    """Its workers end, and what they did is done again by those of the next one."""
    list(two.results(deeds.slept, 4 * [0.05]))
    server = two.server.process.pid
    workers = children(server)
    os.kill(server, KILL)
    until(lambda: status(server, "State") == "Z", "the server's end")

    assert list(two.results(deeds.slept, 4 * [0.0])) == 4 * [[0.0]]
    assert two.server.process.pid != server
    assert workers
    until(lambda: all(map(is_gone, workers)), "the workers' end")


def test_closing_ends_all_processes_and_the_environment_is_the_callers(tries):
    """Also where the block is left by an exception while workers are at work."""
    environment, kept = dict(os.environ), []

    def work():
        with Workers(2).open() as pool:
            kept.append(pool.server.process.pid)
            assert dict(os.environ) == environment
            threading.Thread(target=lambda: _interrupt_when(tries, 2), daemon=True).start()
            list(pool.results(deeds.stays, [(tries, 600), (tries, 600)]))

    with pytest.raises(KeyboardInterrupt):
        work()

    kept += [int(path.name) for path in tries.iterdir()]
    assert dict(os.environ) == environment
    assert len(kept) == 3
    until(lambda: all(map(is_gone, kept)), "the processes' end")
    assert set(kept).isdisjoint(children(os.getpid()))  # nor do any wait to be waited for


def _interrupt_when(folder, number):
    """Press Ctrl-C when so many workers are at work."""
    until(lambda: len(list(folder.iterdir())) == number, "the workers")
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.matrix("F3")
@pytest.mark.parametrize(
    ("sent", "wanted"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (KILL, -9)]
)
def test_a_planner_that_is_stopped_leaves_no_process(tmp_path, sent, wanted):
    """Whether the signal reaches it alone or, from a terminal, its workers too."""
    line = command("mlp", *SHORT, "--steps", 200_000, "--jobs", 2)
    process = start(line, tmp_path)
    found = []

    def are_at_work():
        servers = [child for child in children(process.pid) if status(child, "Threads") == "1"]
        found[:] = [*servers, *(worker for server in servers for worker in children(server))]
        return len(found) == 3 and (tmp_path / "study.db").exists()

    wait_for(are_at_work, process)
    if sent == signal.SIGINT:
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    until(lambda: all(map(is_gone, found)), "the processes' end")
    result = end(process)

    assert (result.status, result.stdout) == (wanted, "")
    assert result.stderr.count("\n") == (0 if sent == KILL else 1)


SCRIPT = """
import sys
with open("runs", "a") as runs:
    runs.write("run\\n")
sys.path.insert(0, {root!r})  # another package has a folder of this name
from study.workers import Workers
from tests.cluster import deeds
with Workers(2).open() as pool:
    print(list(pool.results(deeds.slept, [0.0])), "torch" in sys.modules)
"""


def test_a_script_without_a_guard_is_not_run_by_the_workers(tmp_path):
    """And the process that plans needs no torch."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(root=str(ROOT)))

    result = subprocess.run(
        [sys.executable, "-W", "error", path],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "[[0.0]] False\n"
    assert (tmp_path / "runs").read_text() == "run\n"


def _pool(workers, *plans):
    with workers.open(plans) as pool:
        return type(pool)


def test_what_only_this_process_can_do_is_done_in_this_process(monkeypatch):
    """One job, a device that is no CPU, and a model that no file registers."""
    monkeypatch.setitem(sys.modules["study.training.registry"].MODELS, "mine", _mine())

    assert _pool(Workers(1)) is Here
    assert _pool(Workers(2), plan(device="cuda")) is Here
    assert _pool(Workers(2), plan(), replace(plan(), model="mine")) is Threads
    assert _pool(Workers(2, backend="threading")) is Threads
    with pytest.raises(StudyError, match=r"^--trial-timeout: --device cuda trains in this"):
        _pool(Workers(2, trial_timeout=1.0), plan(device="cuda"))


def _mine():
    return Model("mine", "mine", "study.training.models:SimpleLinear")


@pytest.mark.matrix("F2")
def test_a_search_whose_worker_is_killed_ends_in_the_same_table(tmp_path):
    """With one line of warning."""
    line = command("linear", *SHORT, "--steps", 1500, "--jobs", 2)
    process = start([*line, "--storage", "study.db"], tmp_path)
    wait_for(lambda: number_of_trials(tmp_path / "study.db") > 0, process)
    [server] = [child for child in children(process.pid) if children(child)]
    os.kill(children(server)[0], KILL)
    result = end(process)
    calm = run([*line, "--storage", "calm.db", "--jobs", 1], tmp_path)

    assert (result.status, calm.status) == (0, 0)
    assert result.stderr.count("\n") == 1
    assert "was killed, perhaps for want of memory" in result.stderr
    assert_same(tmp_path / "study.db", tmp_path / "calm.db", "linear")


COMMAND = """
import sys
from study.search.command import main
sys.argv = ["study.search", *sys.argv[1:]]
status = main()
print("torch" in sys.modules)
sys.exit(status)
"""


def test_a_search_with_local_workers_needs_no_torch_where_it_is_planned(tmp_path):
    """Only its workers load it, for the package's own models."""
    options = command("linear", *SHORT, "--n-trials", 2, "--jobs", 2)[3:]

    result = run([sys.executable, "-c", COMMAND, *options], tmp_path)

    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.endswith("\nFalse\n")
