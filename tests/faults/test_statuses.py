"""F38: whoever meets an error, the command ends with its status."""

import pickle

import pytest

from study import stats
from study.cli import explained
from study.errors import Bug
from study.workers import Workers
from study.workers.processes import Processes
from study.workers.remote import Failed, Hung, TaskRequirements, Unfit

from . import deeds

pytestmark = pytest.mark.matrix("F38")


def status_of(workers, kind):
    """The status that a command ends with whose work fails."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (what it is, is the question)
        list(workers.results(deeds.fails, [kind]))
    known = explained(caught.value)
    return type(known), known.status


def expected(kind):
    wanted = deeds.KINDS[kind][1] or Bug
    return wanted, wanted.status


@pytest.mark.parametrize("kind", deeds.KINDS)
def test_a_process_of_lokys_gives_an_errors_status(kind):
    """A full disk is 5, bad input 2, a bug 1, as in this process."""
    workers = Processes("loky", 1, TaskRequirements.of(None, ()))

    assert status_of(workers, kind) == expected(kind)


@pytest.fixture(scope="module")
def forked():
    """Two local processes."""
    with Workers(2).open() as workers:
        yield workers


@pytest.mark.parametrize("kind", deeds.KINDS)
def test_a_local_process_gives_an_errors_status(forked, kind):
    """As those of loky do."""
    assert status_of(forked, kind) == expected(kind)


@pytest.mark.parametrize("kind", deeds.KINDS)
def test_this_process_gives_an_errors_status(kind):
    """Without another process in between."""
    with Workers(jobs=1).open() as workers:
        assert status_of(workers, kind) == expected(kind)


@pytest.mark.parametrize(
    ("kind", "values"), [(Unfit, ("w", "has none", 5)), (Hung, ("w", "hangs")), (Failed, ("x", 1))]
)
def test_a_workers_errors_can_be_pickled(kind, values):
    """With their words and their status."""
    error = kind(*values)
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back), back.status) == (type(error), str(error), error.status)


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.wilson(3, 2),
        lambda: stats.paired_counts([True], [True, False]),
        lambda: stats.level_with_best([1, 9], 3),
        lambda: stats.edge(0.1, 1, 0.5),
        lambda: stats.held_out_mean([[1, 0]], n_train=9, n_total=11),
    ],
)
def test_wrong_shapes_within_the_statistics_are_a_bug(call):
    """A caller's mistake is a ValueError, not what a person can put right."""
    with pytest.raises(ValueError, match=":") as caught:
        call()

    assert explained(caught.value).status == 1
