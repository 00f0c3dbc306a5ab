"""What is refused before anything is searched."""

from __future__ import annotations

from study.errors import StudyError
from study.report import ownership
from study.sweep.data_sets import DataSet
from study.sweep.loop import Settings


def require_data(settings: Settings) -> None:
    """Check that the pairs' images are there and that the storage can be written.

    Raises:
        StudyError: The images are missing, or the storage is another program's file.
        ResourceError: The images can't be read, or the storage can't be written.
    """
    from study import dataset, storage
    from study.training.loading import load_files

    official = settings.plans.dataset
    for each in settings.data:
        if each.pair:
            dataset.check_request(official, each.pair, bundled=each.root is None)
    for each in settings.data[:1]:  # pairs stand before a person's own data
        if each.pair:
            load_files(official, each.root)
    storage.create(settings.search.storage)


def require_out(settings: Settings) -> None:
    """Refuse an ``--out`` where a file that no report wrote is in the way of one to be written.

    Raises:
        StudyError: There is one, or a link in the place of a folder.
        ResourceError: The folder can't be read.
    """
    overview = (ownership.SWEEP, ownership.PAGE)
    ownership.require_own(settings.out, overview, replace=settings.replace)
    for each in settings.data if settings.reports else ():
        require_folder(settings, each)


def require_folder(settings: Settings, data: DataSet) -> None:
    """Refuse a report's folder where such a file is in it, or where a person's data lies.

    Raises:
        StudyError: There is one.
        ResourceError: The folder can't be read.
    """
    out = settings.out / data.name
    if data.pair is None and data.root is not None and out.resolve() == data.root.resolve():
        raise StudyError(f"{out}: is the data itself: name another --out for its report")
    ownership.require_folder(out)
    names = ownership.report_names(settings.plans.models)
    ownership.require_own(out, names, replace=settings.replace)
