"""A training history as Optuna attributes, which are JSON that needs no package to be read."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from study.errors import StudyError
from study.training.history import History
from study.training.protocol import Protocol, report_steps
from study.training.registry import FORMER
from study.training.space import Configuration

TRAINED_UNDER = "trained_under"  # an objective's trial's system attribute: a digest of settings
CURVES = ("train_loss", "train_errors", "val_loss", "val_errors")
MAX_VALIDATIONS = 150_000  # whose curve fits into one attribute, see study.storage.rows


def require_storable(protocol: Protocol) -> None:
    """Refuse a protocol whose learning curves are too long to be stored.

    Raises:
        StudyError: There are more than ``MAX_VALIDATIONS`` validations.
    """
    if len(protocol.validation_steps) > MAX_VALIDATIONS:
        least = -(-protocol.steps // MAX_VALIDATIONS)
        raise StudyError(
            f"--val-every {protocol.val_every}: gives a curve too long to be stored: pass "
            f"{least} or more"
        )


def attributes(
    history: History,
    configuration: Configuration,
    seed: int,
    target: float | None,
    *,
    cohort_numbers: Sequence[int],
    first_of_generation: int,
    value: float | None = None,
    former: bool = False,
) -> dict[str, Any]:
    """The user attributes of a finished trial.

    Args:
        history: Its training.
        configuration: Its hyperparameters, fixed ones too.
        seed: Of its initial weights.
        target: The study's target, a fraction; None: it has none.
        cohort_numbers: The numbers of the trials that it was trained with, its own included.
        first_of_generation: The number of the first trial that was planned with it.
        value: What Optuna stores as its value; by default the lowest validation error.
        former: In the format of version 0.1, for a study that it began.
    """
    parameters = dict(configuration)
    attrs: dict[str, Any] = {
        "outcome": _outcome(history),
        **({n: parameters.get(n) for n in FORMER} if former else {"parameters": parameters}),
        "val_errors": int(history.val_errors[history.best]),
        "n_val": history.n_val,
        "val_loss": _number(history.val_loss),
        "step": history.step,
        "final_error": history.final_error,
        "final_loss": _number(float(history.val_losses[-1])),
        "first_step_at_target": None if target is None else history.first_step_at(target),
        "diverged_at": history.diverged_at,
        "seed": seed,
        "generation": first_of_generation,
        "cohort": list(cohort_numbers),
        "curve": curve_of(history),
        "predictions": pack(history.predictions),
        "weights_sha256": weights_digest(history.weights),
    }
    return attrs | {"digest": digest(attrs, history.val_error if value is None else value)}


def parameters_of(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters in a trial's attributes, whichever version wrote them.

    Raises:
        LookupError, TypeError, ValueError: They are not there, or not a mapping.
    """
    if "parameters" not in attrs and FORMER[0] in attrs:
        found = {name: attrs[name] for name in FORMER}
        return {name: value for name, value in found.items() if value is not None}
    parameters = dict(attrs["parameters"])
    float(parameters["learning_rate"])
    return parameters


def _outcome(history: History) -> str:
    if history.pruned and history.diverged_at is None:
        return "pruned"
    return "diverged" if history.diverged else "finished"


def _number(value: float) -> float | None:
    """A finite float32 with the nine digits that give the same float32 back; None otherwise."""
    return float(f"{value:.9g}") if np.isfinite(value) else None


def curve_of(history: History) -> dict[str, list[Any]]:
    """The learning curve as stored: ``step`` and ``CURVES``, (V,) each."""
    losses = {"train_loss": history.train_losses, "val_loss": history.val_losses}
    errors = {"train_errors": history.train_errors, "val_errors": history.val_errors}
    return (
        {"step": history.steps.tolist()}
        | {name: [_number(v) for v in values.tolist()] for name, values in losses.items()}
        | {name: values.tolist() for name, values in errors.items()}
    )


def reported(history: History, protocol: Protocol) -> dict[int, float]:
    """The intermediate values: validation errors, fractions, at :func:`report_steps`."""
    shown = set(report_steps(protocol))
    return {
        int(step): int(errors) / history.n_val
        for step, errors in zip(history.steps, history.val_errors, strict=True)
        if int(step) in shown
    }


def pack(bits: np.ndarray) -> str:
    """(n,) bool → base64 of eight bits a byte, the first image in the highest bit."""
    return base64.b64encode(np.packbits(bits).tobytes()).decode()


def unpack(text: str, n: int) -> np.ndarray:
    """What :func:`pack` wrote → (n,) bool; ValueError where it is not n bits long."""
    octets = np.frombuffer(base64.b64decode(text), np.uint8)
    if len(octets) != -(-n // 8):  # or NumPy would pad to n, however large
        raise ValueError(f"{len(octets)} bytes do not hold {n} bits")
    return np.unpackbits(octets, count=n).astype(bool)


def weights_digest(weights: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, shapes and float32 bytes of a state_dict."""
    hashed = hashlib.sha256()
    for name, array in sorted(weights.items()):
        hashed.update(f"{name}{array.shape}".encode())
        hashed.update(np.ascontiguousarray(array, "<f4").tobytes())
    return hashed.hexdigest()


def digest(attrs: dict[str, Any], value: float) -> str:
    """SHA-256 over the canonical JSON of a trial's value and attributes, ``digest`` left out."""
    kept = {name: attr for name, attr in attrs.items() if name != "digest"}
    text = json.dumps([value, kept], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
