"""The documents: what runs their Python notices every difference, and their words are so."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

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
```

```text
an error of {} images
```

Words.

```python
x += 1  # prints nothing
```
"""


def test_a_page_is_given_what_its_python_prints():
    """The output after a block is replaced; a block that prints nothing has none."""
    assert execute.executed(PAGE.format(3)) == PAGE.format(20)


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
def test_what_is_shown_may_differ_in_close_numbers_alone(shown, alike):
    """Other words, signs, lines, or numbers more than a tenth off are differences."""
    page = PAGE.format(20).replace("an error of 20 images", shown)

    found = list(execute.differences(page, execute.executed(page)))

    assert (found == []) == alike


def test_an_output_that_went_missing_is_a_difference():
    """A block that prints and shows nothing is as wrong as the other way round."""
    page = "```python\nprint(1)\n```\n"

    assert list(execute.differences(page, execute.executed(page)))


def test_the_command_fails_where_a_page_is_not_so(tmp_path):
    """Status 1 and both lines; ``--write`` mends it."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.format(3))

    def run(*options):
        command = [sys.executable, ROOT / "docs/execute.py", page, *options]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    wrong, mended, right = run(), run("--write"), run()

    assert (wrong.returncode, mended.returncode, right.returncode) == (1, 0, 0)
    assert "shown: an error of 3 images\n  now: an error of 20 images" in wrong.stdout
    assert "2 blocks ran as shown" in right.stdout


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
