"""Stochastic gradient descent of a cohort: every member with settings of its own.

The update is that of ``torch.optim.SGD`` with dampening 0. With the learning rate η, momentum μ
and weight decay λ, the gradient g of the loss, the weights w and their velocity v, 0 at first::

    g ← g + λ w
    v ← μ v + g
    w ← w − η v            w ← w − η (g + μ v) with Nesterov's momentum

Here ``velocity`` is −η v: so the −η that a cohort multiplies into its residuals is enough. Source
of the formulas: the documentation of ``torch.optim.SGD``.

Letters in the shape comments: K members.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from study.training.space import Configuration

Spread = Callable[[Tensor], Tensor]
"""(K,) values → the same in a shape that a tensor of the cohort broadcasts with."""


def optimiser_of(configurations: Sequence[Configuration]) -> dict[str, Any]:
    """The optimiser's settings, one a member, as keywords of :func:`study.training.train`."""
    return {
        "learning_rates": [each["learning_rate"] for each in configurations],
        "momentum": [each.get("momentum", 0.0) for each in configurations],
        "weight_decay": [each.get("weight_decay", 0.0) for each in configurations],
        "nesterov": [each.get("nesterov", False) for each in configurations],
    }


@dataclass(frozen=True, eq=False)
class Sgd:
    """The settings of K members, (K,) each; float64 until :meth:`to` rounds them once."""

    rates: Tensor  # −η
    momentum: Tensor  # μ
    decay: Tensor  # −η λ
    nesterov: Tensor  # 1 with Nesterov's momentum, else 0

    @classmethod
    def of(
        cls,
        learning_rates: Sequence[float],
        momentum: Sequence[float] = (),
        weight_decay: Sequence[float] = (),
        nesterov: Sequence[bool] = (),
    ) -> Sgd:
        """From one number a member each; those of an empty sequence are 0.

        Raises:
            ValueError: They are not one a member, or not what ``torch.optim.SGD`` takes.
        """
        none = [0.0] * len(learning_rates)
        given = (learning_rates, momentum or none, weight_decay or none, nesterov or none)
        if len({*map(len, given)}) > 1:
            raise ValueError(f"optimiser: {[*map(len, given)]} settings: one of each a member")
        rates, momenta, decays, ahead = (torch.tensor(v, dtype=torch.float64) for v in given)
        if not all((values >= 0).all() for values in (momenta, decays)):
            raise ValueError("optimiser: momentum or weight decay below 0: 0 or more")
        return cls(-rates, momenta, -rates * decays, ahead)

    @property
    def is_plain(self) -> bool:
        """Whether no member has momentum or weight decay."""
        return not bool(self.momentum.any() or self.decay.any())

    def to(self, like: Tensor) -> Sgd:
        """The same on a tensor's device and in its type."""
        return self.each(lambda values: values.to(like))

    def narrow(self, columns: Tensor) -> Sgd:
        """Those of the members at these places."""
        return self.each(lambda values: values[columns])

    def each(self, change: Spread) -> Sgd:
        """The same with every tensor changed."""
        return Sgd(*(change(values) for values in vars(self).values()))


class Descent:
    """How one tensor of a cohort moves; the velocity starts at 0.

    Args:
        tensor: Of the cohort's weights.
        sgd: The members' settings.
        spread: Gives the settings the tensor's shape.
    """

    def __init__(self, tensor: Tensor, sgd: Sgd, spread: Spread) -> None:
        self.is_plain = sgd.is_plain
        if not self.is_plain:
            self.velocity = torch.zeros_like(tensor)
            self._set(sgd, spread)

    def _set(self, sgd: Sgd, spread: Spread) -> None:
        self.momentum, self.decay = spread(sgd.momentum), spread(sgd.decay)
        self.decays = bool(sgd.decay.any())
        nesterov = sgd.nesterov * (sgd.momentum != 0)
        self.nesterov = spread(nesterov) if nesterov.any() else None

    def __call__(self, tensor: Tensor, add: Callable[[Tensor], object]) -> None:
        """One update of the tensor, in place; ``add`` adds −η·gradient to what it is given."""
        if self.is_plain:
            add(tensor)
            return
        self.velocity.mul_(self.momentum)
        before = None if self.nesterov is None else self.velocity * self.nesterov
        if self.decays:
            self.velocity.addcmul_(tensor, self.decay)
        add(self.velocity)
        tensor.add_(self.velocity)
        if before is not None and self.nesterov is not None:
            # v + (μ v − the former μ v), which is g + μ v
            tensor.addcmul_(self.velocity, self.nesterov * self.momentum).sub_(before)

    def narrow(self, sgd: Sgd, spread: Spread, take: Spread) -> None:
        """Continue with fewer members: ``take`` takes their part of the tensor."""
        if not self.is_plain:
            self.velocity = take(self.velocity)
            self._set(sgd, spread)


class Shrinking:
    """By what weights shrink that weight decay alone moves: those that get no gradient.

    A fold (:class:`study.training.images.Fold`) trains the sum of a group of weights. What the
    group's weights differ in gets no gradient, so decay multiplies it by one factor a member.
    """

    def __init__(self, sgd: Sgd) -> None:
        self.decays = bool(sgd.decay.any())
        if self.decays:
            self.factor = torch.ones_like(sgd.rates)  # (K,)
            self.best = self.factor.clone()
            self.descent = Descent(self.factor, sgd, lambda values: values)

    def step(self) -> None:
        """One update without a gradient."""
        if self.decays:
            self.descent(self.factor, lambda _: None)

    def keep(self, improved: Tensor) -> None:
        """Remember the present factors where ``improved`` (K,)."""
        if self.decays:
            torch.where(improved, self.factor, self.best, out=self.best)

    def kept(self, places: Sequence[int]) -> list[Tensor] | list[None]:
        """The factors last kept for these members, on the CPU; None without any decay."""
        return [*self.best.cpu()[list(places)]] if self.decays else [None] * len(places)

    def narrow(self, columns: Tensor, sgd: Sgd) -> None:
        """Continue with the members at these places alone."""
        if self.decays:
            self.factor, self.best = self.factor[columns], self.best[columns]
            self.descent.narrow(sgd, lambda values: values, lambda velocity: velocity[columns])
