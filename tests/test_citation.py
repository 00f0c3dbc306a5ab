"""CITATION.cff says what pyproject.toml says."""

import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
ROOT = Path(__file__).parents[1]


def test_the_citation_is_that_of_the_package():
    """Version, keywords and authors are the same; the licence of the code is the first of both."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (cited["cff-version"], cited["type"]) == ("1.2.0", "software")
    assert (cited["version"], cited["keywords"]) == (project["version"], project["keywords"])
    assert cited["authors"] == project["authors"]
    assert cited["license"] == project["license"].split(" AND ")[0]
