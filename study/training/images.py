"""A digit pair on a device, in the forms that cohorts train on.

Letters in the shape comments: N images, D columns of an image, H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from study.dataset import DigitPair
from study.errors import StudyError
from study.training.known_state import known_state


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


def images_of(pair: DigitPair, device: torch.device) -> Images:
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
