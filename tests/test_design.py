"""The layout in docs/design.md is the layout of the code.

The order of the rooms is read from the page's table, so page and code can't differ. Imports
inside functions count like all others. Imports under ``if TYPE_CHECKING`` have to keep to the
order too; they make no circle, because nothing runs them.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
DESIGN = (ROOT / "docs/design.md").read_text()
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (ROOT / "study").rglob("*.py")
}
PAGE = """
| room | what lives there |
| --- | --- |
| `study/text.py` | text |
| `study/data/` | data |
| `study/report/` | the report |
"""
SOUND = {
    "study/text.py": "import re",
    "study/data/__init__.py": "from study.data.files import read",
    "study/data/files.py": "from study import text",
    "study/report/page.py": "def page():\n    from study.data import read\n",
}


parsed = cache(ast.parse)


@dataclass(frozen=True)
class Import:
    """One file of the package imports another."""

    source: str  # path
    line: int
    target: str  # path
    runs: bool  # not only for type checkers

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def rooms(page: str) -> list[str]:
    """The folders and top-level modules of the page's table, in its order."""
    table = page.partition("| room |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`study/.+?) \|", table, re.M)
    return [name for row in rows for name in re.findall(r"`(study/[\w.]+/?)`", row)]


def room_of(path: str) -> str:
    """The folder of a file, or the file itself if it is a top-level module."""
    parts = path.split("/")
    return path if len(parts) == 2 else f"{parts[0]}/{parts[1]}/"


def imports(sources: Mapping[str, str]) -> Iterator[Import]:
    """Every import of one file of the package by another, wherever it stands in the file."""
    files = {module_name(path): path for path in sources}
    for path, source in sources.items():
        tree = parsed(source)
        for_types = {id(node) for block in type_checking(tree) for node in ast.walk(block)}
        for node in ast.walk(tree):
            targets = {files[name] for name in imported(node, path, files) if name in files}
            for target in targets - {path}:
                yield Import(path, node.lineno, target, id(node) not in for_types)


def module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def type_checking(tree: ast.Module) -> list[ast.If]:
    """The blocks that only a type checker reads."""
    ifs = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    return [node for node in ifs if ast.unparse(node.test).endswith("TYPE_CHECKING")]


def imported(node: ast.AST, path: str, files: Mapping[str, str]) -> list[str]:
    """The modules that a statement imports by name; ``from a import b`` may be of a module a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    package = path.split("/")[: -node.level] if node.level else []
    base = ".".join([*package, *filter(None, [node.module])])
    names = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in files else base for name in names]


def unnamed(sources: Mapping[str, str], order: list[str]) -> list[str]:
    """The folders and modules that the table lacks, and those of the table that do not exist."""
    return sorted({room_of(path) for path in sources} ^ set(order))


def backward(sources: Mapping[str, str], order: list[str]) -> list[str]:
    """The imports from a room that comes later in the table."""
    place = {room: index for index, room in enumerate(order)}
    known = [i for i in imports(sources) if {room_of(i.source), room_of(i.target)} <= set(place)]
    return [str(i) for i in known if place[room_of(i.source)] < place[room_of(i.target)]]


def circles(sources: Mapping[str, str]) -> list[list[str]]:
    """The groups of files that import each other: the graph's strongly connected components."""
    graph: dict[str, set[str]] = {path: set() for path in sources}
    for found in imports(sources):
        if found.runs:
            graph[found.source].add(found.target)
    reached = {path: reachable(graph, path) for path in graph}
    groups = {
        tuple(sorted(other for other in reached[path] if path in reached[other])) for path in graph
    }
    return sorted([*group] for group in groups if group)


def reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """All that a file imports, directly or through others; itself only through a circle."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def functions() -> Iterator[tuple[str, int]]:
    """Every function of the package with its length in lines, its docstring not counted."""
    for path, source in SOURCES.items():
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                words = node.body[0] if ast.get_docstring(node) else None
                docstring = words.end_lineno - words.lineno + 1 if words else 0
                yield f"{path}:{node.lineno}", node.end_lineno - node.lineno + 1 - docstring


def test_the_table_names_every_folder_and_module():
    """And nothing that is not there."""
    assert unnamed(SOURCES, rooms(DESIGN)) == []
    assert len(rooms(DESIGN)) == len(set(rooms(DESIGN)))


def test_every_file_that_the_page_names_exists():
    """In its table and in its text."""
    named = set(re.findall(r"`(study/[\w/.]+)`", DESIGN))

    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_way_of_a_learning_rate_leads_through_the_code():
    """Every file that the page names defines or uses the name beside it."""
    way = re.findall(r"^\| `(study/[\w/]+\.py)` \| `(\w+)` \|", DESIGN, re.M)

    assert len(way) > 10
    assert [
        (path, name) for path, name in way if not re.search(rf"\b{name}\b", SOURCES[path])
    ] == []


def test_each_room_imports_only_from_those_before_it():
    """In the table's order, imports inside functions included."""
    assert backward(SOURCES, rooms(DESIGN)) == []


def test_no_files_import_each_other_in_a_circle():
    """Whether at the top of a file or inside a function."""
    assert circles(SOURCES) == []


def test_a_sound_package_is_accepted():
    """The checks do not find what is not there."""
    assert unnamed(SOUND, rooms(PAGE)) == []
    assert backward(SOUND, rooms(PAGE)) == []
    assert circles(SOUND) == []


@pytest.mark.parametrize(
    "line",
    [
        "def late():\n    from study.data import files",
        "def late():\n    import study.data.files",
        "def late():\n    from .files import read",
        "from study.data.files import read",
    ],
)
def test_a_circle_is_found(line):
    """Also one that an import inside a function closes."""
    sources = SOUND | {
        "study/data/rows.py": line,
        "study/data/files.py": "from study.data.rows import late",
    }

    assert circles(sources) == [["study/data/files.py", "study/data/rows.py"]]


def test_a_circle_through_a_package_is_found():
    """A file that imports the folder which imports it."""
    sources = SOUND | {"study/data/files.py": "def late():\n    from study import data"}

    assert circles(sources) == [["study/data/__init__.py", "study/data/files.py"]]


def test_an_import_for_type_checkers_makes_no_circle():
    """It does not run; but it may not point backwards either."""
    only = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from study.{} import {}"

    assert circles(SOUND | {"study/data/files.py": only.format("data", "read")}) == []
    assert backward(SOUND | {"study/text.py": only.format("report", "page")}, rooms(PAGE)) == [
        "study/text.py:3 imports study/report/page.py"
    ]


def test_an_import_from_a_later_room_is_found():
    """With its file and line."""
    sources = SOUND | {"study/data/rows.py": "def late():\n    from study.report import page\n"}

    assert backward(sources, rooms(PAGE)) == ["study/data/rows.py:2 imports study/report/page.py"]


def test_a_room_that_the_table_lacks_is_found():
    """So is a row of the table without its folder."""
    sources = SOUND | {"study/extra.py": "", "study/more/of.py": ""}

    assert unnamed(sources, rooms(PAGE)) == ["study/extra.py", "study/more/"]
    assert unnamed(SOUND, [*rooms(PAGE), "study/gone/"]) == ["study/gone/"]


def test_no_module_is_longer_than_one_sitting():
    """300 lines at most."""
    lengths = {path: source.count("\n") for path, source in SOURCES.items()}

    assert {path: length for path, length in lengths.items() if length > 300} == {}


def test_functions_are_short():
    """At most 10 lines at the median, and 90 % of them within 30, without their docstrings."""
    lengths = [length for _, length in functions()]

    assert median(lengths) <= 10
    assert quantiles(lengths, n=10)[-1] <= 30
