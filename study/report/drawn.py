"""Charts as files: a report that follows another in the same process draws only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.report.rendering import Chart


class Drawn:
    """The pictures that the reports of one process have drawn.

    A picture is known by all that it depends on: the function that draws it and its arguments,
    the data frame, the size and the kind of file. matplotlib, the style and the code are this
    process's. Nothing is taken from a disk, where it could be another version's.
    """

    def __init__(self) -> None:
        self._files: dict[tuple[str, tuple[float, float], str], bytes] = {}

    def files(
        self, chart: Chart, *kinds: str, size: tuple[float, float] | None = None
    ) -> list[bytes]:
        """A chart as files, drawn at most once; to be called under ``rendering.theme``.

        Args:
            chart: What to draw.
            kinds: Of ``rendering.SAVED``, and ``inline``: see :mod:`study.report.inline`.
            size: Inches, wide and high; by default the chart's own.
        """
        from study.report import inline, rendering

        place = chart.digest, size or chart.size
        missing = [kind for kind in kinds if (*place, kind) not in self._files]
        if missing:
            figure = rendering.figure(chart, size)
            made = {kind: rendering.SAVED[kind](figure) for kind in missing if kind != "inline"}
            if "inline" in missing:
                svg = made.get("svg") or rendering.svg(figure)
                made["inline"] = inline.markup(svg, chart, figure, is_copy=size is not None)
            self._files |= {(*place, kind): file for kind, file in made.items()}
        return [self._files[*place, kind] for kind in kinds]
