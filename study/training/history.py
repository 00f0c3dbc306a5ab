"""What the training of one member of a cohort showed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from study import formats, notebook_html


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

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._result}>"

    @property
    def _result(self) -> str:
        """The lowest validation error, in words."""
        error = formats.error(int(self.val_errors[self.best]), self.n_val)
        return f"{error} at step {self.step:,}"

    def _repr_html_(self) -> str:
        """The curves of loss and error, for a notebook."""
        lines = [
            (self.train_losses, self.train_errors, self.batch_size),
            (self.val_losses, self.val_errors, self.n_val),
        ]
        return notebook_html.training(repr(self)[1:-1], self.steps, self.best, lines)

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
