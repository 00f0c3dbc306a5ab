"""What a sweep's searches were made from: seeds, protocol, data, versions, machine and date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC

from study import formats
from study.storage.searched import Searched
from study.sweep.rows import Content, Origin
from study.training.protocol import Protocol


def origin_of(searches: Sequence[Searched]) -> Origin:
    """Of the searches of a data set, as their studies recorded it."""
    ends = (trial.datetime_complete for search in searches for trial in search.frozen)
    plans = [search.plan for search in searches]
    newest = max(end.astimezone(UTC) for end in ends if end)  # Optuna gives naive local time
    return Origin(
        seed=_each_once(str(plan.seed) for plan in plans),
        protocol=_each_once(protocol(plan.protocol, plan.sampler) for plan in plans),
        data_sha256=_each_once(str(search.manifest["data_sha256"]) for search in searches),
        versions=_each_once(map(_versions, searches)),
        machine=_each_once(map(_machine, searches)),
        date=newest.date().isoformat(),
    )


def protocol(found: Protocol, sampler: str) -> str:
    """How the models are trained, and what chose the trials."""
    items = found.items
    return (
        f"{found.n_train:,} {items} train, {found.steps:,} steps of {found.batch_size:,}, "
        f"validated every {found.val_every:,}, trials by {sampler}"
    )


def _versions(search: Searched) -> str:
    named = {**search.manifest.get("versions", {}), "Python": search.machine.get("python")}
    return ", ".join(f"{name} {number}" for name, number in named.items() if number)


def _machine(search: Searched) -> str:
    found = search.machine
    cores = formats.plural(int(found["cores"]), "core") if "cores" in found else ""
    words = (found.get("processor"), cores, found.get("system"))
    return ", ".join(str(word) for word in words if word)


def _each_once(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, words)))


def origins(content: Content) -> dict[str, str]:
    """The same of all rows, as the page's table has it; what is not recorded is left out."""
    found = [row.origin for row in content.rows]
    columns = {
        "Protocol": "protocol",
        "Seed": "seed",
        "Versions": "versions",
        "Machine": "machine",
    }
    words = {
        name: _shared((getattr(each, column) for each in found), column)
        for name, column in columns.items()
    }
    newest = max((each.date for each in found), default="")
    words["Newest trial"] = newest and f"{newest} (UTC)"
    return {name: text for name, text in words.items() if text}


def _shared(words: Iterable[str], column: str) -> str:
    """What all rows have, or how many there are and where to find them."""
    different = [*dict.fromkeys(filter(None, words))]
    if len(different) < 2:
        return "".join(different)
    return f"{len(different)} different ones, in column {column} of sweep.csv"
