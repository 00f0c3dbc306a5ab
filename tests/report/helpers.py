"""Independent ways to look at a storage and at a page."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from html.parser import HTMLParser

from study.trials import digest
from tests.vouching import vouch

TRIALS = """
SELECT t.number, t.state, v.value, a.key, a.value_json
FROM studies s JOIN trials t USING (study_id)
JOIN trial_values v USING (trial_id) JOIN trial_user_attributes a USING (trial_id)
WHERE s.study_name = ? ORDER BY t.number
"""


def stored_trials(storage, study):
    """Each trial's attributes, with its number, state and value, by plain SQL."""
    found = {}
    with closing(sqlite3.connect(storage)) as connection:
        for number, state, value, key, text in connection.execute(TRIALS, (study,)):
            trial = found.setdefault(number, {"number": number, "state": state, "value": value})
            trial[key] = json.loads(text)
    return list(found.values())


def stored_best(storage, study):
    """The trial with the fewest errors, then the lowest loss, then the first."""
    complete = [t for t in stored_trials(storage, study) if t["state"] == "COMPLETE"]
    return min(complete, key=lambda t: (t["val_errors"], t["val_loss"], t["number"]))


def change(storage, statement, *values):
    """Alter a storage behind everyone's back, and vouch for it."""
    with closing(sqlite3.connect(storage)) as connection, connection:
        connection.execute(statement, values)
    vouch(storage)


def set_attribute(storage, key, value):
    """Give every trial the same user attribute."""
    change(
        storage,
        "UPDATE trial_user_attributes SET value_json = ? WHERE key = ?",
        json.dumps(value),
        key,
    )


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
    attrs = trial.user_attrs | {"learning_rate": rate, "val_errors": errors}
    value = errors / attrs["n_val"]
    attrs["digest"] = digest(attrs, value)
    varied = create_trial(
        state=trial.state, value=value, params=trial.params | {"learning_rate": rate},
        distributions=trial.distributions, user_attrs=attrs,
        intermediate_values=trial.intermediate_values,
    )  # fmt: skip
    varied.datetime_start, varied.datetime_complete = trial.datetime_start, trial.datetime_complete
    return varied


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
