"""What a trained model and an untrained one answer, computed from their weights.

The two built-in models are a few products of matrices, written here in NumPy: importing torch
would take longer than all of a report's predictions. Any other model is built with torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from study.training.registry import Model, build

if TYPE_CHECKING:
    from study.trials import StoredTrial

Weights = dict[str, np.ndarray]
LINEAR, MLP = "study.training.models:SimpleLinear", "study.training.models:SimpleMLP"
_LAYERS = {LINEAR: ("linear",), MLP: ("hidden", "output")}


def probabilities(
    model: Model, trial: StoredTrial, weights: Weights | None, x: np.ndarray
) -> np.ndarray:
    """P(second class) of normalised images or rows, (n, D) float32, to six digits.

    NaN without weights. Equals ``torch.sigmoid(module(x))`` for the model's module with these
    weights.
    """
    if weights is None:
        return np.full(len(x), np.nan)
    logits = _logits(model, trial, weights, x)
    with np.errstate(over="ignore"):  # e⁹⁹⁹ is as good as infinite here
        return np.asarray(np.round(1 / (1 + np.exp(-logits)), 6))


def _logits(model: Model, trial: StoredTrial, weights: Weights, x: np.ndarray) -> np.ndarray:
    """(n, D) → (n,), in float64."""
    w = {name: tensor.astype(float) for name, tensor in weights.items()}
    if model.factory == LINEAR:
        return np.asarray(x @ w["linear.weight"][0] + w["linear.bias"])
    if model.factory == MLP:
        hidden = np.maximum(x @ w["hidden.weight"].T + w["hidden.bias"], 0)
        return np.asarray(hidden @ w["output.weight"][0] + w["output.bias"])
    import torch

    from study.training.known_state import known_state

    module = build(model, trial.parameters, seed=0, inputs=x.shape[1])
    module.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.items()})
    rows = torch.from_numpy(x)
    with known_state(), torch.no_grad():
        single = module(rows)[:, 0].double()
        try:
            return np.asarray(module.double()(rows.double())[:, 0])
        except RuntimeError:  # a module that makes float32 tensors of its own
            return np.asarray(single)


def initial_weights(
    model: Model, trial: StoredTrial, weights: Weights, *, seed: int, inputs: int
) -> Weights:
    """A trial's weights before its training.

    Equals the state of ``study.build(model, …, seed=seed)``: torch's generator is the
    Mersenne Twister that NumPy has, and a float32 takes the lowest 24 bits of each number.

    Args:
        model: Its kind.
        trial: Gives the hyperparameters.
        weights: Trained ones, for their shapes.
        seed: Of the trial's weights.
        inputs: Columns of the data.
    """
    layers = _LAYERS.get(str(model.factory))
    if layers is None:
        state = build(model, trial.parameters, seed=seed, inputs=inputs).state_dict()
        return {name: tensor.numpy() for name, tensor in state.items()}
    random, found = np.random.RandomState(seed), {}
    for name in (f"{layer}.{part}" for layer in layers for part in ("weight", "bias")):
        shape = weights[name].shape
        bound = weights[name.replace("bias", "weight")].shape[1] ** -0.5
        drawn = random.randint(0, 2**32, shape, np.uint32) & 0xFFFFFF
        found[name] = (drawn / 2**24 * 2 * bound - bound).astype(np.float32)
    return found
