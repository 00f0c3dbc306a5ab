"""Cohorts: many models of one kind, trained as one wide model.

The two cohorts here have their gradients written out. Any other module trains through
:mod:`study.training.module_cohorts`. Letters in the shapes and formulas: K members, B images of
a batch, D columns of an image, H hidden units of all members together.

x (B, D) are the images, y (B, 1) their labels, z (B, K) the logits, η (K,) the learning rates.
Each member's loss is the mean over the batch of log(1 + eᶻ) − y·z, the binary cross-entropy. Its
derivative by the logits is r/B, where r = σ(z) − y is called the residual. All other gradients
follow from r by the chain rule. The code multiplies −η into r, which is small, and 1/B into the
matrix products. With momentum or weight decay, the update is that of
:class:`~study.training.sgd.Descent`. Biases need no code in a layer on images: their column of
ones (:class:`~study.training.images.Fold`) makes them a row of the weights.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from study.training.alike import groups
from study.training.images import Images
from study.training.models import SimpleLinear, SimpleMLP
from study.training.module_cohorts import MixedCohort, ModuleCohort
from study.training.products import Products, filled, products
from study.training.sgd import Descent, Sgd, Shrinking, Spread


class Cohort(Protocol):
    """K models of one kind, each with its own optimiser's settings, trained as one."""

    inputs: Tensor  # (N, D) the images in the form that this cohort takes

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K): column k is what member k answers."""

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update on (B, D) and (B, 1); returns the logits before it, (B, K)."""

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights of the members where ``improved`` (K,) is true."""

    def models(self, places: Sequence[int]) -> list[nn.Module]:
        """The plain models of these members, on the CPU, with the weights last kept for them."""

    def narrow(self, columns: Tensor) -> None:
        """Continue with the members at these places alone, in ascending order."""


NOBODY = -1  # who owns a column that an engine fills up with: as an index, the last member


class LinearCohort:
    """K logistic regressions as one matrix product; their weights are W (D, K).

    Forward::

        z = x W                                           (B, K)

    Backward::

        r       = σ(z) − y                                (B, K)
        ∂loss/∂W = xᵀ r / B                               (D, K)
        W       ← W − η · ∂loss/∂W

    Equals K times: :func:`study.training.plain.train_plainly` with a ``SimpleLinear``.
    """

    def __init__(
        self, members: Sequence[SimpleLinear], sgd: Sgd, images: Images, products: Products
    ) -> None:
        self.members = list(members)
        self.products = products
        self.fold = images.fold
        self.inputs = images.folded
        self.sgd = sgd.to(self.inputs)
        columns = [self.fold.columns(member.linear) for member in members]
        self.weight = self._filled(torch.cat(columns, 1).to(self.inputs))  # (D, K'), K' ≥ K
        self.best = self.weight.clone()
        self.rates = self._filled(self.sgd.rates)  # (K')
        self.descent = Descent(self.weight, self.sgd, self._filled)
        self.shrinking = Shrinking(self.sgd)

    def _filled(self, values: Tensor) -> Tensor:
        return filled(values, self.products.multiple)

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K)."""
        return self.products.forward(x, self.weight)[:, : len(self.members)]

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        z = self.products.forward(x, self.weight)
        residual = z.sigmoid().sub_(labels).mul_(self.rates)  # −η r, (B, K')
        share = 1 / x.shape[0]
        self.descent(self.weight, lambda w: self.products.update(w, x, residual, share))
        self.shrinking.step()
        return z[:, : len(self.members)]

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        torch.where(self._filled(improved), self.weight, self.best, out=self.best)
        self.shrinking.keep(improved)

    def models(self, places: Sequence[int]) -> list[nn.Module]:
        """The plain models of these members, on the CPU, with the weights last kept for them."""
        best = self.best.cpu()
        for k, shrunk in zip(places, self.shrinking.kept(places), strict=True):
            self.fold.set_layer(self.members[k].linear, best[:, k : k + 1], shrunk)
        return [self.members[k] for k in places]

    def narrow(self, columns: Tensor) -> None:
        """Continue with the members at these places alone."""
        self.members = [self.members[k] for k in columns.tolist()]
        self.sgd = self.sgd.narrow(columns)
        self.rates = self._filled(self.sgd.rates)
        self.weight, self.best = (self._filled(w[:, columns]) for w in (self.weight, self.best))
        self.descent.narrow(self.sgd, self._filled, lambda w: self._filled(w[:, columns]))
        self.shrinking.narrow(columns, self.sgd)


class MLPCohort:
    """K MLPs, of equal or different hidden sizes, as one hidden layer of H units.

    The members' hidden layers lie side by side in W (D, H). Their output layers are V (K, H) and
    c (K, 1): row k of V has the weights of member k at the units that member k owns, and zeros at
    all others, so V is block-diagonal. Logits and residuals lie member by member, (K, B): products
    with so few rows are up to four times as fast as those with so few columns.

    Forward::

        h  = relu(x W)                                    (B, H)
        zᵀ = V hᵀ + c                                     (K, B)

    Backward; ⊙ multiplies entry by entry, and [h > 0] is the derivative of relu::

        r        = σ(zᵀ) − yᵀ                             (K, B)
        ∂loss/∂V = r h / B, the zeros left out            (K, H)
        ∂loss/∂c = r summed over the batch / B            (K, 1)
        ∂loss/∂h = rᵀ V / B                               (B, H)
        ∂loss/∂W = xᵀ (∂loss/∂h ⊙ [h > 0])                (D, H)

    Members touch one another only through products with the zeros of V, and zero times infinity
    is not zero. So what an overflowing member passes on is made finite, and the zeros are set
    again at each step; that member's own logits are NaN from then on.

    Equals K times: :func:`study.training.plain.train_plainly` with a ``SimpleMLP``.
    """

    def __init__(
        self, members: Sequence[SimpleMLP], sgd: Sgd, images: Images, products: Products
    ) -> None:
        self.members = list(members)
        self.products = products
        self.fold = images.fold
        self.inputs = images.folded
        self.sgd = sgd.to(self.inputs)
        sizes = torch.tensor([member.hidden.out_features for member in members])
        owner = torch.arange(len(sizes)).repeat_interleave(sizes).to(self.inputs.device)
        places = torch.arange(len(sizes), device=self.inputs.device)[:, None]
        self.owner = self._filled(owner, NOBODY)  # (H,)
        self.off = self.owner != places  # (K, H) the zeros of V
        outputs = [member.output.weight.detach()[0] for member in members]
        biases = [member.output.bias.detach() for member in members]
        columns = [self.fold.columns(member.hidden) for member in members]
        self.weight = self._filled(torch.cat(columns, 1).to(self.inputs))  # W
        output = self._filled(torch.cat(outputs).to(self.inputs)).expand(self.off.shape)
        self.output = output.masked_fill(self.off, 0)  # V
        self.bias = torch.stack(biases).to(self.inputs)  # c
        self.best = self.weight.clone(), self.output.clone(), self.bias.clone()
        self.descents = [
            Descent(tensor, self.sgd, spread)
            for tensor, spread in zip(self._tensors(), self._spreads(), strict=True)
        ]
        self.shrinking = Shrinking(self.sgd)

    def _filled(self, tensor: Tensor, value: float = 0) -> Tensor:
        return filled(tensor, self.products.multiple, value)

    def _tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.weight, self.output, self.bias

    def _spreads(self) -> tuple[Spread, Spread, Spread]:
        """Of a member's settings over its hidden units, and over its rows of V and c."""
        return lambda values: values[self.owner], _a_row_each, _a_row_each

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K); NaN for a member whose weights overflowed."""
        z = torch.addmm(self.bias, self.output, self._hidden(x).T)
        lost = self.weight.sum(0).isfinite().logical_not_() & ~self.off  # (K, H)
        return z.masked_fill_(lost.any(1, keepdim=True), torch.nan).T

    def _hidden(self, x: Tensor) -> Tensor:
        """(B, D) → (B, H), finite."""
        return self.products.hidden(x, self.weight).nan_to_num_()

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        hidden = self._hidden(x)  # (B, H)
        z = torch.addmm(self.bias, self.output, hidden.T)  # (K, B)
        rates = self.sgd.rates[:, None]
        residual = z.sigmoid().sub_(labels.T).mul_(rates).nan_to_num_()  # −η r, (K, B)
        share = 1 / x.shape[0]
        back = residual.T @ self.output  # −η rᵀ V, (B, H)
        torch.ops.aten.threshold_backward.grad_input(back, hidden, 0, grad_input=back)  # ⊙ [h > 0]
        of_weight, of_output, of_bias = self.descents
        of_output(
            self.output,
            lambda v: v.addmm_(residual, hidden, alpha=share).masked_fill_(self.off, 0),
        )
        of_bias(self.bias, lambda c: c.add_(residual.sum(1, keepdim=True), alpha=share))
        of_weight(self.weight, lambda w: self.products.update(w, x, back, share))
        self.shrinking.step()
        return z.T

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        weight, output, bias = self.best
        torch.where(improved[self.owner], self.weight, weight, out=weight)
        torch.where(improved[:, None], self.output, output, out=output)
        torch.where(improved[:, None], self.bias, bias, out=bias)
        self.shrinking.keep(improved)

    def models(self, places: Sequence[int]) -> list[nn.Module]:
        """The plain models of these members, on the CPU, with the weights last kept for them."""
        weight, output, bias = (tensor.cpu() for tensor in self.best)
        owner = self.owner.cpu()
        for k, shrunk in zip(places, self.shrinking.kept(places), strict=True):
            own = owner == k  # (H,)
            self.fold.set_layer(self.members[k].hidden, weight[:, own], shrunk)
            with torch.no_grad():
                self.members[k].output.weight.copy_(output[k, own][None])
                self.members[k].output.bias.copy_(bias[k])
        return [self.members[k] for k in places]

    def narrow(self, columns: Tensor) -> None:
        """Continue with the members at these places alone, in ascending order."""
        units = torch.isin(self.owner, columns).nonzero()[:, 0]
        self.members = [self.members[k] for k in columns.tolist()]
        self.sgd = self.sgd.narrow(columns)
        self.owner = self._filled(torch.searchsorted(columns, self.owner[units]), NOBODY)
        self.off = self._filled(self.off[columns][:, units], True)
        taking: tuple[Spread, Spread, Spread] = (
            lambda weight: self._filled(weight[:, units]),
            lambda output: self._filled(output[columns][:, units]),
            lambda bias: bias[columns],
        )
        own, best = (
            [take(tensor) for take, tensor in zip(taking, tensors, strict=True)]
            for tensors in (self._tensors(), self.best)
        )
        (self.weight, self.output, self.bias), self.best = own, (best[0], best[1], best[2])
        for descent, spread, take in zip(self.descents, self._spreads(), taking, strict=True):
            descent.narrow(self.sgd, spread, take)
        self.shrinking.narrow(columns, self.sgd)


def _a_row_each(values: Tensor) -> Tensor:
    return values[:, None]


COHORTS: dict[type[nn.Module], Callable[..., Cohort]] = {
    SimpleLinear: LinearCohort,
    SimpleMLP: MLPCohort,
}


def cohort_of(
    members: Sequence[nn.Module], sgd: Sgd, images: Images, engine: str = "torch"
) -> Cohort:
    """The fastest cohort for these members: with written-out gradients where there is one.

    Args:
        members: K modules with their initial weights.
        sgd: Their optimiser's settings.
        images: What they will be trained and validated on.
        engine: Multiplies in the cohorts with written-out gradients; torch does in all others.

    Raises:
        StudyError: The engine is not on this machine.
    """
    [kind, *others] = {type(member) for member in members}
    if kind in COHORTS and not others:
        return COHORTS[kind](members, sgd, images, products(engine))
    any_module = ModuleCohort if len(groups(members)) == 1 else MixedCohort
    return any_module(members, sgd, images)
