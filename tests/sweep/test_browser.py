"""The overview in a real browser: light, dark, on paper, by keyboard, and on a telephone."""

import pytest

from study.sweep import page as overview
from study.sweep.data_sets import ALL, DataSet
from study.sweep.rows import Origin
from study.training import registry
from tests.browser import Said, violations

from .helpers import content, row, row_of

A4 = 680  # pixels between the margins of the page


def every_pair():
    """A row a pair, of every winner and colour; two can't stand beside the others."""
    origin = Origin("1", 3 * "10,000 images ", 64 * "a", "study 0.1.0", "AMD EPYC", "2026-11-28")
    for place, pair in enumerate(ALL):
        verdict = "The MLP is better" if place % 2 else ""
        note = "steps 9, not 5000, mlp has 16 of 64 trials" if place < 2 else ""
        errors = 20 + place % 7 * 10, 40
        yield row(*pair, errors, n_val=1_900, verdict=verdict, note=note, origin=origin)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The overview of all pairs, without reports, as an address."""
    folder = tmp_path_factory.mktemp("whole")
    found = content(*every_pair(), damaged=["0-9: it is damaged"])
    return overview.write(folder, found).as_uri()


MODELS = ("linear", "mlp", "two-hidden-layers", "a-model-with-a-very-long-name", "wide", "deep")
NAMES = ("x.csv", "wine quality of red and white.parquet", f"{60 * 'long'}.npz", "a <b> & c.csv")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """The overview of a person's data and six models, two of its rows confirmed."""
    known = dict(registry.MODELS)
    for name in MODELS[2:]:
        registry.register(registry.Model(name, name, "study.training.models:SimpleMLP"))
    rows = [
        row_of(
            DataSet(name, name),
            [(7 * k + 3 * place) % 90 for k, _ in enumerate(MODELS)],
            models=MODELS,
            trials=6 * [64],
            n_train=500,
            columns=30,
            classes=("benign", f"malignant{place * ' or worse'}"),
            verdict=place % 2 * "The MLP and deep cannot be told apart from the linear model",
        )
        for place, name in enumerate(NAMES)
    ]
    found = content(*rows, models=MODELS, only_pairs=False, damaged=["b.csv: it is damaged"])
    yield overview.write(tmp_path_factory.mktemp("sets"), found).as_uri()
    registry.MODELS.clear()
    registry.MODELS.update(known)


@pytest.fixture(params=["of a sweep", "of all pairs", "of data sets"])
def url(request, swept, whole, sets):
    """An overview of two pairs with their reports, one of all, and one of any data."""
    return {"of all pairs": whole, "of data sets": sets}.get(request.param) or address(swept)


@pytest.fixture(params=["of a sweep", "of all pairs"])
def matrix_url(request, swept, whole):
    """An overview with a matrix."""
    return whole if request.param == "of all pairs" else address(swept)


def address(swept):
    """Of the overview of the short sweep."""
    return (swept[0] / "reports/index.html").as_uri()


def test_nothing_is_fetched_and_nothing_is_refused(opened, url):
    """The file and data in it are all requests; the policy has nothing to complain of."""
    heard = Said()
    opened(url, said=heard)

    assert (heard.asked, heard.said) == ([url], [])


def test_a_script_that_was_smuggled_in_is_not_run(opened, url):
    """The policy allows the page's own style, and nothing else."""
    page = opened(url)

    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.ran = true';"
        "document.body.append(s); const c = document.createElement('style');"
        "c.textContent = 'body { width: 7px }'; document.body.append(c)"
    )

    assert page.evaluate("[window.ran, document.body.clientWidth > 7]") == [None, True]


def test_the_page_fits_a_mail(whole):
    """Under 100 kB, all pairs on it."""
    from urllib.request import urlopen

    with urlopen(whole) as page:
        assert len(page.read()) < 100_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, url, scheme):
    """No violation of the accessibility rules that axe knows, contrast included."""
    assert violations(opened(url, color_scheme=scheme, bypass_csp=True)) == []


def test_a_telephone_scrolls_down_only(opened, url):
    """The matrix scrolls within its own frame."""
    page = opened(url, width=375)

    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_all_columns_of_the_matrix_are_as_wide(opened, matrix_url):
    """Also where few pairs are there."""
    page = opened(matrix_url)

    widths = page.evaluate(
        "[...document.querySelectorAll('.matrix thead th')].map(c => c.clientWidth)"
    )
    assert len(widths) == 10
    assert max(widths) - min(widths) <= 1


def test_paper_cuts_nothing(opened, url):
    """On A4, all tables end within the margins."""
    page = opened(url, width=A4)
    page.emulate_media(media="print")

    ends = page.evaluate(
        "[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)"
    )
    assert max(ends) <= A4


def test_paper_has_the_colours_of_the_matrix(opened, matrix_url):
    """Which say who won."""
    page = opened(matrix_url)

    printed = page.evaluate(
        "getComputedStyle(document.querySelector('.matrix td')).printColorAdjust"
    )
    assert printed == "exact"


def test_a_telephone_shows_all_of_a_data_set_without_scrolling(opened, sets):
    """Each cell beside its column's name, none over another."""
    page = opened(sets, width=375)

    boxes = page.evaluate(
        "[...document.querySelectorAll('.sets td')].map(cell => { const text = cell.firstElement"
        "Child.getBoundingClientRect(); return [text.left, text.right, cell.dataset.label] })"
    )
    assert len(boxes) == 4 * (len(MODELS) + 4) + 2
    assert all(96 < left < right <= 375 and label for left, right, label in boxes)
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(f => f.scrollWidth <= f.clientWidth)"
    )


def test_a_name_is_text(opened, sets):
    """Whatever is in it."""
    page = opened(sets)

    shown = page.evaluate(
        "[...document.querySelectorAll('.sets tbody th')].map(h => h.firstChild.data.trim())"
    )
    assert shown == list(NAMES)


def test_the_keyboard_reaches_every_cell_with_a_report(opened, swept):
    """Tab by tab from the page's top, with a frame round it; Enter goes there."""
    page, focus, reached = opened(address(swept)), "document.activeElement", []

    for _ in range(5):  # the matrix's frame, then its four links
        page.keyboard.press("Tab")
        if page.evaluate(f"{focus}.matches('.matrix a')"):
            reached.append(page.evaluate(f"getComputedStyle({focus}).outlineWidth"))
    with page.expect_navigation():
        page.keyboard.press("Enter")

    assert reached == 4 * ["3px"]
    assert page.url.endswith("/8-9/index.html")


def test_a_cell_leads_to_its_pairs_report(opened, swept):
    """As a reader would go there."""
    page = opened(address(swept))
    page.click("table.matrix a")
    page.wait_for_load_state()

    assert page.url.endswith("/0-1/index.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pair_that_is_not_counted_looks_so(opened, whole, scheme):
    """Dashed and without a colour, beside cells that have theirs."""
    page = opened(whole, color_scheme=scheme)

    looks = page.evaluate(
        "['.noted', '.mlp', '.linear', '.unclear'].map(kind => { const s = getComputedStyle("
        "document.querySelector(`td${kind}`)); return [s.outlineStyle, s.backgroundColor] })"
    )
    clear = "rgba(0, 0, 0, 0)"
    assert looks[0] == ["dashed", clear]
    assert all(style == "none" and colour != clear for style, colour in looks[1:])
    assert len({colour for _, colour in looks}) == 4
