"""The searches: the trials in their order, and what a shorter one would find."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from study import formats
from study.report import figures, general, parameters, tables, words
from study.report.content import Section, with_legend
from study.report.importance import ENOUGH
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.training.plan import LEARNING
from study.trials import StoredTrial


def search(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the searches went."""
    if trials.empty:
        return None
    text = [_found(s, best) for s, best in record.winners]
    chart = Chart(
        "history",
        "The search, trial by trial",
        figures.history,
        tables.history(trials),
        alt=f"{general.HISTORY_ALT} {' '.join(text)}",
        caption=f"{general.HISTORY}{words.zeros(record, trials)}",
        size=with_legend(len(record.searches), 7.6, 3.7),
        narrow=with_legend(len(record.searches), 3.9, 3.9),
        values=figures.history_values,
    )
    text = [" ".join([*_sampled(record), *_in_splits(record)])]
    shorter = expected(record)
    return Section(
        "search",
        "How the search went",
        text,
        [chart],
        frames=[("distribution", tables.distribution(trials))],
        more=[shorter] if shorter else [],
    )


def _sampled(record: Record) -> list[str]:
    """What each sampler did; a sentence names its models where they are not all."""
    found: dict[str, list[str]] = {}
    for search, _ in record.winners:
        found.setdefault(search.sampling.sentence, []).append(search.noun)
    if len(found) == 1:
        return [f"Sampler {sentence}." for sentence in found]
    return [f"Sampler of {formats.listed(nouns)}, {said}." for said, nouns in found.items()]


def _in_splits(record: Record) -> list[str]:
    """What samplers that learn did in a confirmation's searches, which are shorter."""
    if record.comparison is None:
        return []
    nouns: dict[str, list[str]] = {}
    for s in record.searches:
        if s.stored.plan.sampler in LEARNING:
            nouns.setdefault(record.sampling_in_splits(s).sentence, []).append(s.noun)
    return [
        f"In the confirmation’s searches of {formats.listed(models)}, the sampler is {sentence}."
        for sentence, models in nouns.items()
    ]


def _found(search: ReportedStudy, best: StoredTrial) -> str:
    return general.BEST_OF_SEARCH.format(
        model=search.title,
        trials=formats.plural(len(search.trials), "trial"),
        number=best.number,
        parameters=words.parameters(best),
        step=f"{best.step:,}",
        steps=f"{search.protocol.steps:,}",
    )


def expected(record: Record) -> Section | None:
    """What a shorter search would have found."""
    frame = tables.expected(record)
    if frame.empty:
        return None
    shown = [search for search in record.searches if search.name in {*frame["study"]}]
    chart = Chart(
        "expected_trials",
        "Expected lowest error by number of trials",
        figures.expected_trials,
        frame,
        alt=f"{general.EXPECTED_ALT} {_expected(frame)}",
        caption=_descriptive(shown),
        size=with_legend(len(record.searches), 3.9, 3.2),
        values=figures.expected_trials_values,
    )
    text = [general.EXPECTED, *_meanings(shown)]
    return Section("expected", "What a shorter search would have found", text, [chart])


def _meanings(searches: Sequence[ReportedStudy]) -> list[str]:
    """What the curves say of another search: a sentence a kind of trials, naming whose it is."""
    found: dict[str, list[str]] = {}
    for search in searches:
        found.setdefault(_meaning(search), []).append(search.title)
    if len(found) == 1:
        return list(found)
    return [
        f"{formats.listed(titles)}: {meaning[:1].lower()}{meaning[1:]}"
        for meaning, titles in found.items()
    ]


def _meaning(search: ReportedStudy) -> str:
    why = _why_descriptive(search)
    if not why:
        return (
            "The trials are independent random draws: of a study whose size was fixed beforehand"
            " the curves estimate, without bias, what another random search of n trials finds."
        )
    return (
        f"{why}: the curves describe the trials that there are, and do not predict another search."
    )


def _why_descriptive(search: ReportedStudy) -> str:
    """Why a study's curves are no estimate of what another search finds; "" if they are one."""
    sampling, dependent = search.sampling, "so these are not independent draws"
    if sampling.learnt:
        return f"The sampler learnt from earlier trials, {dependent}"
    if sampling.outside:
        return "How the trials from outside of the search were chosen is not known"
    if not sampling.is_random:
        return f"The sampler, {sampling.sampler}, spreads its trials evenly, {dependent}"
    if any(trial.state == "PRUNED" for trial in search.trials):
        return f"Pruned trials are left out, {dependent}"
    return ""


def _descriptive(searches: Sequence[ReportedStudy]) -> str:
    """The label of curves that are no estimate of what another search finds."""
    titles = [search.title for search in searches if _why_descriptive(search)]
    whose = "" if len(titles) == len(searches) else f" ({formats.listed(titles)})"
    return f"Descriptive{whose}: not a prediction of another search." if titles else ""


def _expected(frame: pd.DataFrame) -> str:
    last = frame.groupby("study", sort=False).tail(1).to_dict("records")
    return " ".join(
        general.EXPECTED_BEST.format(
            model=row["model"],
            error=formats.percent(row["expected_error"]),
            trials=formats.plural(row["trials"], "trial"),
            time=formats.seconds(row["seconds"]),
        )
        for row in last
    )


def importance(record: Record) -> Section:
    """Which hyperparameter matters."""
    frame = tables.importance(record)
    text = [" ".join([*(_importance(s) for s in record.searches), general.PED_ANOVA])]
    frames = [("importance", frame)] if len(frame) else []
    return Section("importance", "Which hyperparameter matters", text, frames=frames)


def _importance(search: ReportedStudy) -> str:
    searched = parameters.searched(search)
    if len(searched) < 2:
        only = formats.listed([formats.parameter_name(name) for name in searched])
        return (
            f"{search.title}: only one hyperparameter was searched ({only}), so all lies with it."
        )
    if not search.importance:
        return f"{search.title}: it can’t be told from fewer than {ENOUGH} trials run to the end."
    shares = [
        f"{formats.parameter_name(name)} {100 * share:.0f} %"
        for name, share in search.importance.items()
    ]
    return f"{search.title}: {formats.listed(shares)}."
