"""Which versions trained what a page shows, where they are not all the same."""

from __future__ import annotations

from collections.abc import Iterator

from study.report.record import Record
from study.storage.versions import Versions, differing, listed, runs, trials, versions_here


def trained_by(record: Record) -> dict[str, list[str]]:
    """The versions that differ, as ``torch 2.13.0`` → all that they trained.

    Those here are among them, and may have trained nothing. Empty where all are the same.
    """
    everything, here = [*_everything(record)], versions_here()
    names = differing(*(own for _, own in everything), here)
    found: dict[str, list[str]] = {}
    for what, own in everything if names else ():
        found.setdefault(listed(own, names), []).append(what)
    if names:
        found.setdefault(listed(here, names), [])
    return found


def _everything(record: Record) -> Iterator[tuple[str, Versions]]:
    """Each part of the studies that one set of versions trained, as a page calls it."""
    studies = [(search.title, search.stored) for search in record.searches]
    for search, side in zip(record.searches, record.evidence, strict=False):
        studies += [
            (f"{search.title} on fresh seeds", side.stored_replicates),
            (f"{search.title} in the splits", side.stored_splits),
        ]
    for title, stored in studies:
        several = runs(stored)
        for numbers, own in several:
            yield title + (f", {trials(numbers)}" if len(several) > 1 else ""), own
