"""Independent ways to look at a storage and at a page."""

import json
from hashlib import sha256
from html.parser import HTMLParser

from study.report import write
from study.report.collect import collect
from study.report.drawn import Drawn
from study.report.page import to_html
from study.report.rendering import figure, theme
from study.report.sections import compose
from study.trials import digest
from tests.helpers import sql
from tests.helpers.vouching import vouch


def stored_best(storage, study):
    """The trial with the fewest errors, then the lowest loss, then the first."""
    complete = [t for t in sql.trials(storage, study) if t["state"] == "COMPLETE"]
    return min(complete, key=lambda t: (t["val_errors"], t["val_loss"], t["number"]))


def set_attribute(storage, key, value):
    """Give every trial the same user attribute."""
    statement = "UPDATE trial_user_attributes SET value_json = ? WHERE key = ?"
    sql.change(storage, statement, json.dumps(value), key)


def digests(folder):
    """SHA-256 of every file below a folder, by its path there."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def recorded(storage, study, upto):
    """Append copies of a study's trials, their learning rates and errors changed, up to a size."""
    from study.storage import open_study, record

    opened = open_study(str(storage), study)
    there = opened.get_trials(deepcopy=False)
    record(opened, [_varied(there[k % len(there)], k) for k in range(len(there), upto)])
    vouch(storage)


def _varied(trial, k):
    """The trial with another learning rate, more errors, and the digest that fits them."""
    from optuna.trial import create_trial

    rate = 10 ** (-3 + 2.7 * (k * 0.618 % 1))
    errors = trial.user_attrs["val_errors"] + 20 + k * 7 % 50
    attrs = trial.user_attrs | {"val_errors": errors}
    attrs["parameters"] = attrs["parameters"] | {"learning_rate": rate}
    value = errors / attrs["n_val"]
    attrs["digest"] = digest(attrs, value)
    varied = create_trial(
        state=trial.state, value=value, params=trial.params | {"learning_rate": rate},
        distributions=trial.distributions, user_attrs=attrs,
        intermediate_values=trial.intermediate_values,
    )  # fmt: skip
    varied.datetime_start, varied.datetime_complete = trial.datetime_start, trial.datetime_complete
    return varied


class Undrawn(Drawn):
    """Empty files in place of pictures, for tests of what a report says beside them."""

    def files(self, chart, *kinds, size=None):
        return [b""] * len(kinds)


class LaidOut(Undrawn):
    """The same, after each figure was drawn and laid out, which fails where it can't be drawn."""

    def files(self, chart, *kinds, size=None):
        if size is None:  # and not a copy
            figure(chart)
        return super().files(chart, *kinds)


def page_of(storage, *, drawn=None, **options):
    """The page of a storage, by default one whose figures have words and no shapes."""
    with theme():
        record = collect(str(storage), **options)
        return Page(to_html(record, compose(record), drawn or Undrawn()))


def written(storage, out, *, drawn=None, **options):
    """The summary and the page of a report in a folder, by default without pictures."""
    write(str(storage), out, drawn=drawn or Undrawn(), **options)
    return json.loads((out / "summary.json").read_text()), page_in(out)


def page_in(out):
    """The page of a report that was written."""
    return Page((out / "index.html").read_text())


class Page(HTMLParser):
    """A page's tags with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.words = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] not in ("style", "script"):
            self.words.append(data)

    def values(self, *names):
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in names]

    def all(self, tag):
        return [attrs for found, attrs in self.tags if found == tag]
