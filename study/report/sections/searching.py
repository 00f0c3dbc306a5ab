"""The searches: learning rates, the trials in their order, and what a shorter one would find."""

from __future__ import annotations

import pandas as pd

from study import formats
from study.report import figures, tables, words
from study.report.content import Section, Table, with_legend
from study.report.importance import ENOUGH
from study.report.record import Record, ReportedStudy
from study.report.rendering import Chart
from study.trials import StoredTrial, rank
from study.trials.selection import diagnosed


def learning_rate(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the error depends on the learning rate, and on hidden units."""
    if trials.empty:
        return None
    text = [_diagnosis(search) for search in record.searches]
    chart = Chart(
        "learning_rate",
        "Error against learning rate",
        figures.learning_rate,
        tables.learning_rates(trials),
        alt="Scatter plot of every trial’s lowest validation error against its learning rate,"
        f" both axes logarithmic. {' '.join(text)}",
        caption="Every trial is a mark. Shaded: trials within one standard error of their"
        f" model’s best, too close to call on these {record.items}.{_zeros(record, trials)}",
        size=with_legend(len(record.searches), 7.6, 4.4),
        narrow=with_legend(len(record.searches), 4.0, 4.4),
    )
    charts = [
        chart,
        *(
            _hidden_units(record, search, trials)
            for search in record.searches
            if search.trials and _has_units(search)
        ),
    ]
    return Section("learning-rate", "What the learning rate does", text, charts)


def _has_units(search: ReportedStudy) -> bool:
    return len({trial.parameters.get("hidden_units") for trial in search.trials}) > 1


def _hidden_units(record: Record, search: ReportedStudy, trials: pd.DataFrame) -> Chart:
    frame = tables.hidden_units(trials[trials["study"] == search.name])
    [best] = frame.nsmallest(1, "val_errors").to_dict("records")
    alone = search.key == "mlp"  # the usual one keeps the plain name
    return Chart(
        "hidden_units" if alone else f"{search.key}_hidden_units",
        f"{search.title}: hidden units and learning rate",
        figures.hidden_units,
        frame,
        alt=f"Scatter plot of the trials of {search.noun} by learning rate and hidden units,"
        f" coloured by error. The lowest, {formats.percent(best['val_error'])}, is at learning"
        f" rate {formats.rate(best['learning_rate'])} and {best['hidden_units']} hidden units.",
        caption="The darker, the fewer errors; from four times the lowest on, all are"
        " equally light. Ringed: the lowest. Crossed: diverged or pruned." + _zeros(record, frame),
        size=(7.6, 4.0),
        narrow=(4.0, 4.0),
    )


def _zeros(record: Record, frame: pd.DataFrame) -> str:
    """A note on a log scale that has no place for an error of 0."""
    half = "half an image" if record.items == "images" else "half a row"
    return f" An error of 0 is drawn as {half}." if (frame["val_errors"] == 0).any() else ""


def _diagnosis(search: ReportedStudy) -> str:
    """Where the good and bad learning rates lie, in words."""
    done = [trial for trial in search.trials if trial.state == "COMPLETE"]
    if not done:
        return f"{search.title}: no trial was trained to the end."
    found = diagnosed(search.stored.plan, done)["learning_rate"]
    span = f"from {formats.rate(found.level[0])} to {formats.rate(found.level[1])}"
    if found.level[0] == found.level[1]:
        span = f"of {formats.rate(found.level[0])}"
    text = f"{search.title}: the trials level with the best have learning rates {span}."
    if found.falls_apart_from is not None:
        text += f" Training falls apart from {formats.rate(found.falls_apart_from)}."
    if found.best_tenth_edge is not None:
        side = {"low": "lower", "high": "upper"}[found.best_tenth_edge]
        return f"{text} The best lie near the {side} end of the range searched: try it wider."
    return f"{text} The best lie well inside the range searched."


def search(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the searches went, and their best trials."""
    if trials.empty:
        return None
    text = [_found(s, best) for s, best in record.winners]
    chart = Chart(
        "history",
        "The search, trial by trial",
        figures.history,
        tables.history(trials),
        alt="Every trial’s lowest validation error in the order they were run, with a line for"
        f" the best so far. {' '.join(text)}",
        caption=f"Marks: trials. Line: the lowest error so far.{_zeros(record, trials)}",
        size=with_legend(len(record.searches), 7.6, 3.7),
        narrow=with_legend(len(record.searches), 4.0, 3.9),
    )
    best = [_best_table(s) for s in record.searches if s.trials]
    return Section("search", "How the search went", text, [chart], best)


def _found(search: ReportedStudy, best: StoredTrial) -> str:
    return (
        f"{search.title}: the best of {formats.plural(len(search.trials), 'trial')} is number"
        f" {best.number}"
        f" ({words.parameters(best)}), at step {best.step:,} of {search.protocol.steps:,}."
    )


def _best_table(search: ReportedStudy) -> Table:
    """Five trials from the best on; pruned ones come last, whatever they reached."""
    order = sorted(search.trials, key=lambda t: (t.state != "COMPLETE", rank(t)))[:5]
    rows = [
        [
            str(t.number),
            formats.rate(t.learning_rate),
            *([str(t.parameters["hidden_units"])] if "hidden_units" in t.parameters else []),
            formats.error(t.val_errors, t.n_val),
            f"{t.step:,}",
            formats.percent(t.final_error),
            t.outcome,
        ]
        for t in order
    ]
    units = ["Hidden units"] if "hidden_units" in order[0].parameters else []
    header = ["Trial", "Learning rate", *units, "Lowest validation error", "At step"]
    caption = f"{search.title}: the {formats.plural(len(order), 'trial')} with the fewest errors"
    note = "" if len(order) == len(search.trials) else "All trials are in tables/trials.csv."
    return Table(caption, [*header, "Error at the end", "Outcome"], rows, note, sortable=True)


def expected(record: Record, trials: pd.DataFrame) -> Section | None:
    """What a shorter search would have found."""
    frame = tables.expected(record)
    if frame.empty:
        return None
    charts = [
        Chart(
            f"expected_{budget}",
            f"Expected lowest error by {title}",
            draw,
            frame,
            alt=f"Line plot of the expected lowest validation error against {title}."
            f" {_expected(frame)}",
            size=with_legend(len(record.searches), 4.7, 3.5),
        )
        for budget, title, draw in (
            ("trials", "number of trials", figures.expected_trials),
            ("seconds", "training time", figures.expected_seconds),
        )
    ]
    text = [
        "Draw n of a study’s trials at random: this is the lowest validation error that they hold"
        " on average, up to half of all trials, beyond which too few draws are left to average."
        " The time is that of n trials at the study’s own average, trained as they were.",
    ]
    adaptive = [s for s in record.searches if s.manifest["sampler"] not in ("random", "qmc")]
    if adaptive:
        text.append(
            "The sampler learnt from earlier trials, so these are not independent draws: the"
            " curves describe the trials that there are, and do not predict another search."
        )
    return Section("expected", "What a shorter search would have found", text, charts)


def _expected(frame: pd.DataFrame) -> str:
    last = frame.groupby("study", sort=False).tail(1).to_dict("records")
    return " ".join(
        f"{row['model']}: {formats.percent(row['expected_error'])} of"
        f" {formats.plural(row['trials'], 'trial')}, {formats.seconds(row['seconds'])}."
        for row in last
    )


def importance(record: Record, trials: pd.DataFrame) -> Section | None:
    """Which hyperparameter matters."""
    if trials.empty:
        return None
    frame = tables.importance(record)
    text = [_importance(search) for search in record.searches]
    text.append(
        "By Optuna’s PED-ANOVA: how unlike a parameter’s values in the best tenth of the trials"
        " are to its values in all of them. It ranks what this search varied in the ranges that"
        " it searched."
    )
    charts = [
        Chart(
            f"{search.key}_importance",
            f"{search.title}: importance of each hyperparameter",
            figures.importance,
            frame[frame["study"] == search.name].reset_index(drop=True),
            alt=f"Bar chart. {_importance(search)}",
            size=(4.7, 0.9 + 0.5 * len(search.importance)),
        )
        for search in record.searches
        if search.importance
    ]
    return Section("importance", "Which hyperparameter matters", text, charts)


def _importance(search: ReportedStudy) -> str:
    searched = [name for name, d in search.stored.plan.space.items() if not d.single()]
    if len(searched) < 2:
        only = formats.listed([name.replace("_", " ") for name in searched])
        return (
            f"{search.title}: only one hyperparameter was searched ({only}), so all lies with it."
        )
    if not search.importance:
        return f"{search.title}: it can’t be told from fewer than {ENOUGH} trials run to the end."
    shares = [f"{n.replace('_', ' ')} {100 * s:.0f} %" for n, s in search.importance.items()]
    return f"{search.title}: {formats.listed(shares)}."
