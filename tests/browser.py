"""Chromium without a window, to look at pages; tests that need it are skipped without it."""

import shutil
from dataclasses import dataclass, field

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPEN = "document.querySelectorAll('details').forEach(d => { d.open = true })"


@pytest.fixture(scope="module")  # its event loop would be in the way of other modules
def browser():
    """Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@dataclass
class Said:
    """What a page asked for, and what the browser had to say of it."""

    asked: list = field(default_factory=list)  # addresses, but for data in the page
    said: list = field(default_factory=list)  # on the console: what a policy refuses too

    def listen(self, page):
        """Hear all of it from now on."""
        page.on("request", self._ask)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _ask(self, request):
        if not request.url.startswith("data:"):
            self.asked.append(request.url)


@pytest.fixture
def opened(browser):
    """Opens an address in a window of its own; all are closed in the end."""
    contexts = []

    def open_(url, width=1200, said=None, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        if said is not None:
            said.listen(page)
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()


ONE_OF_EACH = """document.querySelectorAll('tbody, ul, ol, dl').forEach(list => {
    const looks = new Set();
    for (const each of [...list.children]) {
        const look = [each, ...each.querySelectorAll('*')]
            .map(e => [e.tagName, e.getAttribute('class'), ...e.getAttributeNames()]).join();
        if (looks.has(look)) each.remove();
        looks.add(look);
    }
})"""


def violations(page, schemes=(None,)):
    """The accessibility rules that axe finds broken, each with the first place.

    The contrast is that of each colour scheme, by default of the page's own. It takes axe a
    millisecond a cell, so of the rows of a table that have the same elements only one is left.
    """
    rest = {"rules": {"color-contrast": {"enabled": False}}}
    found = _found(page, rest)
    page.evaluate(ONE_OF_EACH)
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found += _found(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    return found


def _found(page, options):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]} | options)
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found.response["violations"]]
