"""The seal of a study: one digest over all that was recorded, stored with it.

A trial's own digest shows which trial has changed. The seal covers also what that does not: the
manifest, the machine, Optuna's own rows, the dates, and that no trial is missing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from study.storage.attributes import damaged, stored_object, system_attributes
from study.storage.manifest import FIRST_NAME
from study.storage.urls import files

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

_KEY = "seal"


@dataclass(frozen=True)
class Seal:
    """A chain of digests, a link a trial; so that a new generation costs its own trials only."""

    trials: int  # how many it covers
    sha256: str
    # Trials that were unfinished among those, by number; an objective may finish one later.
    passed_over: tuple[int, ...] = field(default=(), compare=False)

    @classmethod
    def of(
        cls,
        manifest: Mapping[str, Any],
        machine: Mapping[str, Any],
        name: str,
        trials: "Sequence[FrozenTrial]",
    ) -> Self:
        """The seal of a study with this manifest, machine and name, over these trials in order.

        A manifest of today keeps the study's first name, and ``name`` is not covered then.
        """
        described: list[Any] = [manifest, machine]
        if FIRST_NAME not in manifest:
            described.insert(0, name)
        return cls(0, _sha256(_json(described))).over(trials)

    def over(
        self, trials: "Sequence[FrozenTrial]", passed_over: Iterable[int] | None = None
    ) -> Self:
        """The seal after these trials were appended, and others passed over, as before if None."""
        link = self.sha256
        for number, trial in enumerate(trials, self.trials):
            link = _sha256(link + _content(number, trial))
        others = self.passed_over if passed_over is None else tuple(passed_over)
        return type(self)(self.trials + len(trials), link, others)

    def ordered(self, finished: "Sequence[FrozenTrial]") -> "list[FrozenTrial]":
        """Finished trials, those that it covers first; each part by number."""
        own = [trial for trial in finished if trial.number not in self.passed_over]
        late = [trial for trial in finished if trial.number in self.passed_over]
        rest = sorted(own[self.trials :] + late, key=lambda trial: trial.number)
        return own[: self.trials] + rest

    @property
    def attribute(self) -> dict[str, Any]:
        """The study's system attribute to record with the trials."""
        stored: dict[str, Any] = {"trials": self.trials, "sha256": self.sha256}
        return {_KEY: stored | ({"passed_over": [*self.passed_over]} if self.passed_over else {})}


def stored_seal(study: "Study") -> Seal | None:
    """The seal that was recorded last; ``None`` before the first trial, or in an old storage.

    Raises:
        StudyError: What is stored there is not a seal.
    """
    stored = stored_object(study, _KEY, system_attributes)
    if stored is None:
        return None
    try:
        others = tuple(map(int, stored.get("passed_over", ())))
        found = Seal(int(stored["trials"]), str(stored["sha256"]), others)
        if found.trials < 0:
            raise ValueError("a seal covers a number of trials")
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(study, _KEY) from error
    return found


def former_names(manifest: Mapping[str, Any], name: str, url: str) -> set[str]:
    """Names that the study may have had: its model's, and those of folders beside the storage.

    Under a seal that covers the name, a renamed study is recognised by one of them.
    """
    if FIRST_NAME in manifest:
        return set()
    beside = files(url, name).parent.glob("*/") if url else ()
    return {str(manifest.get("model", "")), *(folder.name for folder in beside)} - {name, ""}


def _content(number: int, trial: "FrozenTrial") -> str:
    """Everything that a trial's rows hold."""
    from optuna.distributions import distribution_to_json

    return _json(
        [
            number,
            trial.state.name,
            trial.values,
            trial.params,
            {name: distribution_to_json(d) for name, d in trial.distributions.items()},
            trial.intermediate_values,
            trial.user_attrs,
            trial.system_attrs,
            _utc(trial.datetime_start),
            _utc(trial.datetime_complete),
        ]
    )


def _utc(local: datetime | None) -> str | None:
    """Optuna gives naive local time, which is another where the time zone is another."""
    return None if local is None else local.astimezone(UTC).isoformat()


def _json(content: list[Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
