"""The options of ``python -m study.search``, and the plan and settings that they state."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from study import cli, options
from study.cli import Number
from study.errors import StudyError
from study.search.loop import Settings
from study.training.plan import SAMPLERS, Plan
from study.training.pruning import PRUNERS
from study.training.registry import MODELS, Model, default_space
from study.training.space import DEFAULT_HIDDEN_UNITS, SearchSpace


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
    _add_space(found)
    for option, what in (
        ("generation", "planned together"),
        ("cohort", "trained together, as one wide model"),
    ):
        help_text = f"trials {what} (default: {_of_each_model(option)})"
        found.add_argument(f"--{option}", **cli.COUNT, help=help_text)
    return found


def _add_space(parser: argparse.ArgumentParser) -> None:
    """What is searched: the ranges and the target."""
    space = parser.add_argument_group("search space (log-uniform; one value fixes it)")
    space.add_argument(
        "--learning-rate",
        nargs="+",
        type=cli.positive_float,
        metavar=("LOW", "HIGH"),
        help="learning rate of plain SGD (default: 1e-5 to 1)",
    )
    low, high = DEFAULT_HIDDEN_UNITS
    space.add_argument(
        "--hidden-units",
        nargs="+",
        type=cli.positive_int,
        metavar=("LOW", "HIGH"),
        help="hidden units of the mlp, or of another model that has them "
        f"(default: {low} to {high})",
    )
    space.add_argument(
        "--target",
        type=cli.fraction,
        help=f"validation error to reach, as a fraction (default: {_of_each_model('target')})",
    )


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
        default=Plan.sampler,
        help="Optuna's sampler, which proposes the next trials",
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
    options.add_workers(parser)
    options.add_data(parser)
    options.add_protocol(parser)
    parser.set_defaults(  # where a command has no option for them
        learning_rate=SearchSpace().learning_rate,
        **dict.fromkeys(("hidden_units", "target", "generation", "cohort")),
    )


def plan_of(args: argparse.Namespace, model: Model) -> Plan:
    """The plan that the options state.

    Raises:
        StudyError: A range is reversed, or the model has no hidden units to set.
    """
    space = replace(
        default_space(model), learning_rate=_range("--learning-rate", args.learning_rate)
    )
    if args.hidden_units:
        if not model.has_hidden_units:
            raise StudyError(f"--hidden-units: {model.name} has none: leave it out")
        space = replace(space, hidden_units=_range("--hidden-units", args.hidden_units))
    return Plan(
        model=model.name,
        space=space,
        protocol=options.protocol_of(args),
        seed=args.seed,
        target=model.target if args.target is None else args.target,
        target_rule=args.target_rule,
        sampler=args.sampler,
        pruner=args.pruner,
        generation_size=args.generation or model.generation,
        cohort_size=args.cohort or model.cohort,
        device=_device(args),
        grid=args.n_trials if args.sampler == "grid" else None,
    )


def _device(args: argparse.Namespace) -> str:
    """The device that trains; a cluster's workers report it themselves if they lack it."""
    if args.dask is not None:
        return "cpu" if args.device == "auto" else str(args.device)
    from study.training.images import pick_device  # torch, once the cheap checks are done

    return pick_device(args.device).type


def _range(option: str, values: Sequence[Number]) -> tuple[Number, Number]:
    if len(values) > 2:
        raise StudyError(f"{option}: {len(values)} values: give LOW HIGH, or one to fix it")
    low, high = values[0], values[-1]
    if low > high:
        raise StudyError(f"{option} {low} {high}: the range is reversed: give {high} {low}")
    return low, high


def settings_of(args: argparse.Namespace, study_name: str) -> Settings:
    """How the options say to run the search."""
    return Settings(
        storage=args.storage,
        study_name=study_name,
        n_trials=args.n_trials,
        workers=options.workers_of(args),
        data_root=args.data_root,
        until_target=args.until_target,
        timeout=args.timeout,
    )
