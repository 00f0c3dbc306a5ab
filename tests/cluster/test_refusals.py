"""What a PostgreSQL server refuses is one line that says why, and what would be right."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from study.errors import ResourceError
from study.storage import load_study, open_study

from .helpers import query


def _as(url, role, password=None):
    """The URL for another user of the server."""
    return make_url(url).set(username=role, password=password).render_as_string(False)


@pytest.fixture
def pupil(server):
    """A database, and the name of a user of the server who owns nothing."""
    url, role = server.database(), f"pupil_{next(server.numbers)}"
    query(url, f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
    yield url, role
    query(url, f"REASSIGN OWNED BY {role} TO CURRENT_USER")
    query(url, f"DROP OWNED BY {role}")
    query(url, f"DROP ROLE {role}")


def _said(work, url):
    with pytest.raises(ResourceError) as caught:
        work(url, "linear")
    said = str(caught.value)
    assert "\n" not in said
    assert "***" in said or make_url(url).password is None
    return said


def test_a_user_who_may_not_make_tables_is_told_what_to_grant(pupil):
    """PostgreSQL 15 and later let none but the owner; what is named helps."""
    url, role = pupil
    said = _said(open_study, _as(url, role))
    query(url, f"GRANT ALL ON SCHEMA public TO {role}")

    assert said.endswith(
        ": permission denied for schema public: as the database's owner, run GRANT ALL ON SCHEMA "
        "public TO that user"
    )
    assert open_study(_as(url, role), "linear").trials == []


def test_the_owner_of_a_database_makes_tables_there(pupil):
    """Without any grant."""
    url, role = pupil
    query(url, f"CREATE DATABASE {role} OWNER {role}")
    own = make_url(_as(url, role)).set(database=role).render_as_string(False)
    try:
        assert open_study(own, "linear").trials == []
    finally:
        query(url, f"DROP DATABASE {role}")


def test_a_user_who_may_not_read_anothers_tables_is_told_what_to_grant(pupil):
    """What is named helps here too."""
    url, role = pupil
    open_study(url, "linear")
    said = _said(load_study, _as(url, role))
    for kind in ("TABLES", "SEQUENCES"):
        query(url, f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {role}")

    assert ": permission denied for table " in said
    assert "as their owner, run GRANT ALL ON ALL TABLES IN SCHEMA public TO that user" in said
    assert open_study(_as(url, role), "mlp").trials == []


@pytest.mark.parametrize("work", [open_study, load_study])
def test_what_a_server_says_when_it_refuses_is_told(pupil, work):
    """No such database, no more connections."""
    url, role = pupil
    absent = make_url(url).set(database="absent").render_as_string(False)
    query(url, f"ALTER ROLE {role} CONNECTION LIMIT 0")

    for place, reason in (
        (absent, 'database "absent" does not exist'),
        (_as(url, role), f'too many connections for role "{role}"'),
    ):
        end = f": the database server refuses the connection ({reason}): check the URL and the "
        assert end in _said(work, place)


def test_a_wrong_password_is_told_and_not_shown(server, pupil):
    """By the server's own words."""
    if server.embedded is None:
        pytest.skip("the server that TEST_DATABASE_URL names is not ours to set up")
    url, role = pupil
    rules = Path(query(url, "SHOW hba_file"))
    before = rules.read_text()
    rules.write_text(f"local all {role} scram-sha-256\n{before}")
    query(url, "SELECT pg_reload_conf()")
    try:
        said = _said(open_study, _as(url, role, "s3cret"))
    finally:
        rules.write_text(before)
        query(url, "SELECT pg_reload_conf()")

    assert f'refuses the connection (password authentication failed for user "{role}")' in said
    assert "s3cret" not in said
