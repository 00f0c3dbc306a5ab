"""The table of all trials in a real browser: whole without script, explored with it."""

import re
from itertools import pairwise

import pytest

from study.report.sections.trials import MOST, drawn_validations
from tests.helpers import sql

MODELS = {"linear": "Linear model", "mlp": "MLP"}
CURVE = re.compile(r"(.+), trial (\d+), step ([\d,]+): ([\d.]+)( %)?")


@pytest.fixture(scope="module")
def stored(confirmed):
    """Each trial of the two searches, by the name that the page gives its study, and number."""
    return {
        (title, trial["number"]): trial
        for study, title in MODELS.items()
        for trial in sql.trials(confirmed, study)
    }


@pytest.fixture
def page(opened, report):
    """The confirmed page with its table of trials open."""
    page = opened((report / "index.html").as_uri())
    page.locator("details.trials > summary").click()
    page.locator(".key li").first.wait_for()
    return page


def texts(page):
    """The cells of each row that is shown."""
    return page.locator("details.trials tbody tr:visible").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )


def box(page, model, number):
    return page.get_by_label(f"Trial {number} of {model}: draw its curves")


def drawn(page):
    """The trials that the key names, in order."""
    return [text.partition(":")[0] for text in page.locator(".key span").all_text_contents()]


def test_the_table_is_whole_without_script(opened, report, stored):
    """Its summary opens it, and it has every trial as it is stored."""
    page = opened((report / "index.html").as_uri(), java_script_enabled=False)
    page.locator("details.trials > summary").click()

    rows = page.locator("details.trials tbody tr").all()
    found = {
        (cells[0], int(cells[1])): cells
        for cells in (row.inner_text().split("\t") for row in rows)
    }

    assert found.keys() == stored.keys()
    for key, trial in stored.items():
        _, _, rate, *_, lowest, errors, step, end, _, outcome, _ = found[key]
        assert float(rate) == pytest.approx(trial["parameters"]["learning_rate"], rel=5e-3)
        assert (errors, step, outcome) == (
            f"{trial['val_errors']}",
            f"{trial['step']}",
            trial["outcome"],
        )
        shares = [trial["val_errors"] / trial["n_val"], trial["final_error"]]
        assert [lowest, end] == [f"{100 * share:.2f} %" for share in shares]


@pytest.mark.parametrize("heading", ["Learning rate", "Errors of 1,791", "Trial"])
def test_a_click_sorts_by_number(page, heading):
    """Up, then down, with the heading saying so to who can't see it."""
    place = page.locator("details.trials th[scope=col]").all_text_contents().index(heading)
    button = page.locator("details.trials").get_by_role("button", name=heading, exact=True)

    button.click()
    up = [float(cells[place]) for cells in texts(page)]
    button.click()
    down = [float(cells[place]) for cells in texts(page)]

    assert up == sorted(up) != down
    assert down == sorted(up, reverse=True)
    assert button.locator("..").get_attribute("aria-sort") == "descending"


def test_missing_values_stand_last_either_way(page):
    """A linear model has no hidden units, so it is after every MLP, up and down."""
    button = page.locator("details.trials").get_by_role("button", name="Hidden units")

    for _ in range(2):
        button.click()

        assert [cells[0] for cells in texts(page)] == ["MLP"] * 6 + ["Linear model"] * 6


def test_text_and_choices_filter_the_rows(page, stored):
    """Any cell may match; the choice of a model holds beside it; the count is said."""
    said = page.locator("details.trials [role=status]")
    assert said.text_content() == "12 of 12 trials"

    page.get_by_label("Find").fill("MLP")
    assert {cells[0] for cells in texts(page)} == {"MLP"}
    page.get_by_label("Find").fill(f"{stored['MLP', 3]['val_errors']}")
    assert all(
        any(f"{stored['MLP', 3]['val_errors']}" in cell for cell in cells) for cells in texts(page)
    )
    page.locator("[name=model]").select_option("Linear model")
    assert {cells[0] for cells in texts(page)} <= {"Linear model"}
    page.get_by_label("Find").fill("")

    assert len(texts(page)) == 6
    assert said.text_content() == "6 of 12 trials"


def test_the_best_of_each_study_is_drawn_at_first(page, stored):
    """A line each in both plots, and the key says their lowest errors."""
    best = {
        title: min(
            (trial for (model, _), trial in stored.items() if model == title),
            key=lambda trial: (trial["val_errors"], trial["val_loss"]),
        )
        for title in MODELS.values()
    }

    assert set(drawn(page)) == {
        f"{title}, trial {trial['number']}" for title, trial in best.items()
    }
    assert page.locator("details.trials path.line").count() == 2 * 2 + 2


def test_curves_show_every_stored_validation(page, stored):
    """The values that the marks name are those of the trial, in percent and as losses."""
    marks = page.locator("details.trials .marks title").evaluate_all(
        "titles => titles.map(title => title.textContent)"
    )
    found = [CURVE.fullmatch(mark).groups() for mark in marks]

    for name in drawn(page):
        model, _, number = name.partition(", trial ")
        trial = stored[model, int(number)]
        own = [each for each in found if each[:2] == (model, number)]
        steps, values = ([each[place] for each in own] for place in (2, 3))
        counts, losses = (trial["curve"][key] for key in ("val_errors", "val_loss"))
        assert [int(step.replace(",", "")) for step in steps] == trial["curve"]["step"] * 2
        assert list(map(float, values)) == pytest.approx(
            [100 * count / trial["n_val"] for count in counts] + losses, rel=5e-3
        )


def test_trials_are_chosen_by_mouse_and_keyboard(page):
    """A click or Space draws one more; a fifth takes the first one's place; remove removes."""
    first, second = drawn(page)
    others = [
        (cells[0], cells[1])
        for cells in texts(page)
        if f"{cells[0]}, trial {cells[1]}" not in (first, second)
    ]

    box(page, *others[0]).click()
    for other in others[1:3]:
        box(page, *other).focus()
        page.keyboard.press("Space")
    full = drawn(page)
    page.get_by_role("button", name=f"remove {second}").press("Enter")

    chosen = [f"{model}, trial {number}" for model, number in others[:3]]
    assert full == [second, *chosen]
    assert drawn(page) == chosen
    assert page.locator("details.trials tbody input:checked").count() == 3


def test_the_values_of_a_curve_are_read_by_the_arrow_keys(page):
    """As in every figure: one tab stop, and the next mark's value in a live region."""
    plot = page.locator("details.trials svg.chart").first
    words = plot.locator(".marks title").evaluate_all("all => all.map(one => one.textContent)")

    plot.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")

    assert page.locator("output.value").text_content() == words[1]


@pytest.mark.parametrize(("validations", "trials"), [(6, 12), (100, 2_000), (10_000, 1), (1, 1)])
def test_many_points_are_thinned_alike(validations, trials):
    """The first and the last stay, and between them every k-th, as the page has room."""
    found = drawn_validations(range(0, 50 * validations, 50), trials)

    assert (found[0], found[-1]) == (0, validations - 1)
    assert len({b - a for a, b in pairwise(found[:-1])}) <= 1
    assert len(found) <= 201
    assert (len(found) - 1) * trials <= MOST
    assert validations > 6 or len(found) == validations
