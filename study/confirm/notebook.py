"""How a comparison shows itself in a notebook."""

from __future__ import annotations

from collections.abc import Sequence

from study import formats, notebook_html
from study.confirm.side import Side
from study.confirm.verdict import Judged
from study.text import one_line


def line(kind: str, sentence: str) -> str:
    """The class and the sentence, on one line."""
    return one_line(f"<{kind}: {sentence}>")


def html(sentence: str, sides: Sequence[Side], n_seeds: int, judged: Judged) -> str:
    """A caption, and each study's errors in a row."""
    rows = [
        [
            side.study,
            formats.percent(side.raw_best_errors / side.n_val),
            formats.percent(side.replicates_best.mean / side.n_val),
            formats.percent(side.holdout.mean),
        ]
        for side in sides
    ]
    head = ["study", "raw best", f"{n_seeds} fresh seeds", f"held-out {judged.items}"]
    return notebook_html.table(sentence, head, rows)
