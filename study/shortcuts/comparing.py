"""Confirm what is not confirmed yet, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from study.confirm.comparison import Comparison, Comparisons, compared_all
from study.confirm.evidence import read_evidence
from study.confirm.loop import RANDOM_SPLITS, Settings, confirm
from study.confirm.loop import restart as drop
from study.dataset import Data
from study.errors import NotConfirmedError
from study.margin import DEFAULT_MARGIN, Margin
from study.progress_bar import advance, progress_bar
from study.report.select_studies import find
from study.shortcuts import arguments, data_arguments
from study.shortcuts.arguments import STORAGE, StoragePath
from study.shortcuts.surroundings import held, quietly
from study.text import hidden

if TYPE_CHECKING:
    from study.confirm.evidence import Evidence


@quietly()
def compare(
    storage: StoragePath = STORAGE,
    names: Sequence[str] | None = None,
    margin: Margin | str = DEFAULT_MARGIN,
    *,
    seeds: int = Settings.seeds,
    splits: int | None = None,
    n_trials: int | None = None,
    seed: int | None = None,
    data: Data | StoragePath | None = None,
    data_root: StoragePath | None = None,
    restart: bool = False,
    jobs: int | None = None,
    model_file: StoragePath | None = None,
    other_versions: bool = False,
    quiet: bool = False,
) -> Comparison | Comparisons:
    """Say which of the studies errs less; first confirm what is not confirmed yet.

    ``study.compare("study.db")``. The lowest validation errors of two searches are too good to
    be compared. So each search is repeated with other images held out, as
    ``python -m study.confirm`` does: with the default settings seven times, which takes a minute,
    and a bar shows it. All of it is stored. Called again, it trains what is missing after a kill,
    and where nothing is, it only reads.

    Args:
        storage: An SQLite file or an Optuna storage URL.
        names: The studies, two or more, the simpler models first; by default of each model the
            study that has its name, or its only study.
        margin: The largest difference in error that does not matter in practice: ``"0.25pp"``,
            percentage points, or ``"20%"`` of the mean of the two errors.
        seeds: Fresh seeds that each best trial is trained on again.
        splits: Times to repeat each search; by default one for each of seven parts of the images.
        n_trials: Of the search inside each split; by default 16, or as it was begun.
        seed: Of everything random here; by default 0, or as it was begun.
        data: Your own file, folder or data, if the studies were searched on it.
        data_root: The folder of the official files, if the studies were searched with one.
        restart: Drop an earlier confirmation of these studies first.
        jobs: Cohorts trained at the same time; by default one on each core.
        model_file: A Python file that registers the models.
        other_versions: Go on with what was begun with other versions than are here.
        quiet: Show no bar.

    Returns:
        The comparison of two studies, or of each pair of three or more.

    Raises:
        StudyError: An argument is wrong, or the studies can't be compared.
        BusyError: Another confirmation holds one of the studies.
        ResourceError: The storage can't be written.
    """
    arguments.run_file(model_file)
    place, allowed = arguments.storage_of(storage), arguments.margin_of(margin)
    is_new = arguments.switch("restart", restart)
    chosen = arguments.names_of(names) or tuple(find(place, hidden(place)))
    begun = () if is_new else _evidence(place, chosen)
    settings = Settings(
        storage=place,
        names=chosen,
        seeds=arguments.whole_number("seeds", seeds, 2),
        splits=None if splits is None else arguments.whole_number("splits", splits, 2),
        n_trials=_stated_or_begun("n_trials", n_trials, begun, least=1),
        seed=_stated_or_begun("seed", seed, begun, least=0),
        margin=allowed,
        workers=arguments.workers_of(jobs, model_file),
        data_root=data_arguments.data_root_of(data, data_root),
        other_versions=arguments.switch("other_versions", other_versions),
        remedy="pass restart=True",
    )
    if is_new:
        drop(settings)
    if not _is_whole(begun, settings):
        with held(data), progress_bar(quiet=quiet, desc="confirm", unit="repetition") as bar:
            confirm(settings, partial(advance, bar))
        begun = read_evidence(place, chosen)
    found = compared_all(begun, allowed)
    return found.pairs[0] if len(found.pairs) == 1 else found


def _evidence(storage: str, names: Sequence[str]) -> tuple[Evidence, ...]:
    """The studies with their confirmations; nothing where these can't be compared yet."""
    try:
        return read_evidence(storage, names)
    except NotConfirmedError:
        return ()


def _stated_or_begun(name: str, value: int | None, begun: Sequence[Evidence], least: int) -> int:
    """A setting as it is stated, or else as the confirmation was begun with it, or the usual."""
    if value is not None:
        return arguments.whole_number(name, value, least)
    usual: int = getattr(Settings, name)
    return int(begun[0].stored_splits.manifest.get(name, usual)) if begun else usual


def _is_whole(begun: Sequence[Evidence], settings: Settings) -> bool:
    """Whether a confirmation has all that the settings ask for."""
    return bool(begun) and all(
        len(found.splits) >= (settings.splits or found.folds or RANDOM_SPLITS)
        and len(found.replicates_of_best) >= settings.seeds
        and found.stored_splits.manifest["seed"] == settings.seed
        and found.stored_splits.manifest["n_trials"] == settings.n_trials
        for found in begun
    )
