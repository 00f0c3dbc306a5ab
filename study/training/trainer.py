"""The one training loop: a cohort of K models, one mini-batch a step for all of them.

Letters in the shape comments: K members, B images of a batch, V validations, N validation
images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from study.caching import cached_once
from study.seeds import generator
from study.training.cohorts import Cohort, cohort_of
from study.training.images import Images
from study.training.known_state import known_state
from study.training.protocol import Protocol

Prune = Callable[[int, np.ndarray, np.ndarray], Sequence[int]]
"""(step, places (K',), validation errors (K',)) → the places of the members that stop here."""


@dataclass(frozen=True, eq=False)
class History:
    """What one member's training showed, validation by validation.

    Errors are counts of images; losses are mean binary cross-entropies. The training figures
    are those of the step's own batch, before its update; the validation figures come after it.
    """

    steps: np.ndarray  # (V,) int
    train_losses: np.ndarray  # (V,) float32
    train_errors: np.ndarray  # (V,) int, of batch_size
    val_losses: np.ndarray  # (V,) float32
    val_errors: np.ndarray  # (V,) int, of n_val
    batch_size: int
    n_val: int
    constant_errors: int  # what the better of the two constant answers gets wrong
    predictions: np.ndarray  # (n_val,) bool: class 1 at the best step
    final_predictions: np.ndarray  # (n_val,) bool: class 1 at the last validation
    weights: dict[str, np.ndarray]  # the plain model's state_dict at the best step
    pruned: bool

    @cached_property
    def best(self) -> int:
        """The place of the best validation: fewest errors, then lowest loss, then first."""
        losses = np.nan_to_num(self.val_losses, nan=np.inf)
        return int(np.lexsort((self.steps, losses, self.val_errors))[0])

    @property
    def val_error(self) -> float:
        """The trial's value: the lowest validation error, a fraction."""
        return int(self.val_errors[self.best]) / self.n_val

    @property
    def val_loss(self) -> float:
        """The validation loss at the best step."""
        return float(self.val_losses[self.best])

    @property
    def step(self) -> int:
        """The best step."""
        return int(self.steps[self.best])

    @property
    def final_error(self) -> float:
        """The validation error at the last validation, a fraction."""
        return int(self.val_errors[-1]) / self.n_val

    @property
    def diverged_at(self) -> int | None:
        """The first validated step where a loss was not finite."""
        finite = np.isfinite(self.train_losses) & np.isfinite(self.val_losses)
        return None if finite.all() else int(self.steps[~finite][0])

    @property
    def diverged(self) -> bool:
        """A loss stopped being finite, or the end is no better than a constant answer."""
        return self.diverged_at is not None or int(self.val_errors[-1]) >= self.constant_errors

    def first_step_at(self, target: float) -> int | None:
        """The first step whose validation error is at or under ``target`` (a fraction)."""
        hits = np.flatnonzero(self.val_errors / self.n_val <= target)
        return int(self.steps[hits[0]]) if len(hits) else None


@cached_once(maxsize=4)
def draw_batches(protocol: Protocol, *, seed: int) -> Tensor:
    """The training images of every step, (steps, batch_size), each row without repeats.

    Args:
        protocol: Gives the number of steps, of images a step, and of training images.
        seed: The study's seed; all members and both models see the same batches.
    """
    random = generator(seed, "batches")
    rows = [
        random.choice(protocol.n_train, protocol.batch_size, replace=False, shuffle=False)
        for _ in range(protocol.steps)
    ]
    with known_state():
        return torch.from_numpy(np.stack(rows))


class _Tape:
    """The figures of every validation, kept on the device until a member leaves."""

    def __init__(self, validations: int, members: int, n_val: int, device: torch.device) -> None:
        shape = (2, validations, members)  # train, validation
        self.losses = torch.full(shape, torch.nan, device=device)
        self.errors = torch.zeros(shape, dtype=torch.int32, device=device)
        self.best_errors = torch.full((members,), n_val + 1, dtype=torch.int32, device=device)
        self.best_losses = torch.full((members,), torch.inf, device=device)
        self.predictions = torch.zeros((n_val, members), dtype=torch.bool, device=device)
        self.final_predictions = self.predictions
        self.rows = 0

    def write(self, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor]) -> None:
        """Add a row: the logits (B, K) and labels (B, 1) of the batch and of the validation."""
        for part, (logits, labels) in enumerate((train, validation)):
            wrong = (logits > 0) != (labels > 0.5)
            self.errors[part, self.rows] = wrong.sum(0, dtype=torch.int32)
            self.losses[part, self.rows] = _softplus(logits * (1 - 2 * labels)).mean(0)
        self.rows += 1

    def improved(self, logits: Tensor) -> Tensor:
        """Who is at the best yet in the last row, (K,); their predictions are kept."""
        loss, errors = self.losses[1, self.rows - 1], self.errors[1, self.rows - 1]
        tied = (errors == self.best_errors) & (loss < self.best_losses)
        better = (errors < self.best_errors) | tied
        torch.where(better, errors, self.best_errors, out=self.best_errors)
        torch.where(better, loss, self.best_losses, out=self.best_losses)
        self.final_predictions = logits > 0
        torch.where(better, self.final_predictions, self.predictions, out=self.predictions)
        return better

    def narrow(self, columns: Tensor) -> None:
        """Go on with these members alone."""
        self.losses, self.errors = self.losses[:, :, columns], self.errors[:, :, columns]
        self.best_errors, self.best_losses = self.best_errors[columns], self.best_losses[columns]
        self.predictions = self.predictions[:, columns]
        self.final_predictions = self.final_predictions[:, columns]


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ) to float32's absolute precision, as ``torch.nn.functional.softplus``.

    Four times as fast as that on CPUs, where ``log1p`` is not vectorised.
    """
    return x.abs().neg_().exp_().add_(1).log_().add_(x.clamp(min=0))


def train(
    members: Sequence[nn.Module],
    learning_rates: Sequence[float],
    images: Images,
    protocol: Protocol,
    *,
    seed: int,
    rungs: Sequence[int] = (),
    prune: Prune | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[History]:
    """Train K models of one class together; a single trial is a cohort of one.

    Args:
        members: K modules with their initial weights; they are given their best ones.
        learning_rates: K rates of plain SGD.
        images: The digit pair on the device to train on.
        protocol: Steps, batch size and validation interval.
        seed: The study's, for the batches.
        rungs: Validated steps at which ``prune`` is asked who stops.
        prune: Says which members stop at a rung; None trains all to the end.
        progress: Told at every validation how many trials' worth of work was done since.

    Returns:
        One history a member, in the members' order.
    """
    with known_state(), torch.no_grad():
        rates = torch.tensor(learning_rates, dtype=torch.float32)
        run = _Run(cohort_of(members, rates, images), images, protocol, len(members))
        batches = draw_batches(protocol, seed=seed).to(run.device)  # (steps, B)
        for step, (batch, labels) in enumerate(zip(batches, images.labels[batches], strict=True)):
            torch.index_select(run.cohort.inputs, 0, batch, out=run.x)
            logits = run.cohort.step(run.x, labels)
            if step % protocol.val_every == 0:
                run.validate(logits, labels)
                if progress:
                    progress(len(run.alive) / len(protocol.validation_steps))
                if prune and step in rungs:
                    run.stop(prune(step, *run.standing()))
                    if not run.alive:
                        break
        run.stop(run.alive)
    return [history for _, history in sorted(run.histories.items())]


class _Run:
    """A cohort in training: who is still in it, and what was measured."""

    def __init__(self, cohort: Cohort, images: Images, protocol: Protocol, members: int) -> None:
        self.cohort, self.protocol = cohort, protocol
        self.device = cohort.inputs.device
        self.val_inputs = cohort.inputs[images.n_train :]
        self.val_labels = images.labels[images.n_train :]
        self.x = cohort.inputs.new_empty(protocol.batch_size, cohort.inputs.shape[1])
        validations = len(protocol.validation_steps)
        self.tape = _Tape(validations, members, len(self.val_labels), self.device)
        self.alive = list(range(members))  # the place, among all members, of each column
        self.histories: dict[int, History] = {}

    def validate(self, logits: Tensor, labels: Tensor) -> None:
        """Measure all members, whose last batch gave these logits; keep the best weights."""
        answers = self.cohort.logits(self.val_inputs)
        self.tape.write((logits, labels), (answers, self.val_labels))
        self.cohort.keep(self.tape.improved(answers))

    def standing(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of the members in training and their last validation errors, fractions."""
        errors = self.tape.errors[1, self.tape.rows - 1].cpu().numpy()
        return np.array(self.alive), errors / len(self.val_labels)

    def stop(self, places: Sequence[int]) -> None:
        """Take these members out, with their histories and best weights."""
        if not places:
            return
        staying = [c for c, place in enumerate(self.alive) if place not in places]
        for column, place in enumerate(self.alive):
            if place in places:
                self.histories[place] = self._history(column)
        self.alive = [self.alive[c] for c in staying]
        if staying:
            columns = torch.tensor(staying, device=self.device)
            self.cohort.narrow(columns)
            self.tape.narrow(columns)

    def _history(self, column: int) -> History:
        tape, rows = self.tape, self.tape.rows
        losses = tape.losses[:, :rows, column].cpu().numpy()
        errors = tape.errors[:, :rows, column].cpu().numpy()
        ones = int(self.val_labels.sum())
        model = self.cohort.member(column)
        return History(
            steps=np.array(self.protocol.validation_steps[:rows]),
            train_losses=losses[0],
            train_errors=errors[0],
            val_losses=losses[1],
            val_errors=errors[1],
            batch_size=self.protocol.batch_size,
            n_val=len(self.val_labels),
            constant_errors=min(ones, len(self.val_labels) - ones),
            predictions=tape.predictions[:, column].cpu().numpy(),
            final_predictions=tape.final_predictions[:, column].cpu().numpy(),
            weights={n: t.numpy(force=True).copy() for n, t in model.state_dict().items()},
            pruned=rows < len(self.protocol.validation_steps),
        )
