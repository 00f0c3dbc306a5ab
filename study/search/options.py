"""The options of ``python -m study.search``, and the plan and settings that they state."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from study import cli, options
from study.errors import StudyError
from study.search.loop import Settings
from study.search.parameters import add_space, space_of, stated_by, target_of
from study.training.engine import ENGINES, may_have_gpu
from study.training.plan import SAMPLERS, Plan
from study.training.pruning import PRUNERS
from study.training.registry import MODELS, Model


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser("study.search", "Search one model's hyperparameters.")
    found.add_argument(
        "--model",
        metavar="NAME",
        required=True,
        help=f"the model to search: {', '.join(MODELS)}, or one that a --model-file registers",
    )
    found.add_argument("--study-name", help="the study's name (default: the model's)")
    options.add_common(found)
    add_search(found)
    for option, what, of_learning in (
        ("generation", "recorded together; tpe and gp learn between generations", 16),
        ("cohort", "trained together, as one wide model", 8),
    ):
        usual = f"{_of_each_model(option)}; {of_learning} with tpe and gp; more on a GPU"
        help_text = f"trials {what} (default: {usual}; a stored study keeps its own)"
        found.add_argument(f"--{option}", **cli.COUNT, help=help_text)
    return found


def _of_each_model(attribute: str) -> str:
    return ", ".join(f"{getattr(model, attribute)} for {name}" for name, model in MODELS.items())


def add_search(parser: argparse.ArgumentParser) -> None:
    """The options of every command that searches; what a command lacks has its default."""
    group = parser.add_argument_group("search")
    group.add_argument(
        "--n-trials",
        **cli.COUNT,
        default=Settings.n_trials,
        help="trials that the study has at the end, earlier ones included",
    )
    group.add_argument(
        "--sampler",
        choices=SAMPLERS,
        help="what proposes the trials: points of a quasi-random sequence (qmc), Optuna's tpe, "
        "random or gp, or a grid (default: qmc; a stored study keeps its own)",
    )
    group.add_argument(
        "--pruner",
        choices=PRUNERS,
        default=Plan.pruner,
        help="Optuna's pruner, which stops trials early; a pruned trial is never the best "
        "(default: none, since a fair comparison gives every trial the same budget)",
    )
    group.add_argument("--seed", type=cli.seed, default=0, help="seed of everything random")
    group.add_argument(
        "--target-rule",
        choices=("point", "wilson"),
        default=Plan.target_rule,
        help="what must reach the target: the error itself, or the upper end of its 95 %% "
        "Wilson interval",
    )
    for option, what in (
        ("until", "stop after the generation that reaches the target"),
        ("require", "exit with status 3 if the target is missed"),
    ):
        group.add_argument(f"--{option}-target", action="store_true", help=what)
    group.add_argument("--timeout", **cli.SECONDS, help="begin no generation after this time")
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="what trains; auto is CUDA if there is a GPU here and no --dask, else the CPU",
    )
    group.add_argument(
        "--engine",
        choices=ENGINES,
        help="which library multiplies matrices on a CPU; it decides the last bits of the trials "
        "(default: the faster one on this processor; a stored study keeps its own)",
    )
    add_space(parser)
    options.add_workers(parser)
    add_other_versions(parser)
    options.add_data(parser)
    options.add_protocol(parser)
    parser.set_defaults(generation=None, cohort=None)  # where a command has no option for them


def add_other_versions(parser: argparse.ArgumentParser) -> None:
    """``--other-versions``, for commands that go on with what is stored."""
    parser.add_argument(
        "--other-versions",
        action="store_true",
        help="go on with what was begun with other versions of Python, study, numpy, optuna or "
        "torch than are here; each new trial says which trained it, and the report tells it",
    )


def plans_of(args: argparse.Namespace, models: Sequence[Model]) -> list[Plan]:
    """The plans that the options state, one a model.

    Raises:
        StudyError: An option names a model, a hyperparameter or a range that there is not.
    """
    return [_plan_of(args, model, models) for model in models]


def _plan_of(args: argparse.Namespace, model: Model, models: Sequence[Model]) -> Plan:
    target = target_of(args, model, models)
    for option, is_given in (("until", args.until_target), ("require", args.require_target)):
        if is_given and target is None:
            raise StudyError(f"--{option}-target: {model.name} has no target: add --target ERROR")
    return Plan(
        model=model.name,
        space=space_of(stated_by(args), model, models),
        protocol=options.protocol_of(args),
        seed=args.seed,
        target=target,
        target_rule=args.target_rule,
        sampler=args.sampler or "",
        pruner=args.pruner,
        generation_size=args.generation or 0,
        cohort_size=args.cohort or 0,
        device=device_named(args.device, has_cluster=args.dask is not None),
        engine=args.engine or "",
        grid=args.n_trials,  # if the sampler is the grid's
    )


def device_named(name: str, *, has_cluster: bool = False) -> str:
    """The device that trains; a cluster's workers report it themselves if they lack it.

    Args:
        name: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        has_cluster: Whether a cluster trains.

    Raises:
        StudyError: This machine has no such device.
    """
    if name == "auto" and (has_cluster or not may_have_gpu()):
        return "cpu"
    if name == "cpu" or has_cluster:
        return name
    from study.training.images import pick_device  # torch, once the cheap checks are done

    return pick_device(name).type


def settings_of(args: argparse.Namespace, study_name: str) -> Settings:
    """How the options say to run the search."""
    return Settings(
        storage=args.storage,
        study_name=study_name,
        n_trials=args.n_trials,
        workers=options.workers_of(args),
        data_root=args.data_root,
        other_versions=args.other_versions,
        until_target=args.until_target,
        timeout=args.timeout,
    )
