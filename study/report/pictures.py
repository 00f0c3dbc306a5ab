"""Small pictures of images, as text in a table's column ``pixels``, and back.

An image of the official files, 28 × 28 bytes of ink, is its bytes as hexadecimal digits, row by
row. Before those of any other image stand its height, width and colours, ``24x32x3:``; it is made
smaller if a side has more than :data:`SIDE` pixels.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from study.dataset import Data, is_official

SIDE = 32  # pixels
_INK = (28, 28)
_DIM = 128  # where no pixel is brighter, all are made brighter


class Pictures:
    """Makes the pictures of a data set alike."""

    def __init__(self, data: Data) -> None:
        self.is_ink = is_ink(data)
        brightest = int(data.raw[: data.n_train].max())
        self.scale = 255 / brightest if 0 < brightest < _DIM and not self.is_ink else 1

    def text(self, image: np.ndarray) -> str:
        """An image (H, W) or (H, W, 3), values from 0 to 255, as text."""
        if self.is_ink:
            return image.astype(np.uint8).tobytes().hex()
        bright = np.clip(np.round(image * self.scale), 0, 255).astype(np.uint8)
        small = fitting(bright, SIDE)
        return f"{'x'.join(map(str, small.shape))}:{small.tobytes().hex()}"


def is_ink(data: Data) -> bool:
    """Whether the images are digits and the like, white on black: they are drawn as ink."""
    return is_official(data.dataset) and data.shape == _INK


def shown(text: str) -> np.ndarray:
    """The picture of a text, as it is to be seen, (H, W) or (H, W, 3) uint8; ink is dark."""
    size, _, pixels = text.rpartition(":")
    shape = tuple(map(int, size.split("x"))) if size else _INK
    image = np.frombuffer(bytes.fromhex(pixels), np.uint8).reshape(shape)
    return image if size else 255 - image


def fitting(image: np.ndarray, side: int) -> np.ndarray:
    """An image of bytes, made smaller where a side is longer: each pixel the mean of a box."""
    high, wide = image.shape[:2]
    ratio = side / max(high, wide)
    if ratio >= 1:
        return image
    size = max(1, round(wide * ratio)), max(1, round(high * ratio))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
