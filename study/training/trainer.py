"""The training loop: a cohort of K models, one mini-batch a step for all of them.

Letters in the shape comments: K members, B images of a batch, D columns of an image, V
validations, N validation images.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from study.training.batches import draw_batches
from study.training.cohorts import Cohort, cohort_of
from study.training.graphs import own_stream, steps_of
from study.training.history import History
from study.training.images import Images
from study.training.known_state import known_state
from study.training.protocol import Protocol
from study.training.sgd import Sgd

Prune = Callable[[int, np.ndarray, np.ndarray], Sequence[int]]
"""(step, places (K',), validation errors (K',)) → the places of the members that stop here."""


def train(
    members: Sequence[nn.Module],
    learning_rates: Sequence[float],
    images: Images,
    protocol: Protocol,
    *,
    seed: int,
    momentum: Sequence[float] = (),
    weight_decay: Sequence[float] = (),
    nesterov: Sequence[bool] = (),
    engine: str = "torch",
    rungs: Sequence[int] = (),
    prune: Prune | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[History]:
    """Train K models together; a single trial is a cohort of one.

    Equals K times :func:`study.training.plain.train_plainly`, within float32 rounding.

    Args:
        members: K modules with their initial weights; they are given their best ones.
        learning_rates: K learning rates of SGD.
        images: The digit pair on the device to train on.
        protocol: Steps, batch size and validation interval.
        seed: The study's, for the batches.
        momentum: K momenta, as of ``torch.optim.SGD``; empty: none has any.
        weight_decay: K weight decays (L2), likewise.
        nesterov: Whether each member's momentum is Nesterov's.
        engine: Which library multiplies: one of :data:`study.training.engine.ENGINES`.
        rungs: Validated steps at which ``prune`` is asked who stops.
        prune: Says which members stop at a rung; None trains all to the end.
        progress: Called at every validation with the trials' worth of work done since.

    Returns:
        One history a member, in the members' order.

    Raises:
        StudyError: The protocol's split is not that of the images, or the engine is not here.
    """
    images.require_split(protocol.n_train)
    with known_state(), own_stream(images.plain.device), torch.no_grad():
        sgd = Sgd.of(learning_rates, momentum, weight_decay, nesterov)
        run = _Run(cohort_of(members, sgd, images, engine), images, protocol, len(members))
        drawn = draw_batches(protocol, seed=seed).to(run.device)  # (steps, B)
        batches, labels = drawn.unbind(), images.labels[drawn].unbind()  # (B,) and (B, 1) each
        for steps in _stretches(protocol):
            logits = run.steps(batches[steps], labels[steps])  # (B, K)
            step = steps.stop - 1
            if step in protocol.validation_steps:
                run.validate(logits, labels[step])
                if progress:
                    progress(len(run.places) / len(protocol.validation_steps))
                if prune and step in rungs:
                    run.stop(prune(step, *run.last_errors()))
                    if not run.places:
                        break
        run.stop(run.places)
    return [history for _, history in sorted(run.histories.items())]


def _stretches(protocol: Protocol) -> list[slice]:
    """The steps up to each validated one; then those after the last."""
    ends = [*(step + 1 for step in protocol.validation_steps), protocol.steps]
    return [slice(a, b) for a, b in pairwise([0, *ends]) if a < b]


class _Run:
    """A cohort in training: its members' places, and the histories of those that stopped."""

    def __init__(self, cohort: Cohort, images: Images, protocol: Protocol, members: int) -> None:
        self.cohort, self.protocol = cohort, protocol
        self.device = cohort.inputs.device
        self.val_inputs = cohort.inputs[images.n_train :]  # (N, D)
        self.val_labels = images.labels[images.n_train :]  # (N, 1)
        self.steps = steps_of(cohort, protocol)
        validations = len(protocol.validation_steps)
        self.record = _Record(validations, members, len(self.val_labels), self.device)
        self.places = list(range(members))  # of the members in training, a column each
        self.histories: dict[int, History] = {}

    def validate(self, logits: Tensor, labels: Tensor) -> None:
        """Measure all members, whose last batch gave these logits; keep the best weights."""
        answers = self.cohort.logits(self.val_inputs)  # (N, K)
        self.record.add((logits, labels), (answers, self.val_labels))
        self.cohort.keep(self.record.improved(answers))

    def last_errors(self) -> tuple[np.ndarray, np.ndarray]:
        """The members' places and last validation errors (fractions), (K,) each."""
        errors = self.record.errors[1, self.record.rows - 1].cpu().numpy()
        return np.array(self.places), errors / len(self.val_labels)

    def stop(self, places: Sequence[int]) -> None:
        """Take these members out, with their histories and best weights."""
        staying = [c for c, place in enumerate(self.places) if place not in places]
        if len(staying) == len(self.places):
            return
        leaving = [c for c in range(len(self.places)) if c not in staying]
        for column, history in zip(leaving, self._histories(leaving), strict=True):
            self.histories[self.places[column]] = history
        self.places = [self.places[c] for c in staying]
        if staying:
            columns = torch.tensor(staying, device=self.device)
            self.cohort.narrow(columns)
            self.record.narrow(columns)
            self.steps = steps_of(self.cohort, self.protocol)

    def _histories(self, columns: Sequence[int]) -> list[History]:
        """Those of the members in these columns, each tensor fetched from the device once."""
        record, rows = self.record, self.record.rows
        losses, errors = (t[:, :rows].cpu().numpy() for t in (record.losses, record.errors))
        best, final = (t.cpu().numpy() for t in (record.predictions, record.final_predictions))
        ones = int(self.val_labels.sum())
        return [
            History(
                steps=np.array(self.protocol.validation_steps[:rows]),
                train_losses=losses[0, :, column],
                train_errors=errors[0, :, column],
                val_losses=losses[1, :, column],
                val_errors=errors[1, :, column],
                batch_size=self.protocol.batch_size,
                n_val=len(self.val_labels),
                constant_errors=min(ones, len(self.val_labels) - ones),
                predictions=best[:, column],
                final_predictions=final[:, column],
                weights={n: t.numpy(force=True).copy() for n, t in model.state_dict().items()},
                pruned=rows < len(self.protocol.validation_steps),
            )
            for column, model in zip(columns, self.cohort.models(columns), strict=True)
        ]


class _Record:
    """What the validations measured of the members in training, on their device."""

    def __init__(self, validations: int, members: int, n_val: int, device: torch.device) -> None:
        shape = (2, validations, members)  # of the batch; of the validation images
        self.losses = torch.full(shape, torch.nan, device=device)
        self.errors = torch.zeros(shape, dtype=torch.int32, device=device)
        self.best_errors = torch.full((members,), n_val + 1, dtype=torch.int32, device=device)
        self.best_losses = torch.full((members,), torch.inf, device=device)
        self.predictions = torch.zeros((n_val, members), dtype=torch.bool, device=device)
        self.final_predictions = self.predictions
        self.rows = 0

    def add(self, batch: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor]) -> None:
        """Add a row, from the logits (B, K) and labels (B, 1) of a batch and a validation."""
        for part, (logits, labels) in enumerate((batch, validation)):
            wrong = (logits > 0) != (labels > 0.5)
            self.errors[part, self.rows] = wrong.sum(0, dtype=torch.int32)
            # −log of the label's probability: log(1 + eᶻ) for label 0, log(1 + e⁻ᶻ) for label 1
            self.losses[part, self.rows] = _softplus(logits * (1 - 2 * labels)).mean(0)
        self.rows += 1

    def improved(self, logits: Tensor) -> Tensor:
        """Which members' last row is their best one, (K,); these logits' signs are kept."""
        loss, errors = self.losses[1, self.rows - 1], self.errors[1, self.rows - 1]
        tied = (errors == self.best_errors) & (loss < self.best_losses)
        better = (errors < self.best_errors) | tied
        torch.where(better, errors, self.best_errors, out=self.best_errors)
        torch.where(better, loss, self.best_losses, out=self.best_losses)
        self.final_predictions = logits > 0
        torch.where(better, self.final_predictions, self.predictions, out=self.predictions)
        return better

    def narrow(self, columns: Tensor) -> None:
        """Continue with these members alone."""
        self.losses, self.errors = self.losses[:, :, columns], self.errors[:, :, columns]
        self.best_errors, self.best_losses = self.best_errors[columns], self.best_losses[columns]
        self.predictions = self.predictions[:, columns]
        self.final_predictions = self.final_predictions[:, columns]


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ) to float32's absolute precision, as ``torch.nn.functional.softplus``.

    Four times as fast as that on CPUs, where ``log1p`` is not vectorised.
    """
    return x.abs().neg_().exp_().add_(1).log_().add_(x.clamp(min=0))
