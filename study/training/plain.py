"""The course notebook's training loop, for one model: what every cohort equals.

It is written to be read. No command uses it; the tests hold each cohort's losses, errors and
gradients to it. Letters in the shape comments: B images of a batch, D columns of an image, V
validation images.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from study.training.batches import draw_batches
from study.training.images import Images
from study.training.protocol import Protocol


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's logits for some images, and the labels of these images."""

    logits: Tensor  # (B, 1), or (V, 1)
    labels: Tensor  # the same shape: 0. or 1.

    @property
    def loss(self) -> float:
        """Mean binary cross-entropy."""
        return binary_cross_entropy_with_logits(self.logits, self.labels).item()

    @property
    def errors(self) -> int:
        """How many images the model gets wrong; a positive logit says class 1."""
        return int(((self.logits > 0) != (self.labels > 0.5)).sum())


@dataclass(frozen=True, eq=False)
class Validation:
    """What the loop measures at a validated step."""

    step: int
    batch: Answers  # of the step's own batch, before its update
    validation: Answers  # of all validation images, after the update


def train_plainly(
    model: nn.Module,
    learning_rate: float,
    images: Images,
    protocol: Protocol,
    *,
    seed: int,
    **settings: Any,  # noqa: ANN401 (the optimiser's)
) -> list[Validation]:
    """Train one model with stochastic gradient descent.

    Args:
        model: A module with its initial weights, (B, D) → (B, 1); it is given its last ones.
        learning_rate: Of SGD.
        images: The images and labels.
        protocol: Steps, batch size and validation interval.
        seed: Of the batches.
        settings: Further keywords of ``torch.optim.SGD``: momentum, weight_decay, nesterov.

    Returns:
        What each validation shows, in order.
    """
    optimiser = torch.optim.SGD(model.parameters(), lr=learning_rate, **settings)
    x_val, y_val = images.plain[images.n_train :], images.labels[images.n_train :]  # (V, …)
    validations = []
    for step, batch in enumerate(draw_batches(protocol, seed=seed)):  # batch: (B,) places
        x, y = images.plain[batch], images.labels[batch]  # (B, D), (B, 1)
        logits = plain_step(model, optimiser, x, y)
        if step % protocol.val_every == 0:
            with torch.no_grad():
                answers = Answers(model(x_val), y_val)
            validations.append(Validation(step, Answers(logits, y), answers))
    return validations


def plain_step(model: nn.Module, optimiser: torch.optim.Optimizer, x: Tensor, y: Tensor) -> Tensor:
    """One update on (B, D) images and (B, 1) labels; the logits before it, (B, 1)."""
    logits: Tensor = model(x)
    loss = binary_cross_entropy_with_logits(logits, y)  # the mean over the batch
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return logits.detach()
