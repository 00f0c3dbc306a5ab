"""Count what every row of the fault matrix was put through, and print it as a table.

A test says which row it belongs to by ``@pytest.mark.matrix("F1")`` and, where it makes its
fault more than once, how often by ``record_property("attempts", n)``.
"""

from collections import Counter

import pytest

ROWS = {
    "F1": "SIGKILL at every database event",
    "F2": "SIGKILL at random times, workers included",
    "F3": "SIGINT and SIGTERM, once and twice, at any time",
    "F4": "SIGKILL while a report is written",
    "F5": "disk full",
    "F6": "a failing system call (EIO, ENOSPC)",
    "F7": "read-only files and folders, unprivileged user",
    "F8": "flipped bits, truncation, garbage, foreign files and journals",
    "F9": "hostile rows",
    "F10": "older, newer and missing schema versions",
    "F11": "another manifest, field by field",
    "F12": "hostile names",
    "F13": "hostile URLs",
    "F14": "malformed IDX files, with and without asserts",
    "F15": "malformed gzip files",
    "F16": "searches of one study at once",
    "F17": "readers and writers that hold the file",
    "F18": "clocks that jump, time zones",
    "F19": "failing workers",
    "F20": "diverging and constant models",
    "F21": "hostile environments",
    "F22": "no network",
    "F23": "unsafe loads in the source",
    "F24": "PostgreSQL: terminated backends, a server that stops",
    "F25": "files in a report's folder that the report did not write",
    "F26": "rows that belong to no study or trial",
    "F27": "a manifest, seal or direction that is lost",
    "F28": "a schema that is not Optuna's",
    "F29": "links, pipes, devices and huge files beside a storage",
    "F30": "control characters and formulas in names and values",
    "F31": "advice in a message, followed",
    "F32": "trials that were trained otherwise than their study",
    "F33": "a caller's torch, NumPy and pandas settings",
    "F34": "matplotlib's environment",
    "F35": "time zones, and hours that clocks repeat",
    "F36": "Optuna's own tools on a study",
    "F37": "data without its two classes",
    "F38": "the exit status of an error in a worker",
    "F39": "what kills leave in a report's folder",
    "F40": "passwords in mistyped URLs",
    "F41": "models that cannot be trained as a cohort",
    "F42": "what is trusted, said in the documents",
}

ALL = ("matrix", "matrix or faults")  # what is asked of pytest for the whole table
ENDS = {
    "named": "named by the check",
    "same": "the same report",
    "permitted": "permitted",
    "lost": "neither",
}  # of an edit, in ``test_tamper``


def pytest_runtest_setup(item):
    """Tell the row to whoever prints the table, in this process or another."""
    item.user_properties += [("matrix", mark.args[0]) for mark in item.iter_markers("matrix")]


def pytest_terminal_summary(terminalreporter):
    """Print the table, if the matrix was tested as a whole."""
    if terminalreporter.config.getoption("markexpr") in (*ALL, "faults"):
        _tampering(terminalreporter)
    if terminalreporter.config.getoption("markexpr") not in ALL:
        return
    attempts, failed, skipped = Counter(), Counter(), Counter()
    for outcome, counter in (("passed", attempts), ("failed", failed), ("skipped", skipped)):
        for report in terminalreporter.getreports(outcome):
            properties = dict(report.user_properties)
            counter[properties.get("matrix")] += properties.get("attempts", 1)
    terminalreporter.section("faults")
    terminalreporter.line(f"{'':4} {'fault':62} {'attempts':>8} {'lost':>5}")
    for row, words in ROWS.items():
        lost = str(failed[row] or "none") if attempts[row] or failed[row] else "-"
        left_out = f"  ({skipped[row]} skipped)" if skipped[row] else ""
        count = f"{attempts[row] + failed[row]:8,}"
        terminalreporter.line(f"{row:4} {words:62} {count} {lost:>5}{left_out}")


def _tampering(terminalreporter):
    """How the edits of a storage ended; see ``test_tamper``."""
    counts = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            counts.update(dict(report.user_properties).get("tampering", {}))
    pages = counts.pop("pages", 0)
    if counts:
        ended = ", ".join(f"{counts[how]:,} {words}" for how, words in ENDS.items())
        terminalreporter.section("tampering")
        terminalreporter.line(f"{counts.total():,} edits: {ended}; {pages} pages compared")


@pytest.fixture
def attempts(record_property):
    """Say how often a test made its fault: ``attempts(57)``."""
    return lambda number: record_property("attempts", number)
