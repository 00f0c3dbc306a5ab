"""Workers that die, hang, fail, come late, or are of another version."""

import logging
import os
import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from study.errors import Bug, ResourceError, StudyError
from study.workers import Workers
from study.workers import cluster as at_work
from study.workers.processes import Processes
from study.workers.remote import TaskRequirements
from tests.cluster import deeds  # as the workers know it
from tests.helpers.commands import command, run, start, until, wait_for
from tests.helpers.commands import end as ended
from tests.helpers.commands import kill as end
from tests.helpers.plans import SHORT, plan, searched
from tests.helpers.storages import count as number_of_trials

from .helpers import clustered, pool, rows

OLD = ("--preload", "tests/cluster/old.py")
ABSENT = ("--preload", "tests/cluster/absent.py")


@pytest.fixture
def tries(tmp_path):
    """A folder in which a deed counts how often it went wrong."""
    folder = tmp_path / "tries"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def mortal(tmp_path_factory):
    """A cluster of two workers whose processes the tests may end: their nannies start others."""
    with clustered(tmp_path_factory.mktemp("mortal"), 2) as found:
        yield found


def test_results_come_in_the_order_of_the_tasks(cluster):
    """Each as soon as those before it are there, whichever is done first."""
    with pool(cluster) as workers:
        results = list(workers.results(deeds.slept, [0.5, 0.0, 0.1]))

    assert results == [[0.5], [0.0], [0.1]]


@pytest.mark.parametrize("kind", ["local", "loky", "threading", "Dask"])
def test_several_threads_share_the_workers(request, kind):
    """Each gets its own results, in its own order, and is told of its own work."""
    lists, told = [[0.05, 0.0, 0.01], [0.0, 0.03], [0.02]], [0.0, 0.0, 0.0]
    chosen = Workers(2, backend=kind)
    if kind == "Dask":
        chosen = Workers(dask=request.getfixturevalue("cluster").address)

    def results(k):
        def tell(work):
            told[k] += work

        return list(workers.results(deeds.napped, lists[k], tell))

    with chosen.open() as workers, ThreadPoolExecutor() as threads:
        found = list(threads.map(results, range(3)))

    assert found == [[[seconds] for seconds in tasks] for tasks in lists]
    assert told == [3.0, 2.0, 1.0]


def test_a_worker_killed_in_the_middle_of_a_search_changes_nothing(calm, mortal, tmp_path):
    """Its cohorts go to another, and the table is that of a calm search."""
    with pool(mortal) as workers:
        doomed = next(iter(workers.client.run(os.getpid).values()))

    def kill_once(work, best):
        if work == 1 and not killed:  # a cohort is done, others are being trained
            killed.append(os.kill(doomed, signal.SIGKILL))

    killed = []
    workers = Workers(dask=mortal.address)
    searched(tmp_path / "study.db", progress=kill_once, workers=workers, cohort_size=1)
    searched(tmp_path / "calm.db", cohort_size=1)

    assert killed
    assert rows(tmp_path / "study.db") == rows(tmp_path / "calm.db")


@pytest.mark.parametrize("deed", [deeds.dies, deeds.fails], ids=["dies", "fails"])
def test_a_task_that_ends_badly_once_is_done_again(mortal, tries, deed):
    """A worker that ends, or an error: the second try counts."""
    with pool(mortal) as workers:
        assert list(workers.results(deed, [(tries, 1)])) == [["done"]]


@pytest.mark.parametrize(
    ("deed", "kind", "words"),
    [
        (deeds.dies, ResourceError, "KilledWorker"),
        (deeds.fails, Bug, "Unwieldy: failure 1: is a bug"),
    ],
    ids=["dies", "fails"],
)
def test_a_task_that_ends_badly_twice_is_given_up_in_one_line(mortal, tries, deed, kind, words):
    """After two tries, with the last one's reason and its status."""
    with pool(mortal) as workers, pytest.raises(kind) as caught:
        list(workers.results(deed, [(tries, 9)]))

    assert str(caught.value).startswith("a cohort failed twice: ")
    assert words in str(caught.value)
    assert len(list(tries.iterdir())) == 2


def test_a_task_that_hangs_is_done_by_another_process(mortal, tries):
    """After the time limit; the process that hangs is replaced."""
    with pool(mortal, limit=1.0) as workers:
        before = set(workers.client.run(os.getpid).values())
        [[pid]] = workers.results(deeds.hangs, [(tries, 1)])
        until(lambda: len(workers.client.run(os.getpid)) == 2, "the worker's return")
        after = set(workers.client.run(os.getpid).values())

    assert pid in after
    assert len(before - after) == 1


def test_a_task_that_hangs_twice_is_given_up_in_one_line(mortal, tries):
    """Naming the worker and the limit, with the status of a missing resource."""
    with (
        pool(mortal, limit=1.0) as workers,
        pytest.raises(ResourceError, match=r"failed twice: worker tcp://\S+: was .* than 1 s$"),
    ):
        list(workers.results(deeds.hangs, [(tries, 9)]))

    assert len(list(tries.iterdir())) == 2


def test_progress_comes_while_a_cohort_is_at_work(mortal, tries):
    """About once a second; a second try tells nothing twice."""
    told = []
    with pool(mortal) as workers:
        assert list(workers.results(deeds.tells, [(tries, 1, 1.1)], told.append)) == [["done"]]

    assert len(told) == 2
    assert sum(told) == 1


@pytest.fixture
def impatient(monkeypatch):
    """Silence is noticed after two seconds, and no worker is waited for long."""
    monkeypatch.setattr(at_work, "SILENCE_S", 2.0)
    monkeypatch.setattr(at_work, "_LOOK_S", 0.5)
    monkeypatch.setattr(at_work, "PATIENCE_S", 1.0)


@pytest.mark.usefixtures("impatient")
def test_cohorts_of_a_worker_that_is_stopped_go_to_another(mortal, tmp_path, caplog):
    """Those that wait for it too; where there is no other, the search ends with one line.

    It leaves the cluster's workers stopped, and so comes last.
    """
    tries = [tmp_path / f"tries-{k}" for k in range(4)]
    for folder in tries:
        folder.mkdir()
    with pool(mortal, limit=1.0) as workers:
        workers.client.wait_for_workers(2, timeout=60)
        pids = workers.client.run(os.getpid)
        tasks = [(folder, folder is tries[0]) for folder in tries]

        assert list(workers.results(deeds.stops, tasks)) == 4 * [["done"]]

        [stopped] = [worker for worker, pid in pids.items() if _is_stopped(pid)]
        assert (
            f"worker {stopped}: has given no sign of life for 2 s; it gets no more" in caplog.text
        )
        tries[0].joinpath("0").unlink()
        with pytest.raises(ResourceError, match=r"life for 2 s, and there is no other worker$"):
            list(workers.results(deeds.stops, tasks))


def _is_stopped(pid):
    return _stat(Path("/proc", str(pid)))[0] == "stopped"


@pytest.fixture(scope="module")
def mixed(request, tmp_path_factory):
    """A cluster of a worker that is unfit, where a task may outlive another worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "3")
        with clustered(tmp_path_factory.mktemp("mixed"), 1, *request.param) as found:
            yield found


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("mixed", "has"),
    [
        (OLD, "torch 1.0, not [2-9]"),
        pytest.param(ABSENT, "study's source not at all, not ", marks=pytest.mark.faults),
    ],
    ids=["another torch", "no package"],
    indirect=["mixed"],
)
def test_a_worker_of_another_version_is_refused_by_its_address(calm, tmp_path, caplog, mixed, has):
    """The others train everything; alone, it ends the search, and it is named with what it has."""
    workers = Workers(dask=mixed.address)
    with pytest.raises(StudyError, match=rf"worker tcp://\S+: has {has}") as one:
        searched(tmp_path / "refused.db", workers=workers)
    with pool(mixed.at_least(2)) as found:
        found.client.wait_for_workers(2, timeout=60)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        searched(tmp_path / "study.db", workers=workers)

    assert one.value.status == 2
    assert len(re.findall(rf"has {has}.*it gets no more cohorts", caplog.text)) == 1
    assert rows(tmp_path / "study.db") == rows(calm)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mixed", [OLD], ids=["another torch"], indirect=True)
def test_a_cohort_whose_only_fit_worker_leaves_goes_to_the_next_one(mixed, tries):
    """Beside a worker of another version, it waits for the one that the nanny starts."""
    with pool(mixed.at_least(2)) as workers:
        workers.client.wait_for_workers(2, timeout=60)
        assert len(list(workers.results(deeds.slept, [0.1, 0.1]))) == 2
        assert len(workers.unfit) == 1

        assert list(workers.results(deeds.dies, [(tries, 1)])) == [["done"]]


def test_a_worker_that_lacks_a_file_is_left_out_by_its_address(cluster, tries, caplog):
    """What could be read where the search was planned is missing there, and only there."""
    with pool(cluster) as workers:
        workers.client.wait_for_workers(2, timeout=60)

        assert list(workers.results(deeds.lacks, [(tries, 1)])) == [["done"]]

        assert len(workers.unfit) == 1
    assert re.search(r"worker tcp://\S+: digits.npz: is not here; it gets no more", caplog.text)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="the workers have a GPU")
def test_a_device_is_looked_for_where_the_training_is(cluster, tmp_path):
    """The search's machine needs none; a worker without it is named."""
    options = ("--dask", cluster.address, "--device", "cuda")

    result = run(command("linear", *SHORT, *options), tmp_path)

    assert result.status == 2
    assert "--device cuda: not on this machine" in result.stderr
    assert result.stderr.rstrip().endswith("and there is no other worker")


@pytest.fixture(scope="module")
def doomed(tmp_path_factory):
    """A cluster that has no worker at first, and whose scheduler its last test ends."""
    with clustered(tmp_path_factory.mktemp("doomed"), 0) as found:
        yield found


def test_a_worker_that_comes_late_is_waited_for_and_used(calm, doomed, tmp_path):
    """A search may start before its workers; it says that it waits."""
    handler = _Starter(doomed)
    logging.getLogger("study.workers.cluster").addHandler(handler)
    try:
        searched(tmp_path / "study.db", workers=Workers(dask=doomed.address))
    finally:
        logging.getLogger("study.workers.cluster").removeHandler(handler)

    assert "no worker is at tcp://" in handler.said[0]
    assert rows(tmp_path / "study.db") == rows(calm)


class _Starter(logging.Handler):
    """Starts a worker when the search says that it has none."""

    def __init__(self, cluster):
        super().__init__()
        self.cluster, self.said = cluster, []

    def emit(self, record):
        if not self.said:
            self.cluster.worker()
        self.said.append(record.getMessage())


LONG = (*SHORT, "--n-trials", "2000", "--study-name", "linear")


def test_a_scheduler_that_ends_is_told_in_one_line(doomed, tmp_path):
    """Finished generations are kept, and the status is that of a missing resource."""
    with pool(doomed.at_least(1)):  # its worker is there
        pass
    process = start(command("linear", *LONG, "--dask", doomed.address), tmp_path)
    wait_for(lambda: number_of_trials(tmp_path / "study.db") > 0, process)
    end(doomed.processes[0])
    result = ended(process)

    assert (result.status, result.stdout) == (5, "")
    assert re.fullmatch(
        r"study: --dask tcp://\S+: the scheduler is gone: start it, then .*\n", result.stderr
    )
    assert len(rows(tmp_path / "study.db")) % 4 == 0


@pytest.mark.faults
def test_a_scheduler_that_ends_while_nothing_is_trained_is_noticed(tmp_path):
    """Also once the client has given up connecting."""
    with clustered(tmp_path, 1) as cluster, pool(cluster) as workers:
        assert list(workers.results(deeds.slept, [0.0])) == [[0.0]]
        end(cluster.processes[0])
        until(lambda: workers.client.status == "closed", "the client's end")

        with pytest.raises(ResourceError, match="the scheduler is gone"):
            list(workers.results(deeds.slept, [0.0]))


@pytest.mark.parametrize("kind", [pytest.param("loky", marks=pytest.mark.faults), "Dask"])
def test_ctrl_c_ends_it_in_one_line_wherever_it_trains(request, tmp_path, kind):
    """No process is left, the cluster is free at once, and the same command goes on."""
    where = ("--backend", "loky", "--jobs", "2")
    if kind == "Dask":
        where = ("--dask", request.getfixturevalue("cluster").address)
    process = start(command("linear", *LONG, *where), tmp_path)
    wait_for(lambda: number_of_trials(tmp_path / "study.db") > 0, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    result = ended(process)

    assert (result.status, result.stdout) == (130, "")
    assert result.stderr.startswith("study: ")
    assert result.stderr.count("\n") == 1
    until(lambda: not _group(process.pid), "the processes' end")
    there = len(rows(tmp_path / "study.db"))
    assert there > 0
    more = run(command("linear", *LONG, *where, "--n-trials", there + 4), tmp_path)
    assert (more.status, more.stderr) == (0, "")


def _group(leader):
    """The processes of a group that are not merely waited for."""
    return [
        found for found in map(_stat, Path("/proc").glob("[0-9]*")) if found == ("alive", leader)
    ]


def _stat(place):
    """Whether a process is alive or stopped, and its group."""
    try:
        state, _, group = (place / "stat").read_text().rsplit(")", 1)[1].split()[:3]
    except OSError:  # it has ended meanwhile
        return None
    return {"Z": "waited for", "T": "stopped"}.get(state, "alive"), int(group)


def test_workers_of_two_kinds_of_processors_are_told_apart(cluster, caplog):
    """Once: what they train may differ in its last bits."""
    with pool(cluster) as workers:
        list(workers.results(deeds.slept, [0.0]))
        assert caplog.text == ""
        for _ in range(2):
            workers._compare("Another CPU")

    assert caplog.text.count("Another CPU") == 1
    assert "the last bits of their trials may differ" in caplog.text


@pytest.mark.parametrize(
    ("deed", "kind"),
    [(deeds.dies, ResourceError), (deeds.fails, Bug), (deeds.hangs, ResourceError)],
)
def test_local_processes_are_given_a_second_try_too(tries, deed, kind):
    """A process of loky's that dies, fails or hangs costs a try."""
    workers = Processes("loky", 2, TaskRequirements.of(1.0, ()))

    assert len(list(workers.results(deed, [(tries, 1)]))) == 1
    tries.joinpath("0").unlink()
    with pytest.raises(kind, match="failed twice"):
        list(workers.results(deed, [(tries, 9)]))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_spawned_processes_map_the_data_that_one_of_them_prepared():
    """It is written once a pool, and deleted at its end."""
    with Workers(2, backend="loky").open([plan()]) as workers:
        found = list(workers.results(deeds.maps, 4 * [plan()]))
        [*folders] = {path.parent.parent for path in map(Path, found[0])}
        written = [path.stat().st_ino for path in map(Path, found[0])]
        assert list(workers.results(deeds.maps, [plan()])) == found[:1]
        assert [path.stat().st_ino for path in map(Path, found[0])] == written

    assert [Path(path).name for path in found[0]] == ["folded.npy", "plain.npy"]
    assert found == 4 * found[:1]
    assert [folder.exists() for folder in folders] == [False]


def test_a_backend_that_a_function_registers_can_be_named_again(tmp_path, monkeypatch):
    """As the second search of one command does."""
    (tmp_path / "mine.py").write_text(
        "from joblib import register_parallel_backend\n"
        "from joblib._parallel_backends import ThreadingBackend\n"
        "def register(): register_parallel_backend('mine', ThreadingBackend)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    for _ in range(2):
        with Workers(2, backend="mine:register").open() as workers:
            assert list(workers.results(deeds.slept, [0.0, 0.0])) == [[0.0], [0.0]]
