"""All that is to be known of a GPU, in under six minutes: ``python -m benchmarks.gpu``.

Compares training on the GPU with the CPU's (``nox -s gpu``), times the rows of the benchmark on
it, and the whole command without the confirmation. Without a GPU it says so, and writes nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.__main__ import NO_GPU, has_gpu
from benchmarks.child import ROOT


def main() -> int:
    """Run the three, one after the other; the first status that is not 0."""
    found = argparse.ArgumentParser("python -m benchmarks.gpu", description=__doc__)
    found.add_argument("--out", type=Path, default=Path("reports/benchmark"), help="the folder")
    out = found.parse_args().out.absolute()
    if not has_gpu():
        print(NO_GPU)
        return 0
    python, statuses = [sys.executable, "-m"], []
    with tempfile.TemporaryDirectory() as folder:
        for command in (
            ["pytest", "-q", "-m", "gpu", "tests/test_gpu.py", f"--basetemp={folder}/tests"],
            ["benchmarks", "--device", "cuda", "--repeats", "1", "--out", str(out)],
            ["benchmarks.answer", "--out", str(out), "--device", "cuda", "--no-confirm"],
        ):
            statuses.append(subprocess.run([*python, *command], check=False, cwd=ROOT).returncode)
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(main())
