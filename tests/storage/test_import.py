"""Importing the storage costs little."""

import subprocess
import sys


def test_importing_the_storage_loads_no_heavy_library():
    """``--help`` pays for neither Optuna, SQLAlchemy, NumPy nor torch."""
    code = "import sys, study.storage; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"optuna", "sqlalchemy", "alembic", "numpy", "torch", "safetensors"} & {*loaded}
