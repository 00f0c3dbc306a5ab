"""Write the data sets' own reports, a core each."""

from __future__ import annotations

import gc
import signal
from collections.abc import Generator, Sequence
from itertools import repeat
from pathlib import Path

from study import cli, interrupts, system
from study.report import ownership
from study.sweep.checks import require_folder
from study.sweep.data_sets import DataSet
from study.sweep.loop import Done, Settings
from study.training.registry import load_model_file


def write_reports(
    settings: Settings, jobs: int, data: Sequence[DataSet]
) -> Generator[Done, None, None]:
    """Write the reports of these data sets; each as it is done, in their order.

    Several at once are drawn in processes: matplotlib is not made for threads.
    """
    at_once = min(jobs, system.available_cores(), len(data))
    if at_once <= 1:
        yield from map(_report, repeat(settings), data)
        return
    from joblib.externals.loky import ProcessPoolExecutor  # type: ignore[import-untyped]

    known = settings.verbosity, settings.search.workers.model_files
    pool = ProcessPoolExecutor(at_once, initializer=_prepare, initargs=known)
    try:
        with interrupts.kept_from_children():
            drawn = pool.map(_report, repeat(settings), data)
        yield from drawn
    except BaseException:
        pool.shutdown(kill_workers=True)
        gc.collect()  # its semaphores, or Python warns that they leaked
        raise
    pool.shutdown()


def _prepare(verbosity: int, model_files: tuple[Path, ...]) -> None:
    """Give a process that draws the log and the models that this one has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Windows it is not inherited
    cli.set_logging(verbosity)
    for path in model_files:
        load_model_file(path)


def _report(settings: Settings, data: DataSet) -> Done:
    """Write a report. The old page goes first: it is not of what the storage has now."""
    from study.report import write

    out = settings.out / data.name
    try:
        require_folder(settings, data)
        (out / ownership.PAGE).unlink(missing_ok=True)
        write(
            settings.search.storage,
            out,
            names=data.study_names(settings.plans.models),
            data_root=data.root,
            replace=settings.replace,
            margin=settings.margin,
        )
    except Exception as error:
        if settings.debug:
            raise
        return Done(data, cli.explained(error))
    return Done(data)
