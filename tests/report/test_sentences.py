"""Every sentence of a page is true of every study, and listed so, or follows from a condition."""

import ast
import re
from collections import defaultdict
from pathlib import Path
from string import Formatter

import pytest

from study.report import general
from study.report.collect import collect
from study.report.content import with_details
from study.report.sections import compose
from study.training.registry import MODELS
from tests.report import pages
from tests.report.conftest import SIX
from tests.report.models import NET

ROOM = Path(general.__file__).parent
WORDED = (*ROOM.glob("sections/*.py"), ROOM / "headline.py", ROOM.parent / "trials/sampling.py")
LISTED = {name: text for name, text in vars(general).items() if name.isupper()}
NUMBER = re.compile(r"[+−-]?\d[\d,.]*(·?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?<![,.])")


# --- what is on the pages, and what is in the code --------------------------------------------


@pytest.fixture(scope="module")
def records(original, confirmed, six, tmp_path_factory):
    """The name of a page → what it shows."""
    folder = tmp_path_factory.mktemp("pages")
    of_six = collect(str(six), names=tuple(SIX))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "net", NET)
        pages.make_studies(folder / "study.db")
        yield {
            "two": collect(str(original)),
            "confirmed": collect(str(confirmed)),
            "six": of_six,
            **dict(pages.of_official_images(folder / "study.db")),
            **dict(pages.of_altered(original, folder)),
            **dict(pages.of_own_data(folder)),
            **dict(pages.of_other_verdicts(confirmed, of_six)),
        }


@pytest.fixture(scope="module")
def composed(records):
    """The name of a page → its sections, each before its details."""
    return {page: list(with_details(compose(record))) for page, record in records.items()}


@pytest.fixture(scope="module")
def said(records, composed):
    """Place → each text that stands there on a page, with the record of the page."""
    found = defaultdict(list)
    for page, record in records.items():
        for section in composed[page]:
            for place, text in prose(section):
                found[place].append((text, record))
    return found


def prose(section):
    """The text of a section, and what stands below its figures and tables, or for a figure."""
    if section.text:
        yield f"section {section.id}", " ".join(section.text)
    for chart in section.charts:
        drawn = getattr(chart.draw, "func", chart.draw).__name__
        yield f"caption of {drawn}", chart.caption
        yield f"words for {drawn}", chart.alt
    for table in section.tables:
        yield f"note below {section.id} {table.kind}", table.note
    if section.trials:
        yield "note below all trials", section.trials.note


def read(sections):
    """What a reader sees of a page, a text or a table with its words at a time, in order."""
    for section in sections:
        before = 1 if section is sections[0] else len(section.text)
        yield from section.text[:before]
        yield from (f"{chart.title} {chart.caption}" for chart in section.charts)
        for table in section.tables:
            yield " ".join([*words_in(table), table.note])
        yield from section.text[before:]


def words_in(table):
    return (table.caption, *table.header, *(cell for row in table.rows for cell in row))


def names_in(section):
    """All other words: titles, and what stands in a table."""
    yield section.title
    for shown in (*section.charts, *section.sheets):
        yield shown.title
    for table in section.tables:
        yield from words_in(table)
    if section.trials:
        yield from (section.trials.summary, *section.trials.header)


def sentences(text):
    return [each for each in re.split(r"(?<=[.!?])\s+", text) if each]


def pattern(template):
    """A regular expression of a sentence of the list, whose blanks may hold anything."""
    parts = [
        re.escape(words) + ("" if blank is None else f"(?P<{blank}_{place}>.+?)")
        for place, (words, blank, _, _) in enumerate(Formatter().parse(template))
    ]
    return re.compile("".join(parts))


LISTED_SENTENCES = [pattern(each) for text in LISTED.values() for each in sentences(text)]


def shapes(sentence, record):
    """A sentence without its numbers, and without names too; short words are also words."""
    own = [word for s in record.searches for word in (s.noun, s.title, s.name)]
    own += [record.protocol.dataset, *map(str, record.protocol.classes)]
    plain = re.sub(r"\b(image|row)(s?)\b", r"item\2", NUMBER.sub("#", sentence))
    nameless = plain
    own = [NUMBER.sub("#", word) for word in own if len(word) > 3]
    for word in sorted(own, key=len, reverse=True):
        nameless = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "◯", nameless, flags=re.IGNORECASE)
    return {plain, nameless}


def literals(path):
    """(line, text) of every string of three words or more in a module, docstrings left out."""
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text.strip().count(" ") > 1 and id(node) not in docstrings:
            yield node.lineno, text


def none_of(found):
    """Fail with each sentence in full where there is one."""
    assert not found, "\n".join(["", *sorted(map(str, found))])


ALL_LITERALS = [(f"{path.name}:{line}", text) for path in WORDED for line, text in literals(path)]


# --- the rules --------------------------------------------------------------------------------


def test_what_is_always_said_is_in_the_list(said):
    """A sentence that is never absent where it can stand is true of every study, or a lie."""
    always = {
        (sentence, place)
        for place, texts in said.items()
        for sentence in set.intersection(
            *(
                {shape for each in unlisted(text) for shape in shapes(each, record)}
                for text, record in texts
            )
        )
    }

    none_of(always)


def unlisted(text):
    """The sentences of a text that are not in the list."""
    return [
        each
        for each in sentences(text)
        if not any(listed.fullmatch(each) for listed in LISTED_SENTENCES)
    ]


def test_every_condition_is_seen_false(said):
    """The same of every piece of a sentence in the code, however the rest of it varies."""
    always = {
        (where, text, place)
        for where, text in ALL_LITERALS
        for place, texts in said.items()
        if all(text in found for found, _ in texts)
        if not any(text in listed for listed in LISTED.values())
    }

    none_of(always)


def test_every_condition_is_seen_true(said, composed):
    """No sentence, title or cell is worded that no page has."""
    seen = [text for texts in said.values() for text, _ in texts]
    seen += [
        words for page in composed.values() for section in page for words in names_in(section)
    ]

    none_of({(where, text) for where, text in ALL_LITERALS if not is_on(seen, text)})


def is_on(texts, literal):
    """Whether a text has it, and not as a part of a longer string of the code."""
    longer = [re.escape(other) for _, other in ALL_LITERALS if literal in other != literal]
    own = (re.sub("|".join(longer), "", text) if longer else text for text in texts)
    return any(literal in text for text in own)


def test_the_list_holds_nothing_that_no_page_says(said):
    """Each sentence of it stands on a page."""
    texts = [text for place in said.values() for text, _ in place]

    none_of({name for name, text in LISTED.items() if not any(map(pattern(text).search, texts))})


def test_a_blank_is_filled_by_the_study(said):
    """Each blank of a listed sentence has two values at least, so that it is no claim."""
    found = defaultdict(set)
    on_pages = {each for place in said.values() for text, _ in place for each in sentences(text)}
    for name, template in LISTED.items():
        for one in sentences(template):
            begins, filled = one.partition("{")[0], pattern(one)
            for match in (filled.search(each) for each in on_pages if begins in each):
                for blank, value in match.groupdict().items() if match else ():
                    found[name, blank].add(value)

    none_of({blank for blank, values in found.items() if len(values) < 2})


def test_a_sentence_of_the_list_stands_nowhere_else():
    """No module words it again."""
    listed = [
        words.strip()
        for text in LISTED.values()
        for sentence in sentences(text)
        for words, *_ in Formatter().parse(sentence)
        if words.strip().count(" ") > 6
    ]
    modules = [path for path in ROOM.parent.rglob("*.py") if path != Path(general.__file__)]

    again = {
        (f"{path.name}:{line}", text)
        for path in modules
        for line, text in literals(path)
        if any(words in text for words in listed)
    }
    none_of(again)


@pytest.mark.parametrize(
    ("word", "explained"),
    [
        ("held-out", "play(ed)? no part in (a|the) search"),
        ("optimism", "optimism is by how much the lowest validation error"),
        ("replicate", "a replicate trains a trial’s hyperparameters again"),
        ("mcnemar", "mcnemar’s test looks at"),
        ("mid-p", "its mid-p is the probability"),
        ("fresh seed", "other initial weights|initial weights and a batch order"),
        ("level with the best", "level with the best: at most one standard error"),
    ],
)
def test_a_word_is_explained_where_a_page_has_it_first(composed, word, explained):
    """On every page, in the same paragraph or table."""
    for page, sections in composed.items():
        first = next((text for text in map(str.lower, read(sections)) if word in text), None)
        assert first is None or re.search(explained, first), (page, first)
