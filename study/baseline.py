"""One model with fixed settings, as the course notebook trains it.

``python -m study.baseline --learning-rate 1e-4``
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from study import cli, options, storage
from study.errors import StudyError
from study.report import ownership
from study.seeds import derive
from study.text import say
from study.training.protocol import Protocol
from study.training.registry import MODELS, Model, build, model_named
from study.training.space import Configuration

if TYPE_CHECKING:
    import pandas as pd

    from study.training.history import History

LEARNING_RATE = 1e-4
HIDDEN_UNITS = 50
_SEAL, _END = 82, 12  # bytes of the text chunk that is ours, and of the last one
_LARGEST = 2**26  # bytes, far more than a drawing of ours has


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
        help=f"of a model that has them (default: {HIDDEN_UNITS})",
    )
    found.add_argument(
        "--seed", type=cli.seed, default=0, help="of initial weights and batches (default: 0)"
    )
    found.add_argument(
        "--plot", type=Path, metavar="FILE", help="PNG to draw the loss and the error to"
    )
    found.add_argument(
        "--replace",
        action="store_true",
        help="overwrite the --plot file, though this command did not draw it",
    )
    options.add_data(found)
    options.add_protocol(found)
    return found


def baseline(
    model: Model,
    configuration: Configuration,
    protocol: Protocol,
    *,
    seed: int,
    data_root: Path | None = None,
    report: Callable[[int, float], None] | None = None,
) -> History:
    """Train one model with these settings.

    It trains as trial 0 of a search with this seed trains, alone in its cohort.

    Args:
        model: Which kind.
        configuration: Learning rate and hidden units.
        protocol: The data and the training.
        seed: Of the initial weights and the batches.
        data_root: Where the training files lie; None: inside the package.
        report: Called at every validation with the step and the lowest validation error so
            far, a fraction.

    Raises:
        StudyError: The data can't be used.
    """
    import torch

    from study.dataset import load
    from study.training.images import images_of
    from study.training.trainer import train

    pair = load(protocol.dataset, protocol.classes, data_root=data_root, n_train=protocol.n_train)
    best = 1.0

    def watch(step: int, places: np.ndarray, errors: np.ndarray) -> list[int]:
        nonlocal best
        best = min(best, float(errors[0]))
        if report:
            report(step, best)
        return []  # nobody stops

    [history] = train(
        [build(model, configuration, seed=derive(seed, "weights", 0))],
        [configuration.learning_rate],
        images_of(pair, torch.device("cpu")),
        protocol,
        seed=seed,
        rungs=protocol.validation_steps,
        prune=watch,
    )
    return history


def show(step: int, best: float) -> None:
    """The notebook's line, as soon as it is known."""
    say(f"Step {step}: best validation error so far {best:.2%}", flush=True)


def curves(history: History, model: Model) -> pd.DataFrame:
    """The training as the report's figures of loss and error take it, a row a validation.

    They draw the spread over seeds too; one training has none.
    """
    import pandas as pd

    ends = [f"val_{what}_{end}" for what in ("loss", "error") for end in ("low", "high")]
    return pd.DataFrame(
        dict.fromkeys(ends, np.nan)
        | {
            "model": model.name,
            "step": history.steps,
            "train_loss": history.train_losses,
            "val_loss": history.val_losses,
            "train_error": history.train_errors / history.batch_size,
            "val_error": history.val_errors / history.n_val,
            "best": history.steps == history.step,
        }
    )


def plot(history: History, model: Model) -> bytes:
    """PNG of two panels: loss and error, on training batches and validation images."""
    from study.report import figures, rendering

    # isort: split
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    frame = curves(history, model)
    with rendering.theme():
        figure = Figure(figsize=(9.4, 3.5), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        figures.loss(frame, left)
        figures.error(frame, right)
        return rendering.png(figure)


def sealed(png: bytes) -> bytes:
    """The PNG with a text chunk that names this package and has the SHA-256 of what is before.

    So a later run knows it again. https://www.w3.org/TR/png/#11tEXt
    """
    image, end = png[:-_END], png[-_END:]
    chunk = b"tEXtstudy\0" + hashlib.sha256(image).hexdigest().encode()
    length, check = len(chunk) - 4, zlib.crc32(chunk)
    return image + struct.pack(">I", length) + chunk + struct.pack(">I", check) + end


def _is_sealed(path: Path) -> bool:
    if path.stat().st_size > _LARGEST:
        return False
    whole = path.read_bytes()
    return len(whole) > _SEAL + _END and whole == sealed(whole[: -_SEAL - _END] + whole[-_END:])


def _require_plot(path: Path, *, replace: bool) -> None:
    """Refuse a file that can't be drawn to, or that this command did not draw."""
    if not path.parent.is_dir():
        raise StudyError(f"--plot {path}: no folder {path.parent}: create it first")
    storage.require_room(path.parent, 1_000_000)
    with storage.explaining(str(path)):
        if ownership.is_file(path) and not replace and not _is_sealed(path):
            raise StudyError(
                f"--plot {path}: is there, and this command did not draw it: move it away, name "
                "another file, or replace it with --replace"
            )


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    _require_plot(path, replace=replace)
    with storage.explaining(str(path)):
        storage.write_atomically(path, content)


def command(args: argparse.Namespace) -> int:
    """Train what the options say; print each validation, and the result."""
    options.load_model_files(args)
    model = model_named(args.model)
    if args.hidden_units and not model.has_hidden_units:
        raise StudyError(f"--hidden-units: {model.name} has none: leave it out")
    if args.plot:
        _require_plot(args.plot, replace=args.replace)
    hidden = (args.hidden_units or HIDDEN_UNITS) if model.has_hidden_units else None
    history = baseline(
        model,
        Configuration(args.learning_rate, hidden),
        options.protocol_of(args),
        seed=args.seed,
        data_root=args.data_root,
        report=None if args.quiet else show,
    )
    say(
        f"{model.title}, learning rate {args.learning_rate:g}: best validation error "
        f"{history.val_error:.2%} ({int(history.val_errors[history.best])} of {history.n_val:,}) "
        f"at step {history.step:,}, {history.final_error:.2%} at the last validation"
    )
    if args.plot:
        _write(args.plot, sealed(plot(history, model)), replace=args.replace)
        say(str(args.plot))
    return 0


def main() -> int:
    """Entry point."""
    return cli.run(command, parser())


if __name__ == "__main__":
    sys.exit(main())
