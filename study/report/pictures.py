"""Small pictures of digits for the page: the images that were misread, and averages."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from study.dataset import DigitPair
from study.report import words
from study.report.record import Record

SHOWN = 60  # pictures a strip: a model that learnt nothing misreads half of all images


@dataclass(frozen=True)
class Picture:
    """One image with a few words."""

    src: str  # a data URI
    alt: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Strip:
    """A row of pictures that wraps."""

    title: str
    pictures: Sequence[Picture]
    note: str = ""


def strips(record: Record, pair: DigitPair, misread: pd.DataFrame) -> list[Strip]:
    """The images that both winners, and each alone, got wrong, from ``tables.misread``."""
    names = [search.model.name for search, _ in record.winners]
    wrong = [misread[f"{name}_wrong"].astype(bool) for name in names]
    if len(names) < 2:
        return [_strip("It gets wrong", misread, pair, names)]
    both = wrong[0] & wrong[1]
    strips = [_strip("Both get wrong", misread[both], pair, names)]
    for name, own in zip(names, wrong, strict=True):
        title = f"Only {words.NAMES[name]} gets wrong"
        strips.append(_strip(title, misread[own & ~both], pair, [name]))
    return strips


def _strip(title: str, rows: pd.DataFrame, pair: DigitPair, names: list[str]) -> Strip:
    pictures = [_picture(row, pair, names) for row in rows.head(SHOWN).to_dict("records")]
    left = len(rows) - len(pictures)
    note = f"The first {SHOWN}; {left:,} more are in tables/misread.csv." if left else ""
    return Strip(f"{title}: {words.plural(len(rows), 'image')}", pictures, note)


def _picture(row: dict[object, object], pair: DigitPair, names: list[str]) -> Picture:
    image, true = int(str(row["image"])), int(str(row["class"]))
    said = int(str(row[f"{names[0]}_says"]))
    short = {"linear": "Linear", "mlp": "MLP"}
    chances = {name: float(str(row[f"p_{name}"])) for name in names}
    sure = [
        f"{short[name]} {100 * (p if said == pair.classes[1] else 1 - p):.0f} %"
        for name, p in chances.items()
        if np.isfinite(p)
    ]
    fact = f"{true}, not {said}"
    alt = f"validation image {image}: {words.class_name(pair.dataset, true)}, taken for {said}"
    return Picture(data_uri(pair.raw[pair.n_train + image]), alt, [fact, *sure])


def averages(pair: DigitPair) -> list[Strip]:
    """The mean training image of each class."""
    raw, labels = pair.raw[: pair.n_train], pair.labels[: pair.n_train]
    names = [words.class_name(pair.dataset, label) for label in pair.classes]
    pictures = [
        Picture(
            data_uri(raw[labels == label].mean(axis=0).round().astype(np.uint8)),
            f"the mean of all training images of {name}",
            [f"average {name}"],
        )
        for label, name in enumerate(names)
        if (labels == label).any()
    ]
    return [Strip("The average training image of each class", pictures)]


def data_uri(image: np.ndarray) -> str:
    """A (28, 28) uint8 image, ink dark on light, as a PNG in a data URI."""
    buffer = io.BytesIO()
    Image.fromarray(255 - image).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
