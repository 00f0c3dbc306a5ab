"""The documents: what runs their Python notices every difference, and their words are so."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import study

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("execute", ROOT / "docs/execute.py")
execute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(execute)

PAGE = """
```python
x = 20
print("an error of", x, "images")
x
```

```text
an error of {} images
20
```

Words.

```python
x += 1  # shows nothing
```

```python
from matplotlib import pyplot
line = pyplot.plot([1, 2])
```

![A line,
rising](line.png)
"""


@pytest.fixture(scope="module")
def ran():
    """The page above as a notebook that was run."""
    return execute.executed(PAGE.format(3))


def test_a_page_is_given_what_its_python_shows(ran):
    """The output after a block is replaced; a block that shows nothing has none."""
    assert execute.written(PAGE.format(3), ran) == PAGE.format(20)


@pytest.mark.parametrize(
    ("shown", "alike"),
    [
        ("an error of 20 images", True),
        ("an error of 21 images", True),
        ("an error of 23 images", False),
        ("an error of -20 images", False),
        ("an error of 20 pictures", False),
        ("an error of 20 images\nand a line", False),
    ],
)
def test_what_is_shown_may_differ_in_close_numbers_alone(ran, shown, alike):
    """Other words, signs, lines, or numbers more than a tenth off are differences."""
    page = PAGE.format(20).replace("an error of 20 images", shown)

    found = list(execute.differences(page, ran))

    assert (found == []) == alike


@pytest.mark.parametrize("lost", ["```text\nan error of 20 images\n20\n```\n\n", "![A line,\nris"])
def test_an_output_that_went_missing_is_a_difference(ran, lost):
    """A block that shows something, and the page does not, is as wrong as the other way round."""
    page = PAGE.format(20).replace(lost, "")

    assert list(execute.differences(page, ran))


def test_a_notebook_has_the_pages_words_and_its_pictures_inline(ran):
    """What the page shows of the outputs is theirs alone; a picture has its words."""
    sources = [cell.source for cell in ran.cells]
    outputs = [output for cell in execute.code_cells(ran) for output in cell.outputs]
    [alt] = [output.metadata["image/png"]["alt"] for output in outputs if output.get("metadata")]

    assert "Words." in sources
    assert not any("text" in source or "line.png" in source for source in sources)
    assert alt == "A line, rising"
    assert execute.notebook(PAGE.format(1)) == execute.notebook(PAGE.format(2))


def test_the_command_fails_where_a_page_is_not_so(tmp_path, capsys, monkeypatch):
    """Status 1 and both lines; ``--write`` mends the page, its notebook and its picture."""
    page, kept = tmp_path / "page.md", tmp_path / "page.ipynb"
    page.write_text(PAGE.format(3))
    nbformat.write(execute.notebook(PAGE.format(3)), kept)

    def run(*options):
        monkeypatch.setattr(sys, "argv", ["execute.py", str(page), *options])
        return execute.main(), capsys.readouterr().out

    wrong, mended = run(), run("--write")

    assert (wrong[0], mended[0]) == (1, 0)
    assert "shown: an error of 3 images\n  now: an error of 20 images" in wrong[1]
    assert "3 blocks ran as shown" in mended[1]
    assert page.read_text() == PAGE.format(20)
    assert execute.stale(page.read_text(), nbformat.read(kept, 4)) == []
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")


def test_the_shipped_notebook_is_the_page():
    """The same cells, outputs and pictures, each with its words; no error, no bar, and small."""
    page, kept = ROOT / "docs/walkthrough.md", ROOT / "docs/walkthrough.ipynb"
    notebook = nbformat.read(kept, 4)
    outputs = [output for cell in execute.code_cells(notebook) for output in cell.outputs]

    assert execute.stale(page.read_text(), notebook) == []
    assert {o.name for o in outputs if o.output_type == "stream"} == {"stdout"}
    assert all(o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {}))
    assert kept.stat().st_size < 300_000


def test_the_shipped_notebook_is_short_as_a_page(opened, tmp_path):
    """As HTML at 1,280 pixels it is under 4,000 high, and nothing in it is wider than the page."""
    exporter = pytest.importorskip("nbconvert").HTMLExporter(template_name="lab")
    html, _ = exporter.from_filename(str(ROOT / "docs/walkthrough.ipynb"))
    (tmp_path / "page.html").write_text(html)

    page = opened(f"file://{tmp_path}/page.html", width=1280)

    assert page.evaluate("document.documentElement.scrollHeight") < 4000
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.locator("svg[role=img], img").count() >= 5


def test_every_session_that_contributing_names_exists():
    """A reader may paste it."""
    named = re.findall(r"nox -s ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text())
    code = ast.parse((ROOT / "noxfile.py").read_text())
    functions = [node for node in code.body if isinstance(node, ast.FunctionDef)]

    assert len(named) > 9
    assert set(named) <= {node.name for node in functions if node.decorator_list}


def test_the_public_surface_is_what_type_checkers_see():
    """Each name is imported for them from the module that it comes from at run time."""
    tree = ast.parse(Path(study.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = {
        alias.asname: line.module
        for line in imports
        for alias in line.names
        if line.module.startswith("study.")
    }

    assert seen == study._HOME
    assert sorted(study.__all__) == sorted([*seen, "plots"])
    for name in study.__all__:
        assert getattr(study, name).__doc__


def test_importing_the_package_takes_no_torch_with_it():
    """Its names are imported on first use; an unknown one is an AttributeError."""
    code = "import sys, study; print('torch' in sys.modules, 'load' in dir(study)); study.nothing"

    ended = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )

    assert ended.stdout.split() == ["False", "True"]
    assert ended.stderr.strip().endswith("module 'study' has no attribute 'nothing'")


def test_hooks_run_the_commands_of_the_sessions():
    """What pre-commit checks is what ``nox -s lint typecheck`` checks, word for word."""
    hooks = re.findall(r"entry: (.+)", (ROOT / ".pre-commit-config.yaml").read_text())
    calls = re.findall(r"session\.run\((.+)\)", (ROOT / "noxfile.py").read_text())
    commands = {" ".join(re.findall(r'"([^"]+)"', call)) for call in calls}

    assert set(hooks) <= commands
    assert hooks == ["ruff check .", "ruff format --check .", "mypy"]
