"""Independent ways to look at a storage and at a page."""

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from html.parser import HTMLParser

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
