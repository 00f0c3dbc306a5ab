"""Cohorts of any module: gradients by autograd, all members at once by ``torch.func``.

Letters in the shape comments: K members, B images of a batch, D columns of an image.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from study.training.alike import groups
from study.training.images import Images
from study.training.module_errors import error_of_call
from study.training.sgd import Descent, Sgd


class ModuleCohort:
    """K modules of one class, with weights of the same shapes and the same code, (B, D) → (B, 1).

    ``torch.func`` stacks the members' weights, so that one call answers for all of them. This is
    slower than a cohort with written-out gradients. :mod:`study.training.module_checks` says
    which modules it can train.

    Equals K times: :func:`study.training.plain.train_plainly` with the module.
    """

    def __init__(self, members: Sequence[nn.Module], sgd: Sgd, images: Images) -> None:
        self.members = list(members)
        self.inputs = images.plain
        device = self.inputs.device
        parameters, buffers = torch.func.stack_module_state(self.members)  # (K, …) each
        trained = {n for n, p in self.members[0].named_parameters() if p.requires_grad}
        stacked = {n: t.detach().to(device) for n, t in (parameters | buffers).items()}
        self.weights = {n: t for n, t in stacked.items() if n in trained}
        self.fixed = {n: t for n, t in stacked.items() if n not in trained}
        self.sgd = sgd.to(self.inputs)
        self.best = {n: p.clone() for n, p in self.weights.items()}
        self.descents = {
            n: Descent(w, self.sgd, partial(_leading, like=w)) for n, w in self.weights.items()
        }

    def _call(self, weights: dict[str, Tensor], x: Tensor) -> Tensor:
        def one(weights: dict[str, Tensor], fixed: dict[str, Tensor]) -> Tensor:
            called = torch.func.functional_call(self.members[0], (weights, fixed), (x,))
            return cast(Tensor, called)

        try:
            return torch.vmap(one)(weights, self.fixed).squeeze(-1).T  # (B, K)
        except Exception as error:
            raise error_of_call(self.members[0], error) from error

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K)."""
        return self._call(self.weights, x)

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        with torch.enable_grad():
            leaves = {n: w.requires_grad_() for n, w in self.weights.items()}
            z = self._call(leaves, x)
            target = labels.expand_as(z)
            loss = nn.functional.binary_cross_entropy_with_logits(z, target, reduction="sum")
            try:  # the sum of the members' losses has the gradient of each member's own loss
                gradients = torch.autograd.grad(loss / len(x), list(leaves.values()))
            except Exception as error:
                raise error_of_call(self.members[0], error) from error
        for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
            moved = gradient * _leading(self.sgd.rates, gradient)
            self.descents[name](weight.detach_(), partial(Tensor.add_, other=moved))
        return z.detach()

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        for name, best in self.best.items():
            torch.where(_leading(improved, best), self.weights[name], best, out=best)

    def models(self, places: Sequence[int]) -> list[nn.Module]:
        """The plain models of these members, on the CPU, with the weights last kept for them."""
        kept = {n: best.cpu() for n, best in self.best.items()}
        for k in places:
            self.members[k].load_state_dict({n: best[k] for n, best in kept.items()}, strict=False)
        return [self.members[k] for k in places]

    def narrow(self, columns: Tensor) -> None:
        """Continue with the members at these places alone."""
        self.members = [self.members[k] for k in columns.tolist()]
        self.sgd = self.sgd.narrow(columns)
        for tensors in (self.weights, self.fixed, self.best):
            tensors.update({n: t[columns] for n, t in tensors.items()})
        for name, descent in self.descents.items():
            spread = partial(_leading, like=self.weights[name])
            descent.narrow(self.sgd, spread, lambda velocity: velocity[columns])


def _leading(values: Tensor, like: Tensor) -> Tensor:
    """(K,) → (K, 1, …) as many axes as ``like`` has."""
    return values.view(-1, *[1] * (like.dim() - 1))


class MixedCohort:
    """K modules that differ in shape or code: a ``ModuleCohort`` for each :func:`groups` has."""

    def __init__(self, members: Sequence[nn.Module], sgd: Sgd, images: Images) -> None:
        self.inputs = images.plain
        self.parts = [
            (
                torch.tensor(mine, device=self.inputs.device),
                ModuleCohort([members[k] for k in mine], sgd.narrow(torch.tensor(mine)), images),
            )
            for mine in groups(members)
        ]
        self.order = self._order()

    def _order(self) -> Tensor:
        """(K,) where the members stand when the parts lie side by side."""
        return torch.cat([places for places, _ in self.parts]).argsort()

    def _joined(self, columns: Sequence[Tensor]) -> Tensor:
        """The parts' (B, K') side by side, each in its members' places: (B, K)."""
        return torch.cat(list(columns), 1)[:, self.order]

    def logits(self, x: Tensor) -> Tensor:
        """(B, D) → (B, K)."""
        return self._joined([part.logits(x) for _, part in self.parts])

    def step(self, x: Tensor, labels: Tensor) -> Tensor:
        """One SGD update; returns the logits before it, (B, K)."""
        return self._joined([part.step(x, labels) for _, part in self.parts])

    def keep(self, improved: Tensor) -> None:
        """Remember the present weights where ``improved`` (K,)."""
        for places, part in self.parts:
            part.keep(improved[places])

    def models(self, places: Sequence[int]) -> list[nn.Module]:
        """The plain models of these members, on the CPU, with the weights last kept for them."""
        found: dict[int, nn.Module] = {}
        for mine, part in self.parts:
            own = {k: i for i, k in enumerate(mine.tolist()) if k in places}
            found |= zip(own, part.models(list(own.values())), strict=True)
        return [found[k] for k in places]

    def narrow(self, columns: Tensor) -> None:
        """Continue with the members at these places alone, in ascending order."""
        staying = []
        for places, part in self.parts:
            kept = torch.isin(places, columns)
            if kept.any():
                part.narrow(kept.nonzero()[:, 0])
                staying.append((torch.searchsorted(columns, places[kept]), part))
        self.parts = staying
        self.order = self._order()
