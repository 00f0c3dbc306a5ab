"""The evidence: learning rates, the search, the training, the weights, the mistakes.

Each section is a function of the record that returns ``None`` where it has nothing to say.
"""

from __future__ import annotations

import pandas as pd

from study import stats
from study.choosing import diagnosed
from study.report import figures, pictures, tables, words
from study.report.drawing import Chart
from study.report.parts import Section, Table
from study.report.record import Record, Searched
from study.trials import StoredTrial, rank


def learning_rate(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the error depends on the learning rate, and on the MLP's hidden units."""
    if trials.empty:
        return None
    units = tables.hidden_units(trials)
    charts = [
        Chart(
            "learning_rate",
            "Error against learning rate",
            figures.learning_rate,
            tables.learning_rates(trials),
            alt="Scatter plot of every trial’s lowest validation error against its learning rate,"
            f" both axes logarithmic. {' '.join(_diagnosis(s) for s in record.searches)}",
            caption="Every trial is a mark. Shaded: trials within one standard error of their"
            f" model’s best, too close to call on these images.{_zeros(trials)}",
            size=(7.6, 4.4),
            narrow=(4.0, 4.2),
        )
    ]
    if units["hidden_units"].nunique() > 1:
        [best] = units.nsmallest(1, "val_errors").to_dict("records")
        charts.append(
            Chart(
                "hidden_units",
                "MLP: hidden units and learning rate",
                figures.hidden_units,
                units,
                alt="Scatter plot of the MLP’s trials by learning rate and hidden units, coloured"
                f" by error. The lowest, {words.percent(best['val_error'])}, is at learning rate"
                f" {words.rate(best['learning_rate'])} and {best['hidden_units']} hidden units.",
                caption="The darker, the fewer errors; from four times the lowest on, all are"
                " equally light. Ringed: the lowest. Crossed: diverged or pruned." + _zeros(units),
            )
        )
    text = [_diagnosis(search) for search in record.searches]
    return Section("learning-rate", "What the learning rate does", text, charts)


def _zeros(frame: pd.DataFrame) -> str:
    """A note on a log scale that has no place for an error of 0."""
    return " An error of 0 is drawn as half an image." if (frame["val_errors"] == 0).any() else ""


def _diagnosis(search: Searched) -> str:
    """Where the good and bad learning rates lie, in words."""
    done = [trial for trial in search.trials if trial.state == "COMPLETE"]
    if not done:
        return f"{search.title}: no trial was trained to the end."
    low, high = search.manifest["space"]["learning_rate"]
    found = diagnosed(done, (low, high))
    span = f"from {words.rate(found.level[0])} to {words.rate(found.level[1])}"
    if found.level[0] == found.level[1]:
        span = f"of {words.rate(found.level[0])}"
    text = f"{search.title}: the trials level with the best have learning rates {span}."
    if found.falls_apart_from is not None:
        text += f" Training falls apart from {words.rate(found.falls_apart_from)}."
    if found.best_tenth_edge is not None:
        side = {"low": "lower", "high": "upper"}[found.best_tenth_edge]
        text += f" The best lie near the {side} end of the range searched: try it wider."
    return text


def search(record: Record, trials: pd.DataFrame) -> Section | None:
    """How the searches went, and their best trials."""
    if trials.empty:
        return None
    chart = Chart(
        "history",
        "The search, trial by trial",
        figures.history,
        tables.history(trials),
        alt="Every trial’s lowest validation error in the order they were run, with a line for"
        f" the best so far. {' '.join(_found(s, best) for s, best in record.winners)}",
        caption=f"Marks: trials. Line: the lowest error so far.{_zeros(trials)}",
        size=(7.6, 3.7),
        narrow=(4.0, 3.7),
    )
    text = [_found(s, best) for s, best in record.winners]
    best = [_best_table(s) for s in record.searches if s.trials]
    return Section("search", "How the search went", text, [chart], best)


def _found(search: Searched, best: StoredTrial) -> str:
    return (
        f"{search.title}: the best of {words.plural(len(search.trials), 'trial')} is number"
        f" {best.number}"
        f" ({words.parameters(best)}), at step {best.step:,} of {search.protocol.steps:,}."
    )


def _best_table(search: Searched) -> Table:
    """Five trials from the best on; pruned ones come last, whatever they reached."""
    order = sorted(search.trials, key=lambda t: (t.state != "COMPLETE", rank(t)))[:5]
    rows = [
        [
            str(t.number),
            words.rate(t.learning_rate),
            *([] if t.hidden_units is None else [str(t.hidden_units)]),
            words.error(t.val_errors, t.n_val),
            f"{t.step:,}",
            words.percent(t.final_error),
            t.outcome,
        ]
        for t in order
    ]
    units = ["Hidden units"] if order[0].hidden_units is not None else []
    header = ["Trial", "Learning rate", *units, "Lowest validation error", "At step"]
    caption = f"{search.title}: the {words.plural(len(order), 'trial')} with the fewest errors"
    return Table(caption, [*header, "Error at the end", "Outcome"], rows)


def training(record: Record, trials: pd.DataFrame) -> Section | None:
    """The learning curves of the winners."""
    if not record.winners:
        return None
    frames = [tables.curves(s, best) for s, best in record.winners]
    draws = figures.on_common_scales(pd.concat(frames))
    charts = [
        Chart(
            f"{s.model.name}_{quantity}",
            f"{s.title}: {quantity}",
            draw,
            frame,
            alt=f"Learning curve: {quantity} of the {s.title} winner, trial {best.number}, on"
            f" training batches and on the validation images, over {s.protocol.steps:,} steps."
            f" The lowest validation error, {words.error(best.val_errors, best.n_val)}, is at"
            f" step {best.step:,}; at the end it is {words.percent(best.final_error)}.",
        )
        for (s, best), frame in zip(record.winners, frames, strict=True)
        for quantity, draw in draws
    ]
    text = [
        "The grey line is one training batch of"
        f" {record.protocol.batch_size} images a point, before the step’s update, so it jumps; the"
        " coloured line is all validation images, after it. A search keeps the step with the"
        " fewest validation errors (ringed)."
    ]
    title = "How the two winners learnt" if len(frames) > 1 else "How the best trial learnt"
    return Section("training", title, text, charts)


def weights(record: Record, trials: pd.DataFrame) -> Section | None:
    """What the models look at: the weights of the linear model, and of hidden units."""
    first, second = _class_names(record)
    charts, text = [], []
    for s, best in record.winners:
        if s.weights is None:
            text.append(f"{s.title}: the weights can’t be shown, since {s.no_weights}.")
        elif s.model.name == "linear":
            charts.append(_linear_weights(s.weights, best, first, second))
        else:
            charts.append(_unit_weights(s.weights, best, first, second))
    if not charts and not text:
        return None
    return Section("weights", "What the models look at", text, charts)


def _linear_weights(found: tables.Weights, best: StoredTrial, first: str, second: str) -> Chart:
    return Chart(
        "linear_weights",
        "The linear model’s 784 weights",
        figures.linear_weights,
        tables.linear_weights(found),
        alt=f"The weights of linear trial {best.number} as a 28 by 28 image on a diverging scale.",
        caption=f"Ink on a green pixel is evidence for {second}, on a purple one for {first};"
        " white pixels hardly count. The model adds these up, and nothing else.",
        size=(4.7, 3.9),
    )


def _unit_weights(found: tables.Weights, best: StoredTrial, first: str, second: str) -> Chart:
    frame = tables.unit_weights(found)
    shown, count = frame["unit"].nunique(), len(found["hidden.weight"])
    return Chart(
        "mlp_units",
        f"{shown} of the MLP’s {count} hidden units",
        figures.unit_weights,
        frame,
        alt=f"The incoming weights of {shown} hidden units of MLP trial {best.number}, each a 28"
        " by 28 image on one diverging scale.",
        caption="Those with the largest outgoing weights, largest first. A unit fires when ink"
        f" falls on its green pixels; then it argues for {second} (+) or for {first} (−).",
        size=(4.7, 3.9),
    )


def _class_names(record: Record) -> tuple[str, str]:
    protocol = record.protocol
    first, second = (words.class_name(protocol.dataset, label) for label in protocol.classes)
    article = "a " if protocol.dataset == "mnist" else ""
    return article + first, article + second


def mistakes(record: Record, trials: pd.DataFrame) -> Section | None:
    """The validation images that each winner, and both, get wrong."""
    if not record.winners:
        return None
    title = "The images they get wrong"
    if record.pair is None:
        return Section("mistakes", title, [f"Not shown: {record.no_pair}."])
    frame = tables.misread(record, record.pair)
    strips = pictures.strips(record, record.pair, frame)
    text = ["Each picture says what it is, what the model took it for, and the probability that"
            " the model gave to its own, wrong, answer where the weights are there."]  # fmt: skip
    paired = [_paired(record)] if len(record.winners) > 1 else []
    if paired:
        text.append(_paired_text(record))
    return Section("mistakes", title, text, tables=paired, strips=strips,
                   frames=[("misread", frame)])  # fmt: skip


def _counts(record: Record) -> stats.PairedCounts:
    assert record.pair is not None
    a, b = (tables.wrong(record.pair, best) for _, best in record.winners)
    return stats.paired_counts(a, b)


def _paired(record: Record) -> Table:
    c = _counts(record)
    rows = [
        ["Linear right", f"{c.neither:,}", f"{c.only_b:,}"],
        ["Linear wrong", f"{c.only_a:,}", f"{c.both:,}"],
    ]
    return Table("The winners on the same images", ["", "MLP right", "MLP wrong"], rows)


def _paired_text(record: Record) -> str:
    c = _counts(record)
    ends = stats.newcombe(c)
    return (
        f"On {c.only_a:,} images only the linear model errs, on {c.only_b:,} only the MLP. The"
        " difference of the two errors, linear minus MLP, is"
        f" {100 * c.difference:+.2f} percentage points (95 % interval, paired:"
        f" {100 * ends.lower:+.2f} to {100 * ends.upper:+.2f}), for these two trained models as"
        " they stand: choosing them on these images is not allowed for."
    )
