"""Importing the storage costs little, and nothing unsafe is in it."""

import ast
import subprocess
import sys
from pathlib import Path

import study.storage


def test_importing_the_storage_loads_no_heavy_library():
    """``--help`` pays for neither Optuna, SQLAlchemy, NumPy nor torch."""
    code = "import sys, study.storage; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"optuna", "sqlalchemy", "alembic", "numpy", "torch", "safetensors"} & {*loaded}


def test_nothing_here_can_run_code_from_a_file():
    """No module imports a pickle or evaluates text."""
    names = set()
    for file in Path(study.storage.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names |= {alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")}
            names |= {getattr(node, "id", ""), getattr(node, "module", None) or ""}

    assert not names & {"pickle", "marshal", "shelve", "cloudpickle", "eval", "exec", "joblib"}
