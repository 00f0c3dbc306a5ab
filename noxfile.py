"""The sessions that people and CI share; ``nox -l`` lists them.

They run in the environment that nox runs in, prepared once by ``pip install -e '.[dev]'``,
because torch takes gigabytes in each environment that has it. To give every session an
environment of its own all the same: ``nox --force-venv-backend venv``.
"""

import os
import shutil
import venv
from itertools import cycle
from pathlib import Path

import nox

os.environ["PYTHONUTF8"] = "1"  # the tests' own files, as on Linux; the package names an encoding

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "none"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typecheck", "tests"]

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
ENDS = ("-py3-none-any.whl", ".tar.gz")
SYSTEMS = ("linux", "macos", "windows")
QUICK = "not slow and not faults and not gpu"  # what everybody runs, everywhere
SPREAD = ("-n", "3", "--dist", "loadfile")  # three, as some only wait; a module's fixtures once
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # each process has one core


def prepare(session: nox.Session, extras: str = "dev") -> None:
    """Install the package, unless the session runs in the environment that has it."""
    if session.virtualenv.venv_backend != "none":
        session.install("-e", f".[{extras}]")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    prepare(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types with mypy, strictly: for every Python and every system, if not for each pair."""
    prepare(session)
    for python, system in zip(PYTHONS, cycle(("linux", "win32", "darwin")), strict=False):
        cache = f"--cache-dir=.mypy_cache/{system}-{python}"  # or each would undo the last one's
        where = (f"--python-version={python}", f"--platform={system}", cache, "-n2")
        session.run("mypy", *where)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments go to pytest. Slow ones run with ``-- -m slow``."""
    prepare(session)
    quick = [*SPREAD, "-m", QUICK]
    session.run("pytest", *(session.posargs or quick), env=ONE_THREAD)


@nox.session(python=PYTHONS, venv_backend="uv", default=False)
def versions(session: nox.Session) -> None:
    """Run the tests on every Python that is found, with the newest of all dependencies."""
    session.install("--upgrade", "-e", ".[dev]")
    session.run("python", "-W", "error", "-m", "compileall", "-q", "study")
    session.run("pytest", *(session.posargs or [*SPREAD, "-m", QUICK]), env=ONE_THREAD)


@nox.session(python=PYTHONS[0], venv_backend="uv", default=False)
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest version of each dependency that pyproject.toml admits."""
    older = "pyparsing~=3.2.0"  # 3.3 warns of the names by which matplotlib 3.9 calls it
    session.install("--resolution", "lowest-direct", "-e", ".[dev]", older)
    old = ("-W", "ignore::DeprecationWarning")  # of these versions by newer ones of theirs
    session.run("pytest", *old, *(session.posargs or [*SPREAD, "-m", QUICK]), env=ONE_THREAD)


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Find wheels of all dependencies, for every Python and system that is promised."""
    prepare(session)
    extras = [f"--extra={extra}" for extra in ("cluster", "parquet", "postgres")]
    command = ("uv", "pip", "compile", "--quiet", "--only-binary=:all:", *extras)
    for python in PYTHONS:
        for system in SYSTEMS:
            where = (f"--python-version={python}", f"--python-platform={system}")
            session.run(*command, *where, "pyproject.toml", silent=True)


@nox.session(default=False)
def portable(session: nox.Session) -> None:
    """Run the tests with what only POSIX systems have hidden from the package, none forked."""
    prepare(session)
    portable = [*SPREAD, "-m", f"{QUICK} and not posix"]
    hidden = {"PYTHONPATH": str(Path("tests/portable").resolve())}
    session.run("pytest", *(session.posargs or portable), env=ONE_THREAD | hidden)


@nox.session(default=False)
def gpu(session: nox.Session) -> None:
    """Compare training on a GPU with the CPU's; skipped, with the reason, where there is none."""
    prepare(session)
    session.run("pytest", "-m", "gpu", "tests/test_gpu.py", *session.posargs)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Make every fault of the matrix, often, and print how often and what was lost."""
    prepare(session)
    fresh = {"STUDY_TESTS_FRESH": "1"}  # every command in an interpreter of its own
    session.run("pytest", "-n", "2", "-m", "matrix or faults", *session.posargs, env=fresh)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Search for input that is neither taken nor refused in one line, for minutes."""
    prepare(session)
    session.run("pytest", "tests/fuzz", "--hypothesis-profile=long", *session.posargs)


@nox.session(default=False)
def search(session: nox.Session) -> None:
    """Search one model: ``nox -s search -- --model mlp --n-trials 32``."""
    prepare(session)
    session.run("python", "-m", "study.search", *session.posargs)


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Write the report of a storage: ``nox -s report -- --storage study.db``."""
    prepare(session)
    session.run("python", "-m", "study.report", *session.posargs)


@nox.session(default=False)
def study(session: nox.Session) -> None:
    """Reproduce the whole study and its report, from an empty storage."""
    prepare(session)
    storage = f"{session.create_tmp()}/study.db"
    session.run("python", "-m", "study", "--storage", storage, *session.posargs)


@nox.session(default=False)
def reproduce(session: nox.Session) -> None:
    """Search again and compare every trial with reports/tables/trials.csv: identical, or close."""
    prepare(session)
    session.run("pytest", "-m", "slow", "tests/test_reference.py", *session.posargs)


@nox.session(default=False)
def walkthrough(session: nox.Session) -> None:
    """Run the notebooks of docs/; fails where one shows something else. ``-- --write`` updates."""
    prepare(session)
    pages = ("docs/walkthrough.md", "docs/models.md")
    session.run("python", "docs/execute.py", *pages, *session.posargs)


@nox.session(default=False)
def calibrate(session: nox.Session) -> None:
    """Measure how often the verdict is right; fill docs/comparison.md in.

    With ``-- --data-root DIR``, the folder of official files, each model is compared with itself
    on eight pairs of digits; without it on 4s and 9s alone.
    """
    prepare(session)
    session.run("python", "-m", "benchmarks.calibration", *session.posargs)
    session.run("python", "-m", "benchmarks.calibration.page")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Write the API reference to build/api; a warning fails it."""
    prepare(session)
    session.run("python", "-W", "error", "docs/reference.py", "build/api")


@nox.session(default=False)
def package(session: nox.Session) -> None:
    """Build the wheel and try it in an empty environment and an empty folder."""
    prepare(session)
    session.run("pytest", "-m", "slow", "tests/test_package.py", *session.posargs)


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Build dist/, check its metadata, and run a short study from each file, in an environment.

    Both environments are empty before, so that the dependencies are installed too: 6 GB, which
    are removed where the study ended well.
    """
    prepare(session)
    project = nox.project.load_toml("pyproject.toml")["project"]
    built = f"{project['name']}-{project['version']}"
    archives = [Path("dist", f"{built}{end}").absolute() for end in ENDS]
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", *map(str, archives))
    short = ("--steps=100", "--n-trials=4", "--seeds=2", "--splits=2")
    for archive in archives:
        folder = Path(session.create_tmp(), archive.name).absolute()
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder / "env", with_pip=True)
        commands = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        session.run(str(commands / "python"), "-m", "pip", "install", str(archive), external=True)
        with session.chdir(folder):
            session.run(str(commands / "study"), *short, external=True)
        shutil.rmtree(folder / "env")


@nox.session(name="bench-tests", default=False)
def bench_tests(session: nox.Session) -> None:
    """Run every benchmark command on tiny settings, and check what it writes."""
    prepare(session)
    names = ("benchmarks", "calibration", "own_model")
    files = [f"tests/test_{name}.py" for name in names]
    session.run("pytest", "-m", "slow", *files, *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Time this package and its peers, the whole command and more cores; fill docs/speed.md in.

    With arguments, such as ``--quick`` or ``--device cuda``, only the table of the peers.
    """
    prepare(session)
    session.run("python", "-m", "benchmarks", *session.posargs)
    if not session.posargs:
        session.run("python", "-m", "benchmarks.cores")
        session.run("python", "-m", "benchmarks.page")
