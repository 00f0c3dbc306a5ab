"""A password in a URL is in nothing that a command says or writes."""

import sys

import optuna
import pytest
from sqlalchemy import make_url

from tests.helpers.commands import run

SECRET = "s3cret"
SMALL = ("--steps", "60", "--val-every", "20", "--n-trials", "4")


def test_a_url_in_the_wrong_place_is_refused_without_its_password(tmp_path):
    """As a word of the command line that is no option's value, or for the name of a study."""
    url = f"postgresql://me:{SECRET}@h/x"
    word = run((sys.executable, "-m", "study.check", url), tmp_path)
    optuna.create_study(study_name="any", storage=f"sqlite:///{tmp_path / 'study.db'}")
    name = run((sys.executable, "-m", "study.report", url), tmp_path)

    assert (word.status, name.status) == (2, 2)
    assert "study: postgresql://me:***@h/x: is one word too many" in word.stderr
    assert "study 'postgresql://me:***@h/x'" in name.stderr
    assert SECRET not in name.stdout + name.stderr


def test_no_command_shows_the_password_of_its_url(server, tmp_path):
    """Whole commands on a server: their words, and every file that they leave."""
    url = make_url(server.database())
    if url.password:
        pytest.skip("the server that TEST_DATABASE_URL names has a password of its own")
    url = url.set(password=SECRET).render_as_string(hide_password=False)

    def told(module, *options):
        line = (sys.executable, "-m", module, "--storage", url, *options)
        status, out, err = run(line, tmp_path)
        assert SECRET not in out + err, f"{module} shows it"
        return status, out

    status, said = told("study", *SMALL, "--no-confirm", "-v")
    assert status == 0
    assert "4 trials in postgresql+psycopg://postgres:***@" in said
    sizes = ("--seeds", "2", "--splits", "2", "--n-trials", "2", "--finalists", "1")
    assert told("study.confirm", *sizes)[0] == 0
    assert told("study.check")[0] == 0
    assert told("study.search", "--model", "mlp", *SMALL, "--seed", "1")[0] == 2
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "reports/index.html" in files
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert [path for path in tmp_path.rglob("*") if SECRET in str(path)] == []
