"""Search a model's hyperparameters, or train one model with fixed settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study import formats
from study.baseline import LEARNING_RATE, Fit, baseline, configuration_of
from study.dataset import Data, is_official
from study.progress_bar import progress_bar
from study.search.loop import Outcome, Settings, search
from study.search.options import device_named
from study.search.parameters import space_of
from study.search.progress import shown
from study.shortcuts import arguments, data_arguments
from study.shortcuts.arguments import STORAGE, StoragePath
from study.shortcuts.surroundings import held, quietly
from study.training.plan import SAMPLERS, Plan
from study.training.protocol import Protocol
from study.training.registry import Model

if TYPE_CHECKING:
    from study.dataset import Label


@quietly()
def tune(
    model: str | Model,
    *,
    n_trials: int = Settings.n_trials,
    storage: StoragePath = STORAGE,
    study_name: str | None = None,
    seed: int = 0,
    sampler: str | None = None,
    target: float | None = None,
    data: Data | StoragePath | None = None,
    classes: tuple[Label, Label] | None = None,
    data_root: StoragePath | None = None,
    steps: int = Protocol.steps,
    batch_size: int | None = None,
    val_every: int = Protocol.val_every,
    device: str = "auto",
    jobs: int | None = None,
    model_file: StoragePath | None = None,
    other_versions: bool = False,
    quiet: bool = False,
    **hyperparameters: object,
) -> Outcome:
    """Search a model's hyperparameters, as ``python -m study.search`` does.

    ``study.tune("mlp", n_trials=64)``. A study that is stored goes on: what it has counts.

    Args:
        model: ``"linear"``, ``"mlp"``, or a :class:`study.Model`, which is registered.
        n_trials: Trials that the study has at the end, earlier ones included.
        storage: An SQLite file or an Optuna storage URL.
        study_name: By default the model's name.
        seed: Of everything random, 0 or more.
        sampler: ``qmc``, ``tpe``, ``random``, ``grid`` or ``gp``; by default ``qmc``, or that of
            the stored study.
        target: Validation error to reach, a fraction; by default the model's own for images of
            the official files, and none for other data.
        data: A file or folder of your own, what :func:`study.load` returns (which only this
            process can train on), or ``mnist``, ``fashion-mnist``, ``kmnist``; by default the
            4s and 9s inside the package.
        classes: The two classes; by default 4 and 9, of your own data the two that there are.
        data_root: The folder of the official files.
        steps: SGD updates of each trial.
        batch_size: Images or rows in each; by default 100, of your own data at most a tenth.
        val_every: Updates from one validation to the next.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        jobs: Cohorts trained at the same time; by default one on each core.
        model_file: A Python file that registers the model.
        other_versions: Go on with a study that was begun with other versions than are here.
        quiet: Show no bar.
        hyperparameters: Where each is searched: a tuple ``(low, high)``, a list of choices, or a
            value that fixes it. By default as the model says.

    Returns:
        All trials of the study.

    Raises:
        StudyError: An argument is wrong, or the study was searched otherwise.
        BusyError: Another search holds the study.
        ResourceError: The storage can't be written.
    """
    found = arguments.model_of(model, model_file)
    stated = arguments.stated_of(hyperparameters, found, tune)
    protocol, root = data_arguments.protocol_of(
        data, classes, data_root, steps=steps, batch_size=batch_size, val_every=val_every
    )
    settings = Settings(
        storage=arguments.storage_of(storage),
        study_name=found.name if study_name is None else arguments.text("study_name", study_name),
        n_trials=arguments.whole_number("n_trials", n_trials),
        workers=arguments.workers_of(jobs, model_file),
        data_root=root,
        other_versions=arguments.switch("other_versions", other_versions),
        remedy="choose another study_name",
    )
    plan = Plan(
        model=found.name,
        space=space_of(stated, found, [found]),
        protocol=protocol,
        seed=arguments.whole_number("seed", seed, 0),
        target=_target(target, found, protocol),
        sampler="" if sampler is None else arguments.one_of("sampler", sampler, SAMPLERS),
        device=device_named(arguments.one_of("device", device, ("auto", "cpu", "cuda", "mps"))),
        grid=settings.n_trials,  # if the sampler is the grid's
    )
    with held(data), shown([settings], quiet=quiet) as bar:
        return search(plan, settings, bar.show(0))


def _target(target: float | None, model: Model, protocol: Protocol) -> float | None:
    if target is None:
        return model.target if is_official(protocol.dataset) else None
    return arguments.number("target", target, 0, 1)


@quietly()
def fit(
    model: str | Model = "linear",
    *,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
    data: Data | StoragePath | None = None,
    classes: tuple[Label, Label] | None = None,
    data_root: StoragePath | None = None,
    steps: int = Protocol.steps,
    batch_size: int | None = None,
    val_every: int = Protocol.val_every,
    model_file: StoragePath | None = None,
    quiet: bool = False,
    **hyperparameters: object,
) -> Fit:
    """Train one model with fixed settings, as ``python -m study.baseline`` does.

    ``study.fit("linear", learning_rate=1e-4)``. It is trial 0 of a search with this seed.

    Args:
        model: ``"linear"``, ``"mlp"``, or a :class:`study.Model`, which is registered.
        learning_rate: Of SGD.
        seed: Of the initial weights and the batches.
        data: As for :func:`tune`; so are classes, data_root, steps, batch_size and val_every.
        classes: The two classes.
        data_root: The folder of the official files.
        steps: SGD updates.
        batch_size: Images or rows in each.
        val_every: Updates from one validation to the next.
        model_file: A Python file that registers the model.
        quiet: Show no bar.
        hyperparameters: The values of others; by default the model's own.

    Returns:
        The history of the training, with the weights at the best step.

    Raises:
        StudyError: An argument is wrong, or the data can't be used.
    """
    found = arguments.model_of(model, model_file)
    stated = arguments.stated_of(hyperparameters, found, fit)
    rate = arguments.number("learning_rate", learning_rate)
    configuration = configuration_of(rate, stated, found)
    protocol, root = data_arguments.protocol_of(
        data, classes, data_root, steps=steps, batch_size=batch_size, val_every=val_every
    )
    start = arguments.whole_number("seed", seed, 0)
    bar = progress_bar(quiet=quiet, total=protocol.steps, desc=found.name, unit="step")

    def move(step: int, best: float) -> None:
        bar.set_postfix_str(f"best {formats.percent(best)}", refresh=False)
        bar.update(min(step + protocol.val_every, protocol.steps) - bar.n)

    with held(data), bar:
        return baseline(found, configuration, protocol, seed=start, data_root=root, report=move)
