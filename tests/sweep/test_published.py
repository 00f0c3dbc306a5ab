"""The sweep in the repository is, byte for byte, what the code makes of its own numbers."""

from pathlib import Path

import pandas as pd

from study.sweep import page
from study.sweep.data_sets import of_pair
from study.sweep.rows import Content, Row, Side

PUBLISHED = Path(__file__).parents[2] / "reports/sweep"
MODELS = ("linear", "mlp")


def test_the_published_page_and_table_are_those_of_today(tmp_path):
    """All 45 pairs of two models: the matrix, the table, the sentences, and the record."""
    found = pd.read_csv(PUBLISHED / "sweep.csv", keep_default_na=False).to_dict("records")
    rows = [
        Row(
            of_pair("mnist", (row["first"], row["second"])),
            {
                model: Side(*(row[f"{model}_{what}"] for what in ("errors", "complete", "trials")))
                for model in MODELS
            },
            row["n_val"],
        )
        for row in found
    ]

    page.write(tmp_path, Content(rows, MODELS))

    for path in PUBLISHED.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert len(rows) == 45
