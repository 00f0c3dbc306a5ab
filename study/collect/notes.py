"""In what a person's studies differ from those of most, and who handed in the same trials."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from study import formats
from study.collect.entries import Entry

SHOWN = 4  # settings, or people, that a note names
OF_THE_MACHINE = {"engine", "device"}  # not compared: the machine decides them

Settings = dict[tuple[str, str], str]  # name and model → the value as text; "": of all models


def noted(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, each with its notes."""
    settings, same = [_settings(entry) for entry in entries], _by_trials(entries)
    usual = _usual(settings)
    return [
        replace(entry, notes=(*_unlike(own, usual), *_twins(entry, same[entry.trials_sha256])))
        for entry, own in zip(entries, settings, strict=True)
    ]


def _settings(entry: Entry) -> Settings:
    row = entry.row
    found = {
        ("seed", ""): row.origin.seed,
        ("classes", ""): " and ".join(map(str, row.classes)),
        ("data", ""): row.origin.data_sha256[:12],
    }
    for model, side in row.sides.items():
        stated = {**side.settings, "trials": side.trials}
        found |= {
            (name, model): value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for name, value in stated.items()
            if name not in OF_THE_MACHINE
        }
    return found


def _usual(settings: Sequence[Settings]) -> Settings:
    """The values that more than half of the entries have."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for own in settings:
        for key, text in own.items():
            counts.setdefault(key, Counter())[text] += 1
    tops = {key: count.most_common(1)[0] for key, count in counts.items()}
    return {key: text for key, (text, count) in tops.items() if 2 * count > len(settings)}


def _unlike(own: Settings, usual: Settings) -> Iterator[str]:
    """The settings that most others have otherwise; once where all models have it so."""
    found: dict[str, list[str]] = {}
    for (name, model), text in usual.items():
        here = own.get((name, model), "not stated")
        if here != text:
            found.setdefault(f"{name} {here}, most have {text}", []).append(model)
    count = len({model for _, model in usual if model})
    words = [
        line if len(models) == count or models == [""] else f"{formats.listed(models)}: {line}"
        for line, models in found.items()
    ]
    yield from words[:SHOWN]
    if len(words) > SHOWN:
        yield f"and {len(words) - SHOWN} settings more"


def _by_trials(entries: Sequence[Entry]) -> Mapping[tuple[str, ...], list[Entry]]:
    found: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.trials_sha256, []).append(entry)
    return found


def _twins(entry: Entry, same: Sequence[Entry]) -> Iterator[str]:
    """Who has the same trials, as a copy of the file has them, or as a second search has them."""
    others = [other for other in same if other is not entry]
    for is_copy, when in ((True, "the same times"), (False, "other times")):
        names = [each.name for each in others if (each.recorded == entry.recorded) is is_copy]
        if names:
            more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
            listed = formats.listed([*names[:SHOWN], *more])
            yield f"same trials, recorded at {when}: {listed}"
