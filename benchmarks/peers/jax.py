"""JAX: ``vmap`` over the members, ``lax.scan`` over the steps, compiled ahead of time."""

import time
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.work import FOLDED, Absent, Done, Work
from study.training.batches import draw_batches

if TYPE_CHECKING:
    from jax import Array

    Weights = dict[str, Array]


def logits(weights: "Weights", x: "Array") -> "Array":
    """One member's answers, (B, 784) → (B,); the names are the plain models'."""
    import jax

    if "linear.weight" in weights:
        return x @ weights["linear.weight"][0] + weights["linear.bias"]
    hidden = jax.nn.relu(x @ weights["hidden.weight"].T + weights["hidden.bias"])
    return hidden @ weights["output.weight"][0] + weights["output.bias"]


def loss(weights: "Weights", x: "Array", y: "Array") -> "Array":
    """Mean binary cross-entropy with logits."""
    import jax

    z = logits(weights, x)
    return (jax.nn.softplus(z) - y * z).mean()


def train(weights: "Weights", rates: "Array", x: "Array", y: "Array", batches: "Array") -> Any:
    """K members on ``batches`` (V, val_every, B): validation losses and errors, (V, K) each.

    ``x`` (N, 784) and ``y`` (N,) hold the training images first.
    """
    import jax

    n_val = len(x) - 10_000
    x_val, y_val = x[-n_val:], y[-n_val:]

    def update(weights: "Weights", rate: "Array", x: "Array", y: "Array") -> "Weights":
        gradient = jax.grad(loss)(weights, x, y)
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradient)

    def step(weights: "Weights", batch: "Array") -> tuple["Weights", None]:
        return jax.vmap(update, (0, 0, None, None))(weights, rates, x[batch], y[batch]), None

    def block(weights: "Weights", batches: "Array") -> tuple["Weights", Any]:
        weights, _ = step(weights, batches[0])  # validation comes after the first of val_every
        losses = jax.vmap(loss, (0, None, None))(weights, x_val, y_val)
        wrong = (jax.vmap(logits, (0, None))(weights, x_val) > 0) != (y_val > 0.5)
        weights, _ = jax.lax.scan(step, weights, batches[1:])
        return weights, (losses, wrong.sum(1))

    return jax.lax.scan(block, weights, batches)[1]


def run(work: Work) -> Done:
    """All trials as one stack; the compilation is timed apart."""
    if find_spec("jax") is None:
        raise Absent("JAX is not installed")
    if work.model not in FOLDED:
        raise Absent(f"not written for {work.model}")
    import jax

    if work.device == "cuda" and jax.default_backend() != "gpu":
        raise Absent("JAX is installed without CUDA")
    from torch.func import stack_module_state

    images = work.images()
    stacked = stack_module_state(work.members())[0]
    weights = {name: jax.numpy.asarray(p.numpy(force=True)) for name, p in stacked.items()}
    rates = jax.numpy.asarray(np.array(work.learning_rates, np.float32))
    x, y = (jax.numpy.asarray(t.numpy(force=True)) for t in (images.plain, images.labels[:, 0]))
    shape = (-1, work.protocol.val_every, work.protocol.batch_size)

    began = time.perf_counter()
    batches = jax.numpy.asarray(draw_batches(work.protocol, seed=work.seed).numpy().reshape(shape))
    drawn = time.perf_counter()
    compiled = partial(jax.jit(train).lower(weights, rates, x, y, batches).compile())
    ready = time.perf_counter()
    _, errors = jax.block_until_ready(compiled(weights, rates, x, y, batches))
    ended = time.perf_counter()
    best = np.asarray(errors).min(0).tolist()
    return Done(ended - ready + drawn - began, best, compile_s=ready - drawn)
