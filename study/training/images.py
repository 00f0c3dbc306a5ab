"""Data on a device, in the forms that cohorts train on.

Letters in the shape comments: N images or rows, D columns, F columns once folded, H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from study.dataset import Data
from study.errors import StudyError
from study.training.known_state import known_state


class Fold:
    """Trains the columns that always equal the first one, a corner pixel, as one, exactly.

    n equal columns receive n equal gradients. Seen in an orthonormal basis, only their sum
    over √n moves; so one column, √n times as large, trains in place of n, and every
    weight of the group moves by 1/√n of what that column's weight moves. On MNIST's 4s and
    9s this makes 784 columns 619. A last column of ones carries the biases.

    Where no other column equals the first one, as in most tables, it is a group of its own.

    Args:
        images: (N, D) all images or rows that the model will see, in training and validation.
    """

    def __init__(self, images: Tensor) -> None:
        self.same = (images == images[:, :1]).all(0).cpu()  # (D,), where models are made
        self.scale = float(self.same.sum()) ** 0.5

    def images(self, images: Tensor) -> Tensor:
        """(N, D) → (N, F): the other columns, the group's column, ones."""
        group = images[:, :1] * self.scale
        others = ~self.same.to(images.device)
        return torch.cat([images[:, others], group, torch.ones_like(group)], 1)

    def columns(self, layer: nn.Linear) -> Tensor:
        """A layer's weights (H, D) and biases (H,), on the CPU, as (F, H)."""
        weight = layer.weight.detach().T
        group = weight[self.same].sum(0, keepdim=True) / self.scale
        return torch.cat([weight[~self.same], group, layer.bias.detach()[None]])

    def set_layer(self, layer: nn.Linear, columns: Tensor, shrunk: Tensor | None = None) -> None:
        """Give the layer, which holds its initial weights, the trained ``columns`` (F, H).

        Both are on the CPU. ``shrunk`` is the factor by which weight decay alone has multiplied
        what the weights of the group differ in.
        """
        start = self.columns(layer)[-2]  # (H,)
        weight = layer.weight.detach().T.clone()
        weight[~self.same] = columns[:-2]
        if shrunk is None:
            weight[self.same] += (columns[-2] - start) / self.scale
        else:
            differing = weight[self.same] - start / self.scale
            weight[self.same] = differing * shrunk + columns[-2] / self.scale
        with torch.no_grad():
            layer.weight.copy_(weight.T)
            layer.bias.copy_(columns[-1])


@dataclass(frozen=True, eq=False)
class Images:
    """Data on a device, in both forms that cohorts train on."""

    plain: Tensor  # (N, D) normalised
    labels: Tensor  # (N, 1) 0. or 1.
    n_train: int
    fold: Fold
    folded: Tensor  # (N, F)

    @property
    def inputs(self) -> int:
        """D: what a model's ``inputs`` are on these images or rows."""
        return self.plain.shape[1]

    @classmethod
    def of(cls, plain: Tensor, labels: Tensor, n_train: int) -> "Images":
        """From (N, D) images or rows and (N,) labels."""
        fold = Fold(plain)
        return cls(plain, labels.float()[:, None], n_train, fold, fold.images(plain))

    def require_split(self, n_train: int) -> None:
        """Refuse batches that are drawn from other images or rows than those that train.

        Raises:
            StudyError: ``n_train`` is not that of the data.
        """
        if n_train != self.n_train:
            raise StudyError(
                f"protocol: its n_train is {n_train:,}, that of the data {self.n_train:,}: must "
                "be equal: take Protocol.of(data)"
            )


def images_of(pair: Data, device: torch.device) -> Images:
    """The pair as tensors on ``device``.

    Raises:
        StudyError: A class is missing among the images that train, or that validate.
    """
    pair.require_classes()
    with known_state():
        plain = torch.from_numpy(pair.images).to(device)
        return Images.of(plain, torch.from_numpy(pair.labels).to(device), pair.n_train)


def pick_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, otherwise the CPU.

    Apple's MPS is taken only when named: for models this small it is slower than the CPU.

    Raises:
        StudyError: The device is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available()}
    there["mps"] = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "cpu")
    if not there.get(name):
        usable = ", ".join(device for device, usable in there.items() if usable)
        raise StudyError(f"--device {name}: not on this machine: use auto or one of {usable}")
    return torch.device(name)
