"""F3: Ctrl-C and SIGTERM, early, late and twice: one line, the right status, nothing lost."""

import random
import secrets
import signal
import time

import pytest

from tests.helpers.commands import command, end, start
from tests.helpers.plans import SHORT

pytestmark = pytest.mark.posix("Windows sends no such signals")

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def _interrupted(folder, sent, after, times=1):
    """A search that is sent a signal after so many seconds; how it ended."""
    process = start([*command("mlp", *SHORT), "--steps", "20000"], folder)
    time.sleep(after)
    for _ in range(times):
        process.send_signal(sent)
    return end(process)


@pytest.mark.matrix("F3")
@pytest.mark.parametrize("number", [2, pytest.param(40, marks=pytest.mark.faults)])
@pytest.mark.parametrize("sent", STATUS)
def test_a_signal_at_any_moment_ends_it_in_one_line(tmp_path, sent, number, attempts):
    """From the import of the package on, also twice at once.

    Before that, while Python itself starts, its own handler is in place: a moment in which
    nothing of this package has run, and which these times leave out.
    """
    seed = secrets.randbelow(10**6)
    print(f"seed of the times: {seed}")
    moments = random.Random(seed)
    for _ in range(number):
        result = _interrupted(
            tmp_path, sent, moments.uniform(0.3, 2.5), times=moments.choice([1, 2])
        )
        assert result.status == STATUS[sent]
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        assert result.stderr.startswith("study: ")
        assert "Traceback" not in result.stderr
    attempts(number)


@pytest.mark.matrix("F3")
@pytest.mark.parametrize("sent", STATUS)
def test_a_signal_while_the_first_library_loads_ends_it_in_one_line(tmp_path, sent):
    """Sent by the first import after the package itself, a few milliseconds after its start."""
    (tmp_path / "argparse.py").write_text(
        f"import os, time\nos.kill(os.getpid(), {int(sent)})\ntime.sleep(9)\n"
    )

    result = end(start(command("linear"), tmp_path, is_fresh=True))

    assert result == (STATUS[sent], "", result.stderr)
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("study: ")
