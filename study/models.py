"""The two models, and the cohorts that train many of each as one wide model.

Letters in the shape comments: K members, B images of a batch, D columns of an image,
H hidden units of all members together.

A cohort has four verbs: :meth:`~Cohort.logits`, :meth:`~Cohort.step`,
:meth:`~Cohort.keep` (remember the present weights of some members as their best) and
:meth:`~Cohort.member` (a plain module with those weights). The two built-in cohorts carry
their gradients in closed form; any other module trains through :mod:`study.general`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Generator, Tensor, nn

from study.general import MixedCohort, ModuleCohort, shapes

PIXELS = 784


def linear_layer(n_in: int, n_out: int, generator: Generator | None) -> nn.Linear:
    """A layer with initial weights drawn as ``nn.Linear.reset_parameters`` draws them.

    Args:
        n_in: Inputs: (B, n_in) → (B, n_out).
        n_out: Outputs.
        generator: What draws them, first the weight (n_out, n_in), then the bias (n_out,), both
            uniform within ±1/√n_in; torch's global one where it is None.
    """
    layer = nn.Linear(n_in, n_out, device="meta").to_empty(device="cpu")
    bound = n_in**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


class SimpleLinear(nn.Module):
    """Logistic regression: one logit a row, (B, 784) → (B, 1)."""

    def __init__(self, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.linear = linear_layer(PIXELS, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, 784) → (B, 1)."""
        return cast(Tensor, self.linear(x))


class SimpleMLP(nn.Module):
    """One hidden ReLU layer: one logit a row, (B, 784) → (B, 1)."""

    def __init__(self, hidden_units: int = 50, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.hidden = linear_layer(PIXELS, hidden_units, generator)
        self.output = linear_layer(hidden_units, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, 784) → (B, 1)."""
        return cast(Tensor, self.output(self.hidden(x).relu()))


class Fold:
    """Trains the pixels that always equal the corner pixel as one, exactly.

    n equal columns receive n equal gradients. Seen in an orthonormal basis, only their sum
    over √n moves; so one column, √n times as large, trains in place of n, and every
    weight of the group moves by 1/√n of what that column's weight moves. On MNIST's 4s and
    9s this makes 784 columns 619. A last column of ones carries the biases.

    Args:
        images: (N, 784) all images that the model will see, in training and validation.
    """

    def __init__(self, images: Tensor) -> None:
        self.same = (images == images[:, :1]).all(0)  # (784,)
        self.scale = float(self.same.sum()) ** 0.5

    def images(self, images: Tensor) -> Tensor:
        """(N, 784) → (N, D): the other pixels, the group's column, ones."""
        group = images[:, :1] * self.scale
        return torch.cat([images[:, ~self.same], group, torch.ones_like(group)], 1)

    def columns(self, layer: nn.Linear) -> Tensor:
        """A layer's weights (H, 784) and biases (H,) as (D, H)."""
        weight = layer.weight.detach().to(self.same.device).T
        group = weight[self.same].sum(0, keepdim=True) / self.scale
        bias = layer.bias.detach().to(self.same.device)[None]
        return torch.cat([weight[~self.same], group, bias])

    def set_layer(self, layer: nn.Linear, columns: Tensor) -> None:
        """Give the layer, which holds its initial weights, the trained ``columns`` (D, H)."""
        moved = columns[-2] - self.columns(layer)[-2]  # (H,)
        weight = layer.weight.detach().to(self.same.device).T.clone()
        weight[~self.same] = columns[:-2]
        weight[self.same] += moved / self.scale
        with torch.no_grad():
            layer.weight.copy_(weight.T)
            layer.bias.copy_(columns[-1])


@dataclass(frozen=True, eq=False)
class Images:
    """A digit pair on a device, in both forms that cohorts train on."""

    plain: Tensor  # (N, 784) normalised
    labels: Tensor  # (N, 1) 0. or 1.
    n_train: int
    fold: Fold
    folded: Tensor  # (N, D)

    @classmethod
    def of(cls, plain: Tensor, labels: Tensor, n_train: int) -> "Images":
        """From (N, 784) images and (N,) labels."""
        fold = Fold(plain)
        return cls(plain, labels.float()[:, None], n_train, fold, fold.images(plain))


class Cohort(Protocol):
    """K models of one kind, each with its own learning rate, trained as one."""

    inputs: Tensor  # (N, D) the images in the form that this cohort takes

    def __init__(self, members: Sequence[Any], learning_rates: Tensor, images: Images) -> None: ...

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K): column k is what member k answers."""

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update on (B, D) and (B, 1); returns the logits before it, (B, K)."""

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights of the members where ``improved`` (K,) is true."""

    def member(self, k: int) -> nn.Module:
        """A plain model with the weights last kept for member k."""

    def narrow(self, columns: Tensor) -> None:
        """Go on with the members at these places (indices) alone."""


class LinearCohort:
    """K logistic regressions as one D × K matrix product.

    Equals K times: ``SimpleLinear``, ``binary_cross_entropy_with_logits`` and
    ``torch.optim.SGD`` on the same batches. The gradient of the mean loss is xᵀ(σ(z) − y)/B;
    −learning rate is multiplied into the small factor, 1/B into the product.
    """

    def __init__(
        self, members: Sequence[SimpleLinear], learning_rates: Tensor, images: Images
    ) -> None:
        self.members = list(members)
        self.fold = images.fold
        self.inputs = images.folded
        self.rates = -learning_rates.to(self.inputs)  # (K,)
        columns = [self.fold.columns(member.linear) for member in members]
        self.weight = torch.cat(columns, 1)  # (D, K)
        self.best = self.weight.clone()

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K)."""
        return x @ self.weight

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        z = x @ self.weight
        residual = z.sigmoid().sub_(labels).mul_(self.rates)  # (B, K)
        self.weight.addmm_(x.T, residual, alpha=1 / x.shape[0])
        return z

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        torch.where(improved, self.weight, self.best, out=self.best)

    def member(self, k: int) -> SimpleLinear:
        """A plain model with the weights last kept for member k."""
        self.fold.set_layer(self.members[k].linear, self.best[:, k : k + 1])
        return self.members[k]

    def narrow(self, columns: Tensor) -> None:
        """Go on with the members at these places alone."""
        self.members = [self.members[k] for k in columns.tolist()]
        self.rates = self.rates[columns]
        self.weight = self.weight[:, columns].contiguous()
        self.best = self.best[:, columns].contiguous()


class MLPCohort:
    """K MLPs of equal or different hidden sizes as one hidden layer of H = Σ hidden units.

    Equals K times: ``SimpleMLP``, ``binary_cross_entropy_with_logits`` and
    ``torch.optim.SGD`` on the same batches. The second layer is block-diagonal: column h has
    one entry, in the row of the member that owns hidden unit h. It and its logits lie member
    by member, K × H and K × B: products with so few rows are up to four times as fast as
    those with so few columns.

    Members touch one another only through products with the zeros off the diagonal, and zero
    times infinity is not zero. So what a member that overflows hands on is made finite, and
    the zeros are set anew each step; its own logits are not numbers from then on.
    """

    def __init__(
        self, members: Sequence[SimpleMLP], learning_rates: Tensor, images: Images
    ) -> None:
        self.members = list(members)
        self.fold = images.fold
        self.inputs = images.folded
        self.rates = -learning_rates.to(self.inputs)[:, None]  # (K, 1)
        sizes = torch.tensor([member.hidden.out_features for member in members])
        self.owner = torch.arange(len(sizes)).repeat_interleave(sizes).to(self.inputs.device)
        places = torch.arange(len(sizes), device=self.inputs.device)[:, None]
        self.off = self.owner != places  # (K, H) off the diagonal
        outputs = [member.output.weight.detach()[0] for member in members]
        biases = [member.output.bias.detach() for member in members]
        self.weight = torch.cat([self.fold.columns(member.hidden) for member in members], 1)
        output = torch.cat(outputs).to(self.inputs).expand(self.off.shape)
        self.output = output.masked_fill(self.off, 0)  # (K, H)
        self.bias = torch.stack(biases).to(self.inputs)  # (K, 1)
        self.best = self.weight.clone(), self.output.clone(), self.bias.clone()

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K); not a number for a member whose weights overflowed."""
        z = torch.addmm(self.bias, self.output, self._hidden(x).T)
        lost = self.weight.sum(0).isfinite().logical_not_() & ~self.off  # (K, H)
        return z.masked_fill_(lost.any(1, keepdim=True), torch.nan).T

    def _hidden(self, x: Tensor) -> Tensor:
        """(B, D) → (B, H), finite."""
        return (x @ self.weight).relu_().nan_to_num_()

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        hidden = self._hidden(x)  # (B, H)
        z = torch.addmm(self.bias, self.output, hidden.T)  # (K, B)
        residual = z.sigmoid().sub_(labels.T).mul_(self.rates).nan_to_num_()  # (K, B)
        share = 1 / x.shape[0]
        back = residual.T @ self.output  # (B, H)
        torch.ops.aten.threshold_backward.grad_input(back, hidden, 0, grad_input=back)
        self.output.addmm_(residual, hidden, alpha=share).masked_fill_(self.off, 0)
        self.bias.add_(residual.sum(1, keepdim=True), alpha=share)
        self.weight.addmm_(x.T, back, alpha=share)
        return z.T

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        weight, output, bias = self.best
        torch.where(improved[self.owner], self.weight, weight, out=weight)
        torch.where(improved[:, None], self.output, output, out=output)
        torch.where(improved[:, None], self.bias, bias, out=bias)

    def member(self, k: int) -> SimpleMLP:
        """A plain model with the weights last kept for member k."""
        weight, output, bias = self.best
        mine = self.owner == k
        self.fold.set_layer(self.members[k].hidden, weight[:, mine])
        with torch.no_grad():
            self.members[k].output.weight.copy_(output[k, mine][None])
            self.members[k].output.bias.copy_(bias[k])
        return self.members[k]

    def narrow(self, columns: Tensor) -> None:
        """Go on with the members at these places alone, in ascending order."""
        units = torch.isin(self.owner, columns).nonzero()[:, 0]
        self.members = [self.members[k] for k in columns.tolist()]
        self.rates = self.rates[columns]
        self.owner = torch.searchsorted(columns, self.owner[units])
        self.off = self.off[columns][:, units].contiguous()

        def taken(weight: Tensor, output: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            output = output[columns][:, units].contiguous()
            return weight[:, units].contiguous(), output, bias[columns]

        self.weight, self.output, self.bias = taken(self.weight, self.output, self.bias)
        self.best = taken(*self.best)


COHORTS: dict[type[nn.Module], type[Cohort]] = {
    SimpleLinear: LinearCohort,
    SimpleMLP: MLPCohort,
}


def cohort_of(members: Sequence[nn.Module], learning_rates: Tensor, images: Images) -> Cohort:
    """The fastest cohort for these members: closed form where ``COHORTS`` has one.

    Args:
        members: K modules of one class, with their initial weights.
        learning_rates: (K,) one each.
        images: What they will be trained and validated on.
    """
    general = ModuleCohort if len({*map(shapes, members)}) == 1 else MixedCohort
    cohort = COHORTS.get(type(members[0]), general)
    return cohort(members, learning_rates, images)
