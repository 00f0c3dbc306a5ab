"""Workers that die, hang, fail, come late, or are of another version."""

import logging
import os
import signal

import pytest

from study.errors import ResourceError, StudyError
from study.workers import Workers
from study.workers.processes import Processes
from study.workers.remote import Terms
from tests.cluster import deeds  # as the workers know it

from .helpers import clustered, end, pool, rows, searched, until

OLD = ("--preload", "tests/cluster/old.py")


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
        results = list(workers.results(deeds.slept, [1.0, 0.0, 0.2]))

    assert results == [[1.0], [0.0], [0.2]]


def test_a_worker_killed_in_the_middle_of_a_search_changes_nothing(calm, mortal, tmp_path):
    """Its cohorts go to another, and the table is that of a calm search."""
    with pool(mortal) as workers:
        doomed = next(iter(workers.client.run(os.getpid).values()))

    def kill_once(work, best):
        if work == 1 and not killed:  # a cohort is done, others are being trained
            killed.append(os.kill(doomed, signal.SIGKILL))

    killed = []
    workers = Workers(dask=mortal.address)
    searched(tmp_path / "study.db", progress=kill_once, workers=workers, cohort=1)
    searched(tmp_path / "calm.db", cohort=1)

    assert killed
    assert rows(tmp_path / "study.db") == rows(tmp_path / "calm.db")


@pytest.mark.parametrize("deed", [deeds.dies, deeds.fails], ids=["dies", "fails"])
def test_a_task_that_ends_badly_once_is_done_again(mortal, tries, deed):
    """A worker that ends, or an error: the second try counts."""
    with pool(mortal) as workers:
        assert list(workers.results(deed, [(tries, 1)])) == [["done"]]


@pytest.mark.parametrize(
    ("deed", "words"),
    [(deeds.dies, "KilledWorker"), (deeds.fails, "ZeroDivisionError: failure 1")],
    ids=["dies", "fails"],
)
def test_a_task_that_ends_badly_twice_is_given_up_in_one_line(mortal, tries, deed, words):
    """After two tries, with the last one's reason."""
    with pool(mortal) as workers, pytest.raises(ResourceError) as caught:
        list(workers.results(deed, [(tries, 9)]))

    assert str(caught.value).startswith("a cohort failed twice: ")
    assert words in str(caught.value)
    assert len(list(tries.iterdir())) == 2


def test_a_task_that_hangs_is_done_by_another_process(mortal, tries):
    """After the time limit; the process that hangs is replaced."""
    with pool(mortal, limit=1.5) as workers:
        before = set(workers.client.run(os.getpid).values())
        [[pid]] = workers.results(deeds.hangs, [(tries, 1)])
        until(lambda: len(workers.client.run(os.getpid)) == 2, "the worker's return")
        after = set(workers.client.run(os.getpid).values())

    assert pid in after
    assert len(before - after) == 1


def test_a_task_that_hangs_twice_is_given_up_in_one_line(mortal, tries):
    """Naming the worker and the limit, with the status of a missing resource."""
    with (
        pool(mortal, limit=1.5) as workers,
        pytest.raises(ResourceError, match=r"failed twice: worker tcp://\S+: was .* than 1.5 s$"),
    ):
        list(workers.results(deeds.hangs, [(tries, 9)]))

    assert len(list(tries.iterdir())) == 2


def test_a_worker_of_another_version_is_refused_by_its_address(calm, tmp_path, caplog):
    """The others train everything; alone, it ends the search, and it is named with what it has."""
    with clustered(tmp_path, 1, *OLD) as mixed:
        workers = Workers(dask=mixed.address)
        with pytest.raises(StudyError, match=r"worker tcp://\S+: has torch 1.0, not [2-9]") as one:
            searched(tmp_path / "refused.db", workers=workers)
        mixed.worker()
        with pool(mixed) as found:
            found.client.wait_for_workers(2, timeout=60)
        with caplog.at_level(logging.WARNING):
            searched(tmp_path / "study.db", workers=workers)

    assert one.value.status == 2
    assert "has torch 1.0" in caplog.text
    assert rows(tmp_path / "study.db") == rows(calm)


def test_a_worker_that_comes_late_is_waited_for_and_used(calm, tmp_path, caplog):
    """A search may start before its workers; it says that it waits."""
    with clustered(tmp_path, 0) as empty:
        workers = Workers(dask=empty.address)
        handler = _Starter(empty)
        logging.getLogger("study.workers.cluster").addHandler(handler)
        try:
            searched(tmp_path / "study.db", workers=workers)
        finally:
            logging.getLogger("study.workers.cluster").removeHandler(handler)

    assert "no worker has joined" in handler.said[0]
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


def test_a_scheduler_that_ends_is_told_in_one_line(tmp_path):
    """Finished generations are kept, and the status is that of a missing resource."""

    def behead(work, best):
        if best is not None:  # the first generation is recorded
            end(cluster.processes[0])

    with clustered(tmp_path, 1) as cluster:
        workers = Workers(dask=cluster.address)
        with pytest.raises(ResourceError, match=r"tcp://\S+: the scheduler is gone: start it"):
            searched(tmp_path / "study.db", progress=behead, workers=workers)

    assert len(rows(tmp_path / "study.db")) == 4


@pytest.mark.parametrize("deed", [deeds.dies, deeds.fails, deeds.hangs])
def test_local_processes_are_given_a_second_try_too(tries, deed):
    """A process of loky's that dies, fails or hangs costs a try."""
    workers = Processes("loky", 2, Terms.of(2.0, ()))

    assert len(list(workers.results(deed, [(tries, 1)]))) == 1
    tries.joinpath("0").unlink()
    with pytest.raises(ResourceError, match="failed twice"):
        list(workers.results(deed, [(tries, 9)]))
