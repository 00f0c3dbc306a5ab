"""The page in a real browser: real and awkward studies, in light, dark, on paper and a phone.

``REPORT_SCREENSHOTS=DIR`` keeps the screenshots, for people to look at.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

from study.report import write
from tests.browser import OPEN, Said, violations
from tests.helpers.sql import change
from tests.report.conftest import searched
from tests.report.helpers import recorded, set_attribute

FOLD = """isOpen => document.querySelectorAll('details').forEach(each => {
    each.atFirst ??= each.open;
    each.open = isOpen || each.atFirst;
})"""
CONTROLS = "button, select, input"
HOSTILE = "</script><img src=x onerror=alert(1)> $\\frac{ 'q' \"" + "w" * 60
RARE = ("one trial", "all diverged", "1,000 trials")
PAGES = ("confirmed", "hostile name", "six models")
PAGES += tuple(pytest.param(name, marks=pytest.mark.slow) for name in RARE)


@dataclass(frozen=True)
class Pages:
    """Makes each page once, when a test first asks for it."""

    folder: Path
    original: Path
    report: Path
    six: Path

    def url(self, name):
        """The address of a page's file."""
        if name in ("confirmed", "six models"):
            return ((self.six if name == "six models" else self.report) / "index.html").as_uri()
        page = self.folder / name / "out" / "index.html"
        if not page.exists():
            names = getattr(self, name.replace(" ", "_").replace(",", ""), self.trials)(
                page.parents[1]
            )
            storage = str(page.parents[1] / "study.db")
            write(storage, page.parent, formats=("svg",), **names)
        return page.as_uri()

    def one_trial(self, folder):
        folder.mkdir()
        searched(folder / "study.db", "linear", n_trials=1)
        return {}

    def all_diverged(self, folder):
        shutil.copytree(self.original.parent, folder)
        set_attribute(folder / "study.db", "outcome", "diverged")
        return {}

    def hostile_name(self, folder):
        shutil.copytree(self.original.parent, folder)
        searched(folder / "study.db", "mlp", name="other", n_trials=2)
        change(
            folder / "study.db",
            "UPDATE studies SET study_name = ? WHERE study_name = 'mlp'",
            HOSTILE,
        )
        return {"linear": HOSTILE, "mlp": "other"}

    def trials(self, folder):
        shutil.copytree(self.original.parent, folder)
        for model in ("linear", "mlp"):
            recorded(folder / "study.db", model, 1_000)
        return {}


@pytest.fixture(scope="module")
def pages(original, report, six_report, tmp_path_factory):
    return Pages(tmp_path_factory.mktemp("pages"), original, report, six_report)


@pytest.fixture(scope="module")
def seen(browser, pages):
    """``seen(name)``: a page as it is at first, or otherwise, in one window for all tests.

    For tests that only look at it.
    """
    windows = {}

    def see(name, *, width=1200, media="screen", scheme="light", is_open=False):
        if name not in windows:
            windows[name] = browser.new_context().new_page()
            windows[name].goto(pages.url(name))
        page = windows[name]
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(media=media, color_scheme=scheme)
        page.evaluate(FOLD, is_open)
        page.evaluate("scrollTo(0, 0)")
        return page

    yield see
    for page in windows.values():
        page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_and_nothing_is_refused(opened, pages, name):
    """The file itself and data in it are all requests; the policy has nothing to complain of."""
    heard = Said()
    page = opened(pages.url(name), said=heard)

    page.evaluate(OPEN)

    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert (heard.asked, heard.said) == ([pages.url(name)], [])


def test_a_hostile_name_is_only_text_beside_its_curves(opened, pages):
    """What the script writes of a study's name is text, too."""
    page = opened(pages.url("hostile name"))

    page.evaluate(OPEN)

    assert f"{HOSTILE}, trial" in page.locator(".key").text_content()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_a_mail(pages, name):
    """Under 3 MB, however many trials."""
    with urlopen(pages.url(name)) as page:
        assert len(page.read()) < 3_000_000


def test_the_policy_refuses_what_is_not_the_pages_own(opened, pages):
    """A script and a style that were smuggled in are not run."""
    page = opened(pages.url("confirmed"))

    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        "document.body.append(s); const c = document.createElement('style');"
        "c.textContent = 'body { width: 7px }'; document.body.append(c)"
    )

    assert page.evaluate("[window.ran, document.body.clientWidth > 7]") == [None, True]


@pytest.mark.parametrize("name", PAGES)
def test_the_axe_audit_finds_nothing(opened, pages, name):
    """No violation of axe's rules, the contrast on light and dark screens included."""
    page = opened(pages.url(name), bypass_csp=True)

    page.evaluate(OPEN)

    assert violations(page, ("light", "dark")) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_telephone_need_not_scroll_sideways(seen, name):
    """At 375 pixels the page is as wide as the window, its open tables included."""
    page = seen(name, width=375, is_open=True)

    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_page_is_whole_without_script(opened, pages):
    """The same words, but for the arrows; no control, since it could do nothing."""
    with_, without = (
        opened(pages.url("confirmed"), java_script_enabled=on) for on in (True, False)
    )
    counts = [page.locator(CONTROLS).count() for page in (with_, without)]

    with_.locator("label:has(select)").evaluate_all("labels => labels.forEach(l => l.remove())")
    assert without.locator("body").text_content() == with_.locator("body").text_content()
    assert counts[1] == 0 < counts[0]


PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_colours_can_be_chosen(opened, pages, system):
    """By keyboard, against the system's setting and back to it; paper is light at any rate."""
    page = opened(pages.url("confirmed"), color_scheme=system)
    papers, choice = [page.evaluate(PAPER)], page.get_by_label("Colours")

    choice.focus()
    for key in ("ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        papers.append(page.evaluate(PAPER))
    page.emulate_media(media="print")
    papers.append(page.evaluate(PAPER))

    light, dark = "rgb(254, 254, 254)", "rgb(21, 22, 26)"
    assert papers == [light if system == "light" else dark, light, dark, light]


def test_the_chosen_colours_are_kept_where_they_can_be(opened, pages):
    """Also for the page opened again; where a browser keeps nothing, the choice works too."""
    page = opened(pages.url("confirmed"))
    page.get_by_label("Colours").select_option("dark")
    page.reload()
    kept = page.get_by_label("Colours").input_value()

    page.evaluate("Object.defineProperty(window, 'localStorage', { get() { throw Error() } })")
    page.get_by_label("Colours").select_option("light")

    assert kept == "dark"
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


@pytest.mark.parametrize(
    ("text", "number"),
    [("2.5·10⁻⁵", 2.5e-5), ("10⁻⁵", 1e-5), ("1,791", 1791), ("2.57 % (46 of 1,791)", 2.57)],
)
def test_a_cell_is_sorted_by_the_number_that_it_begins_with(seen, text, number):
    """Powers of ten and thousands are read as people read them."""
    page = seen("confirmed")

    assert page.evaluate("t => valueOf({ textContent: t })", text) == pytest.approx(number)


LOOKS = {
    "light": {"width": 1200},
    "dark": {"width": 1200, "scheme": "dark"},
    "phone": {"width": 375},
    "phone dark": {"width": 375, "scheme": "dark"},
    "print": {"width": 800, "media": "print"},
    "print of a dark screen": {"width": 800, "media": "print", "scheme": "dark"},
}


def looked_at(page, folder, look):
    """The first figure's picture and the page's, as arrays of grey."""
    path = folder / f"{look}.png"
    page.screenshot(path=path, full_page=True)
    figure = page.locator("figure .chart:visible").first.bounding_box()
    grey = np.array(Image.open(path).convert("L"))
    top, left = int(figure["y"]), int(figure["x"])
    return grey, grey[top : top + int(figure["height"]), left : left + int(figure["width"])]


@pytest.mark.parametrize("look", LOOKS)
def test_paper_and_ink_stand_apart_in_every_look(seen, tmp_path, look):
    """Page and figure have the same paper, dark only on a dark screen, and ink that shows."""
    folder = Path(os.environ.get("REPORT_SCREENSHOTS") or tmp_path)
    folder.mkdir(exist_ok=True)

    page, figure = looked_at(seen("confirmed", **LOOKS[look]), folder, look)

    is_dark = "dark" in look and "print" not in look
    for picture in (page, figure):
        assert (np.median(picture) < 60) == is_dark
        assert int(picture.max()) - int(picture.min()) > 180


@pytest.mark.parametrize("width", [375, 1280])
def test_six_models_need_no_scrolling_in_their_tables(seen, width):
    """All cells of the tables that have a column a model, or a row a pair, are in the window."""
    page = seen("six models", width=width)

    assert hidden(page, "table.comparison, table.paired, table.answer") == 0
    if width == 375:
        assert hidden(page, "table.fairness, table.reproduce") == 0


def hidden(page, tables):
    """How many of these tables are wider than the place that they have."""
    return page.locator(tables).evaluate_all(
        "found => found.map(table => table.parentElement)"
        ".filter(place => place.scrollWidth > place.clientWidth).length"
    )


@pytest.mark.parametrize("name", ["confirmed", "six models"])
def test_paper_shows_no_controls(seen, name):
    """Menus, folded tables and arrows are for screens; wide commands and tables wrap."""
    page = seen(name, width=700, media="print")

    assert not any(page.locator(name).first.is_visible() for name in ("nav", "details"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('pre')].every(p => p.scrollWidth <= p.clientWidth)"
    )


def test_paper_has_wide_figures_in_full_width_and_no_empty_section(seen):
    """At half of the width their words could not be read; a heading alone says nothing."""
    page = seen("confirmed", width=700, media="print")

    wide = page.locator("figure.wide:visible")
    shares = wide.evaluate_all("all => all.map(f => f.clientWidth / f.parentElement.clientWidth)")
    sections = page.locator("section:visible")
    assert min(shares) > 0.99
    assert min(sections.evaluate_all("all => all.map(s => s.innerText.split('\\n').length)")) > 1


def test_the_page_is_short_and_says_the_answer_on_its_first_screen(seen):
    """With details closed: 1,800 words and 12 figures; the command that repeats it within 800."""
    page = seen("confirmed", width=1280)

    assert len(page.evaluate("document.body.innerText").split()) <= 1800
    assert page.locator("figure:visible").count() <= 12
    assert len(page.locator("h1").inner_text().split()) <= 15
    for place in (".lead", ".judged", ".found", ".repeat"):
        box = page.locator(place).first.bounding_box()
        assert box["y"] + box["height"] <= 800, place


def test_what_a_link_shows_is_short(seen):
    """Titles of 60 letters and descriptions of 160 at most, whatever the studies are called."""
    for name in ("confirmed", "hostile name", "six models"):
        page = seen(name)
        said = {
            place: page.locator(f"meta[{place}]").get_attribute("content")
            for place in ("name=description", "property='og:title'", "property='og:description'")
        }
        assert 0 < len(page.title()) <= 60
        assert said["property='og:title'"] == page.title()
        assert said["property='og:description'"] == said["name=description"]
        assert 0 < len(said["name=description"]) <= 160


@pytest.mark.parametrize("name", ["confirmed", "six models"])
def test_contents_stay_in_sight_on_a_wide_screen(seen, name):
    """And mark the section that is read."""
    page = seen(name, width=1280)

    page.evaluate("document.getElementById('mistakes').scrollIntoView()")
    page.locator("nav a[aria-current][href='#mistakes']").wait_for()

    assert page.locator("nav [aria-current]").count() == 1
    assert page.locator("nav").bounding_box()["y"] >= 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
