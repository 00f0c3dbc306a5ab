"""The figures of the page in a real browser: the values of marks, and the size of words."""

import pytest

from tests.browser import OPEN

SVG = ".chart:visible:has(.marks)"


@pytest.fixture(scope="module")
def url(report):
    return (report / "index.html").as_uri()


def value(page):
    """What is said of a mark, in the live region; it has to be in the window."""
    found = page.locator("output.value")
    assert found.get_attribute("aria-live") == "polite"
    if text := found.text_content():
        box, window = found.bounding_box(), page.viewport_size
        assert box["x"] >= 0 <= box["y"]
        assert box["x"] + box["width"] <= window["width"]
        assert box["y"] + box["height"] <= window["height"]
    return text


def titles(chart):
    return chart.locator(".marks title").all_text_contents()


def spot(chart, place):
    """The middle of a mark, in the window."""
    chart.scroll_into_view_if_needed()
    return chart.evaluate(
        "(svg, place) => { const mark = svg.querySelector('.marks').children[place];"
        " mark.scrollIntoView({ block: 'center' }); const box = mark.getBoundingClientRect();"
        " return [box.x + box.width / 2, box.y + box.height / 2]; }",
        place,
    )


@pytest.mark.parametrize("width", [375, 1280])
def test_every_figure_says_its_values_under_the_pointer(opened, url, width):
    """The first mark's and the last one's; away from all, nothing. Figures in details too."""
    page = opened(url, width=width)
    page.evaluate(OPEN)
    charts = page.locator(SVG).all()

    assert len(charts) == 11 + 2  # those of the page, and of the chosen trials
    for chart in charts:
        words = titles(chart)
        for place in (0, len(words) - 1):
            page.mouse.move(*spot(chart, place))
            assert value(page) in words
        page.mouse.move(1, 1)
        assert value(page) == ""


@pytest.mark.parametrize(("width", "which"), [(375, ".small"), (1280, "")], ids=["375", "1280"])
def test_the_keyboard_goes_through_every_figure(opened, url, width, which):
    """One stop of the tabulator a figure; arrows, Home and End go on from there; Esc leaves.

    At 375 pixels through those alone that have a smaller copy for it.
    """
    page = opened(url, width=width)
    page.evaluate(OPEN)
    charts = page.locator(SVG + which).all()

    assert len(charts) > 3
    for chart in charts:
        words = titles(chart)
        chart.evaluate("svg => svg.previousElementSibling?.focus()")
        chart.focus()
        for key, place in (
            *(("Home", 0), ("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0)),
            *(("ArrowLeft", 0), ("End", -1), ("ArrowRight", -1)),
        ):
            page.keyboard.press(key)
            assert value(page) == words[min(place, len(words) - 1)]
        page.keyboard.press("Escape")
        assert value(page) == ""
        assert not chart.evaluate("svg => svg === document.activeElement")


def test_the_tabulator_stops_once_at_a_figure(opened, url):
    """At the copy that is shown, whose value appears at once; never inside it."""
    page = opened(url, width=1280)
    charts = page.locator(SVG)
    page.locator("figure summary").first.focus()

    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.chart')"):
        page.keyboard.press("Tab")

    assert value(page) == titles(charts.nth(1))[0]
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('.chart')")
    assert page.locator(".chart [tabindex]").count() == 0


def test_a_touch_says_a_value_and_the_next_one_elsewhere_takes_it_away(opened, url):
    """On a telephone."""
    page = opened(url, width=375, has_touch=True, is_mobile=True)
    chart = page.locator(SVG).first

    page.touchscreen.tap(*spot(chart, 0))
    assert value(page) in titles(chart)
    page.locator("h2").first.tap()
    assert value(page) == ""


def test_without_script_every_mark_has_its_title(opened, url):
    """The browser shows it; no figure takes the focus, since it could do nothing with it."""
    page = opened(url, java_script_enabled=False)

    assert page.locator(".marks title").count() == page.locator(".marks > *").count() > 100
    assert page.locator(".chart[tabindex]").count() == 0


def test_words_in_figures_are_whole_and_large_enough(opened, url):
    """10 pixels high at least, as they are shown, and inside of their figure and of the window."""
    page = opened(url)
    page.evaluate(OPEN)

    for width in (375, 768, 1200, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found = words_in(page)
        assert len(found) > 100
        assert min(size for size, *_ in found) >= 10, width
        assert min(min(room) for _, *room in found) >= -1, width


def words_in(page):
    """Each word's height in pixels, and the room on its four sides."""
    return page.locator(".chart:visible").evaluate_all(
        "charts => charts.flatMap(svg => [...svg.querySelectorAll('g[transform*=scale]')]"
        ".map(g => {"
        " const matrix = g.getScreenCTM(), box = g.getBoundingClientRect();"
        " const whole = svg.getBoundingClientRect();"
        " return [100 * Math.hypot(matrix.a, matrix.b), box.left - whole.left,"
        " whole.right - box.right, box.top - whole.top, whole.bottom - box.bottom]; }))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_images_of_figures_are_not_white_on_a_dark_page(opened, url, scheme):
    """Weights of 0 are the paper; digits have the page's ink."""
    page = opened(url, color_scheme=scheme)

    assert page.locator("img.ink").count() > 5
    inverted = page.locator("img.ink").first.evaluate("i => getComputedStyle(i).filter")
    assert inverted == ("invert(0.92)" if scheme == "dark" else "none")
