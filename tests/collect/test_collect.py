"""``study collect``: every submission of a folder tree in a row, and nothing else is touched."""

import csv
import hashlib
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from study.collect.content import Content
from study.collect.entries import Entry
from study.collect.sentences import answer
from study.training.protocol import Protocol
from tests.browser import Said, violations
from tests.helpers.commands import assert_refused, here
from tests.helpers.plans import confirmed, plan, search, searched
from tests.helpers.posix import CAN_LINK
from tests.helpers.sql import query
from tests.sweep.helpers import own

SHORTER = Protocol(steps=30, val_every=10)
IS_LINK = "is a link (symbolic links are not followed)"
WRONG = {
    "wrong/damaged.db": "study 'linear': trial 0 is damaged",
    "wrong/half.db": "has no studies linear and mlp: it holds 'linear'",
    "wrong/mixed.db": "can't be compared, since they differ in steps (60 against 30)",
    "wrong/notes.db": "is not an SQLite database",
}
if hasattr(os, "mkfifo"):  # Windows has none in folders
    WRONG["wrong/pipe.db"] = "is a pipe"
if CAN_LINK:
    WRONG |= dict.fromkeys(("wrong/linked.db", "wrong/outside"), IS_LINK)


def both(path, prefix="", n_trials=4, **changes):
    """A person's two studies."""
    path.parent.mkdir(exist_ok=True)
    for model in ("linear", "mlp"):
        search(path, prefix + model, n_trials, plan(model, **changes))
    return path


def state(folder):
    """Every file below a folder with its content and time; a link or a pipe is not opened."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.is_file() and digest(path))
        for path in sorted(folder.rglob("*"))
    }


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Six submissions and what is none; how the command ended, and its table by submission."""
    folder = tmp_path_factory.mktemp("course")
    all_, elsewhere = folder / "all", folder / "elsewhere"
    for each in (all_, elsewhere):
        each.mkdir()
    ada = confirmed(both(all_ / "ada/study.db", seed=1))
    both(all_ / "ben/study.db", seed=2)
    (all_ / "carl").mkdir()
    shutil.copy(ada, all_ / "carl/a copy.bin")  # known by its header, and not by its name
    both(all_ / "dora/study.db", seed=1)
    both(all_ / "eve/study.db", seed=5, protocol=SHORTER, target=0.5)
    both(all_ / "fay & co.db", "fay-", seed=6)
    wrong = all_ / "wrong"
    wrong.mkdir()
    shutil.copy(all_ / "ben/study.db", wrong / "damaged.db")
    query(wrong / "damaged.db", "UPDATE trial_values SET value = 0.001 WHERE trial_id = 1")
    searched(wrong / "half.db", n_trials=1)
    searched(wrong / "mixed.db", n_trials=1)
    searched(wrong / "mixed.db", "mlp", 1, protocol=SHORTER)
    (wrong / "notes.db").write_text("not a database")
    (wrong / "report.html").write_text("no storage's name, and not its header")
    both(elsewhere / "study.db", seed=9)
    if CAN_LINK:
        (wrong / "linked.db").symlink_to(elsewhere / "study.db")
        (wrong / "outside").symlink_to(elsewhere)
    if hasattr(os, "mkfifo"):
        os.mkfifo(wrong / "pipe.db")
    before = state(all_)
    ended = here("study", "collect", "all", folder=folder)
    with (folder / "reports/tables/submissions.csv").open() as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    return SimpleNamespace(folder=folder, ended=ended, rows=rows, before=before)


def test_every_submission_of_the_tree_has_a_row(collected):
    """Whatever its file is called, and several in one file; of nothing else."""
    names = ["ada/study.db", "ben/study.db", "carl/a copy.bin", "dora/study.db", "eve/study.db"]

    assert sorted(collected.rows) == [*names, "fay & co.db: fay"]
    assert collected.ended.status == 0
    assert collected.ended.stdout == f"reports/index.html (6 submissions, {len(WRONG)} left out)\n"


def test_what_is_left_out_is_told_on_a_line_each(collected):
    """On standard error and on the page: what is no storage, damaged or not comparable."""
    lines = collected.ended.stderr.splitlines()
    page = (collected.folder / "reports/index.html").read_text().replace("&#39;", "'")

    told = {line.split(": ")[1]: line for line in lines}
    assert sorted(told) == sorted(WRONG)
    assert [name for name, why in WRONG.items() if why not in told[name]] == []
    assert [why for why in WRONG.values() if why not in page] == []


def test_nothing_in_the_folder_is_changed_and_no_link_is_followed(collected):
    """Every file has its bytes and its time, and nothing was added beside a storage."""
    assert state(collected.folder / "all") == collected.before
    assert not any("elsewhere" in name for name in collected.rows)


def test_a_row_has_what_the_storage_has(collected):
    """Both errors, the trials, the seed; the verdict and the held-out errors where confirmed."""
    row = collected.rows["ada/study.db"]
    path = collected.folder / "all/ada/study.db"
    [(value,)] = query(
        path,
        "SELECT min(value) FROM trial_values JOIN trials USING (trial_id) JOIN studies "
        "USING (study_id) WHERE study_name = 'mlp'",
    )

    assert float(row["mlp_error"]) == value == int(row["mlp_errors"]) / int(row["n_val"])
    assert (row["linear_trials"], row["mlp_complete"], row["seed"]) == ("4", "4", "1")
    assert "The linear model" in row["verdict"]
    assert float(row["mlp_held_out"]) > 0
    assert collected.rows["ben/study.db"]["mlp_held_out"] == ""


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        (
            "ada/study.db",
            "same trials, recorded at the same times: carl/a copy.bin; "
            "same trials, recorded at other times: dora/study.db",
        ),
        ("ben/study.db", ""),
        (
            "dora/study.db",
            "same trials, recorded at other times: ada/study.db and carl/a copy.bin",
        ),
        (
            "eve/study.db",
            "target 0.5, most have 0.035; steps 30, most have 60; val_every 10, most have 20",
        ),
    ],
)
def test_a_note_tells_what_differs_from_most_and_who_has_the_same_trials(collected, name, notes):
    """A copy of a file has the same times; a second search with the same seed has others."""
    assert sorted(collected.rows[name]["notes"].split("; ")) == sorted(notes.split("; "))


def test_the_page_counts_what_it_shows(collected):
    """How the errors spread, and how many are confirmed, as the table has it."""
    page = (collected.folder / "reports/index.html").read_text()
    errors = [float(row["linear_error"]) for row in collected.rows.values()]

    spread = f"errs on {100 * min(errors):.2f} % to {100 * max(errors):.2f} %"
    assert f"The linear model {spread}, with a median of " in page
    assert "2 of 6 are confirmed on data" in page


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([(5, 4), (5, 3), (4, 5)], "the MLP has the lower error in 2, the linear model in 1."),
        ([(5, 4)], "the MLP has the lower error in 1."),
        ([(4, 4), (5, 4)], "the MLP has the lower error in 1, no one model in 1."),
        ([(4, 4)], "no one model has the lower error in 1."),
    ],
)
def test_the_title_counts_how_often_each_model_errs_least(errors, said):
    """Where models are level, none of them is counted."""
    entries = [Entry(f"{k}", own(f"{k}", pair), (), ()) for k, pair in enumerate(errors)]
    title = answer(Content(entries, (), ("linear", "mlp")))

    assert title == f"{len(errors)} submission{'s' * (len(errors) > 1)}: {said}"


def test_the_page_defines_every_colour_that_it_uses(collected):
    """Without one, text and lines have the colour of what is around them."""
    page = (collected.folder / "reports/index.html").read_text()

    assert set(re.findall(r"var\((--[\w-]+)", page)) <= set(re.findall(r"(--[\w-]+):", page))


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_needs_no_network_and_fits_its_window(collected, opened, width):
    """Nothing is asked for, nothing is wider than the window, and axe finds nothing."""
    said = Said()
    page = opened((collected.folder / "reports/index.html").as_uri(), width, said)

    assert len(said.asked) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    assert said.said == []


def test_the_same_command_writes_the_same_page(collected):
    """It may lie where it lay: a page of ours is replaced, and another's is not."""
    page = collected.folder / "reports/index.html"
    before = page.read_bytes()

    assert here("study", "collect", "all", "-q", folder=collected.folder).stdout == ""
    assert page.read_bytes() == before
    other = collected.folder / "other"
    other.mkdir()
    (other / "index.html").write_text("mine")
    ended = here("study", "collect", "all", "--out", "other", folder=collected.folder)
    assert_refused(ended, "index.html: is there, and no report wrote it")


def test_a_source_without_a_submission_is_refused(collected, tmp_path):
    """A folder that is not there, or that holds none."""
    assert_refused(here("study", "collect", tmp_path / "no"), "there is no such folder or file")
    assert_refused(here("study", "collect", "", folder=collected.folder), "'': there is no such")
    assert_refused(here("study", "collect", tmp_path), "has no studies linear and mlp")


def test_a_storage_that_many_share_is_a_source_by_its_url(collected):
    """One row a person; the URL stands where a file's path does."""
    folder = collected.folder
    url = f"sqlite:///{folder / 'all/fay & co.db'}"

    ended = here("study", "collect", url, "--out", "of-url", folder=folder)

    assert ended.stdout == "of-url/index.html (1 submission)\n"


def test_the_commands_of_the_page_for_teachers_run(collected, tmp_path):
    """On a folder of submissions: the overview, and one trial trained again."""
    page = Path(__file__).parents[2] / "docs/teaching.md"
    lines = re.findall(r"^    study ((?:collect sub|reproduce).+)", page.read_text(), re.M)
    shutil.copytree(collected.folder / "all/ada", tmp_path / "submissions/ada")

    collect, reproduce = [here("study", *line.split(), folder=tmp_path) for line in lines]

    assert collect == (0, "overview/index.html (1 submission)\n", "")
    assert reproduce.stdout.startswith("mlp trial 3: identical")
