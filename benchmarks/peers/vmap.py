"""Model ensembling as PyTorch's tutorial does it: ``torch.func`` over stacked models."""

import time

import torch
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.work import Done, Work
from study.training.batches import draw_batches

Weights = dict[str, Tensor]


def run(work: Work) -> Done:
    """All trials as one stack, with torch's own number of threads."""
    members, images = work.members(), work.images()
    weights = {n: p.detach() for n, p in stack_module_state(members)[0].items()}
    rates = torch.tensor(work.learning_rates, device=work.device)
    x, y = images.plain, images.labels
    x_val, y_val = x[images.n_train :], y[images.n_train :]

    def forward(weights: Weights, x: Tensor) -> Tensor:
        return functional_call(members[0], weights, (x,))

    def loss(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(forward(weights, x), y)

    gradient = torch.vmap(grad(loss), in_dims=(0, None, None))
    answer = torch.vmap(forward, in_dims=(0, None))
    curves = []
    began = time.perf_counter()
    with torch.no_grad():
        for step, batch in enumerate(draw_batches(work.protocol, seed=work.seed).to(work.device)):
            for name, found in gradient(weights, x[batch], y[batch]).items():
                weights[name] -= found * rates.view(-1, *[1] * (found.dim() - 1))
            if step % work.protocol.val_every == 0:
                logits = answer(weights, x_val)  # (K, N, 1)
                binary_cross_entropy_with_logits(logits, y_val.expand_as(logits))
                curves.append(((logits > 0) != (y_val > 0.5)).sum((1, 2)))
    best = torch.stack(curves).amin(0).tolist()
    return Done(time.perf_counter() - began, best)
