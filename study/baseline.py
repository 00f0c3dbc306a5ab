"""One model with fixed settings, as the course notebook trains it.

``python -m study.baseline --learning-rate 1e-4``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from study import cli, formats, options, storage
from study.errors import StudyError
from study.report import ownership
from study.report.sealing import is_sealed, sealed
from study.search.parameters import Stated, add_param, narrowed
from study.seeds import derive
from study.text import say
from study.training.history import History
from study.training.loading import load_pair
from study.training.plan import Plan
from study.training.protocol import Protocol
from study.training.registry import FORMER, MODELS, Model, build, model_named, needed
from study.training.space import Configuration, Value, first_value, whole

if TYPE_CHECKING:
    import pandas as pd

LEARNING_RATE = 1e-4


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    found = cli.new_parser("study.baseline", "Train one model once, with fixed settings.")
    options.add_model_files(found)
    found.add_argument(
        "--model",
        metavar="NAME",
        default="linear",
        help=f"what to train: {', '.join(MODELS)}, or what a --model-file registers "
        "(default: linear)",
    )
    found.add_argument(
        "--learning-rate",
        type=cli.positive_float,
        metavar="RATE",
        default=LEARNING_RATE,
        help=f"of plain SGD (default: {LEARNING_RATE:g})",
    )
    found.add_argument(
        "--hidden-units",
        type=cli.positive_int,
        metavar="N",
        help="of a model that has them (default: the model's own, 50 of the mlp)",
    )
    add_param(found, "NAME=VALUE", "another hyperparameter (default: the model's own)")
    found.add_argument(
        "--seed", type=cli.seed, default=0, help="of initial weights and batches (default: 0)"
    )
    found.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="where to draw loss and error: a .png, .svg or .pdf file",
    )
    found.add_argument(
        "--replace",
        action="store_true",
        help="overwrite the --plot file, though this command did not draw it",
    )
    options.add_data(found)
    options.add_protocol(found)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class Fit(History):
    """The history of one model with fixed settings, and which these are."""

    model: Model = field(kw_only=True)
    configuration: Configuration = field(kw_only=True)

    @property
    def _result(self) -> str:
        settings = formats.parameters(self.configuration)
        return f"{self.model.name}, {settings}: {super()._result}"


def baseline(
    model: Model,
    configuration: Configuration,
    protocol: Protocol,
    *,
    seed: int,
    data_root: Path | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Fit:
    """Train one model with these settings, with the bits of trial 0 of a search with this seed.

    Args:
        model: What to train.
        configuration: The learning rate, and the other hyperparameters that are not the factory's
            defaults.
        protocol: The data and the training.
        seed: Of the initial weights and the batches.
        data_root: Folder of the official training files; None takes the package's images.
        report: Called at every validation with the step and the lowest error so far (a fraction).

    Raises:
        StudyError: The data can't be used.
    """
    import torch

    from study.training.images import images_of
    from study.training.sgd import optimiser_of
    from study.training.trainer import train

    images, best = images_of(load_pair(protocol, data_root), torch.device("cpu")), 1.0

    def watch(step: int, places: np.ndarray, errors: np.ndarray) -> list[int]:
        nonlocal best
        best = min(best, float(errors[0]))
        if report:
            report(step, best)
        return []  # nobody stops

    [history] = train(
        [build(model, configuration, seed=derive(seed, "weights", 0), inputs=images.inputs)],
        **optimiser_of([configuration]),
        images=images,
        protocol=protocol,
        seed=seed,
        engine=Plan(model.name, {}, protocol).settled().engine,  # as a new study has it
        rungs=protocol.validation_steps,
        prune=watch,
    )
    found = {each.name: getattr(history, each.name) for each in fields(History)}
    return Fit(**found, model=model, configuration=configuration)


def show(step: int, best: float) -> None:
    """Print the notebook's line at once."""
    say(f"Step {step}: best validation error so far {formats.percent(best)}", flush=True)


def curves(history: History, name: str) -> pd.DataFrame:
    """The training for the report's figures of loss and error, a row a validation.

    The figures also draw the spread over seeds; one training has none.
    """
    import pandas as pd

    ends = [f"val_{what}_{end}" for what in ("loss", "error") for end in ("low", "high")]
    return pd.DataFrame(
        dict.fromkeys(ends, np.nan)
        | {
            "model": name,
            "step": history.steps,
            "train_loss": history.train_losses,
            "val_loss": history.val_losses,
            "train_error": history.train_errors / history.batch_size,
            "val_error": history.val_errors / history.n_val,
            "best": history.steps == history.step,
        }
    )


def plot(fit: Fit, kind: str) -> bytes:
    """A picture with two panels: loss and error, on training batches and validation images."""
    from study.report import figures, rendering

    # isort: split
    from matplotlib.figure import Figure

    frame = curves(fit, fit.model.name)
    with rendering.theme():
        figure = Figure(figsize=(9.4, 3.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        figures.loss(frame, left)
        figures.error(frame, right)
        return rendering.SAVED[kind](figure)


def _kind(path: Path) -> str:
    """The format that a plot's name says.

    Raises:
        StudyError: It says none that can be drawn.
    """
    kind = path.suffix[1:].lower()
    if kind not in ownership.FORMATS:
        raise StudyError(f"--plot {path}: no format has this ending: must be .png, .svg or .pdf")
    return kind


def _require_plot(path: Path, *, replace: bool) -> None:
    """Refuse a file that can't be written or drawn, or that this command did not draw."""
    kind = _kind(path)
    if not path.parent.is_dir():
        raise StudyError(f"--plot {path}: no folder {path.parent}: create it first")
    storage.require_room(path.parent, 1_000_000)
    with storage.explaining(str(path)):
        if ownership.is_file(path) and not replace and not is_sealed(path, kind):
            raise StudyError(
                f"--plot {path}: is there, and this command did not draw it: move it away, name "
                "another file, or replace it with --replace"
            )


def _configuration(args: argparse.Namespace, model: Model) -> dict[str, Value]:
    """The hyperparameters that the options state; raises as :func:`configuration_of` does."""
    stated: list[Stated] = list(args.param)
    if args.hidden_units:
        [name] = FORMER[1:]
        option = f"--hidden-units {args.hidden_units}"
        stated.insert(0, Stated(option, "", name, f"{args.hidden_units}..{args.hidden_units}"))
    return configuration_of(args.learning_rate, stated, model)


def configuration_of(
    learning_rate: float, stated: Sequence[Stated], model: Model
) -> dict[str, Value]:
    """The learning rate, and the other hyperparameters that are stated.

    Raises:
        StudyError: The model has none of that name, one has more than one value, or one that
            the model needs is not stated.
    """
    found = narrowed(stated, model, [model])
    for each in stated:
        if not found[each.name].single():
            raise StudyError(f"{each.option}: is no single value: give one")
    whole(found)
    if missing := [name for name in needed(model) if name not in found]:
        right = " ".join(f"--param {name}=VALUE" for name in missing)
        raise StudyError(f"model {model.name!r}: has no default of its own: give {right}")
    return {"learning_rate": learning_rate} | {n: first_value(d) for n, d in found.items()}


def command(args: argparse.Namespace) -> int:
    """Train what the options say; print each validation, and the result."""
    options.load_model_files(args)
    model = model_named(args.model)
    configuration = _configuration(args, model)
    if args.plot:
        _require_plot(args.plot, replace=args.replace)
    protocol = options.protocol_of(args)
    history = baseline(
        model,
        configuration,
        protocol,
        seed=args.seed,
        data_root=args.data_root,
        report=None if args.quiet else show,
    )
    errors = int(history.val_errors[history.best])
    title = model.titled(load_pair(protocol, args.data_root).inputs)
    say(
        f"{title}, {formats.parameters(configuration)}: best validation error "
        f"{formats.error(errors, history.n_val)} at step {history.step:,}, "
        f"{formats.percent(history.final_error)} at the last validation"
    )
    if args.plot:
        kind = _kind(args.plot)
        content = sealed(plot(history, kind), kind)
        _require_plot(args.plot, replace=args.replace)  # again: training takes time
        with storage.explaining(str(args.plot)):
            storage.write_atomically(args.plot, content)
        say(str(args.plot))
    return 0


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
