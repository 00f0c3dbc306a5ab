"""Write the committed attacks anew: ``python -m tests.attacks.make``."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

FILES = Path(__file__).parent / "files"
HEADER = bytes([0, 0, 8, 1, 0, 0, 0xEA, 0x60])


def main():
    """Each file once, byte for byte the same each time."""
    FILES.mkdir(exist_ok=True)
    for name, content in CONTENT.items():
        (FILES / name).write_bytes(content)
    for name, statements in DATABASES.items():
        (FILES / name).unlink(missing_ok=True)
        with closing(sqlite3.connect(FILES / name)) as connection:
            connection.executescript(statements)


def _header(tensors):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


CONTENT = {
    "empty": b"",
    "page.html": b"<!DOCTYPE html><script>alert(1)</script>" * 9,
    "labels-header-only": HEADER,
    "labels-of-2^32-1": bytes([0, 0, 8, 1]) + b"\xff" * 4 + bytes(99),
    "labels-255-dimensions": bytes([0, 0, 8, 255]) + bytes(1020),
    "labels-signed": bytes([0, 0, 9, 1]) + HEADER[4:] + bytes(99),
    "images-5x56x28": bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 56, 0, 0, 0, 28]) + bytes(99),
    "bomb.gz": gzip.compress(HEADER + bytes(20_000_000), mtime=0),
    "bomb-in-a-bomb.gz": gzip.compress(gzip.compress(bytes(40_000_000), mtime=0), mtime=0),
    "cut.gz": gzip.compress(HEADER + bytes(60_000), mtime=0)[:-9],
    "wrong-crc.gz": gzip.compress(HEADER + bytes(60_000), mtime=0)[:-8] + b"\1" * 8,
    "header.db": b"SQLite format 3\0" + bytes(84),
    "wal.db": b"SQLite format 3\0\x10\0\2\2" + bytes(4076),
    "pages-of-nothing.db": b"SQLite format 3\0\x10\0\1\1\0\x40\x20\x20" + bytes(8168),
    "pickle.safetensors": b"cos\nsystem\n(S'touch pwned'\ntR.",
    "header-of-2^63.safetensors": b"\xff" * 7 + b"\x7f" + b"{}",
    "offsets-outside.safetensors": _header(
        {"linear.weight": {"dtype": "F32", "shape": [1, 784], "data_offsets": [0, 3136]}}
    ),
    "shape-of-2^60.safetensors": _header(
        {"linear.weight": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 4]}}
    ) + bytes(4),
    "no-digest.safetensors": _header(
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    ) + bytes(4),
    "not-json.safetensors": (9).to_bytes(8, "little") + b"{{{{{{{{{",
}  # fmt: skip

_OPTUNA = """
CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name TEXT);
CREATE TABLE study_directions (study_id INTEGER);
CREATE TABLE trials (trial_id INTEGER);
CREATE TABLE version_info (schema_version INTEGER);
CREATE TABLE alembic_version (version_num TEXT);
"""
DATABASES = {
    "bookmarks.db": "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x');",
    "no-version.db": _OPTUNA.replace("CREATE TABLE alembic_version (version_num TEXT);", ""),
    "newer.db": _OPTUNA + "INSERT INTO alembic_version VALUES ('v99.0.0.a');",
    "older.db": _OPTUNA + "INSERT INTO alembic_version VALUES ('v2.6.0.a');",
    "version-of-markup.db": _OPTUNA
    + "INSERT INTO alembic_version VALUES ('<script>alert(1)</script>' || char(10) || 'x');",
    "hostile-names.db": _OPTUNA
    + "INSERT INTO alembic_version VALUES ('v3.2.0.a'); INSERT INTO studies (study_name) VALUES"
    " ('../../../../tmp/x'), ('<script>alert(1)</script>'), ('=cmd()'), ('-rf'), (''),"
    " ('$\\frac{1$'), (char(8238) || 'abc'), ('a' || char(10) || 'b');",
    "a-view-that-never-ends.db": "CREATE VIEW studies AS WITH RECURSIVE c(x) AS (SELECT 1 UNION"
    " ALL SELECT x + 1 FROM c) SELECT x AS study_id, x AS study_name FROM c;"
    "CREATE TABLE study_directions (study_id INTEGER); CREATE TABLE trials (trial_id INTEGER);"
    "CREATE TABLE version_info (schema_version INTEGER);",
}

if __name__ == "__main__":
    main()
