"""The overview in a real browser: light, dark, and on a telephone."""

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a window."""
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser, swept):
    """Opens the overview in a window of its own; all are closed in the end."""
    contexts = []

    def open_(width=1200, seen=None, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        if seen is not None:
            page.on("request", lambda request: seen.append(request.url))
            page.on("console", lambda message: seen.append(message.text))
        page.goto((swept[0] / "reports/index.html").as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


def test_nothing_is_fetched_and_nothing_is_refused(opened):
    """The file and data in it are all requests; the policy has nothing to complain of."""
    seen = []
    page = opened(seen=seen)

    assert [url for url in seen if not url.startswith("data:")] == [page.url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, scheme):
    """No violation of the accessibility rules that axe knows."""
    found = axe.Axe().run(opened(color_scheme=scheme)).response["violations"]

    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


def test_a_telephone_scrolls_down_only(opened):
    """The matrix scrolls within its own frame."""
    page = opened(width=375)

    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_cell_leads_to_its_pairs_report(opened):
    """As a reader would go there."""
    page = opened()
    page.click("table.matrix a")
    page.wait_for_load_state()

    assert page.url.endswith("/0-1/index.html")
