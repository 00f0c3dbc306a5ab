"""Data of any shape: what a model sees of it, its digest, and how a study stores its settings."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import study
from study.dataset.pair import Data
from study.training.images import Fold, images_of
from study.training.protocol import Protocol


@pytest.fixture
def table():
    """60 rows of three columns of very different sizes; the second is always 0.1."""
    random = np.random.default_rng(0)
    raw = random.normal([5, 0.1, -1e9], [2, 0, 1e3], (60, 3))
    labels = (np.arange(60) % 3 == 0).astype(np.uint8)
    return Data("t.csv", ("no", "yes"), raw, labels, 40, ("a", "b", "c"), "columns")


def test_columns_are_normalised_by_the_training_part(table):
    """Mean 0 and deviation 1 there, the same numbers for the rows that validate."""
    train = table.raw[:40]
    wanted = (table.raw - train.mean(0)) / np.where(train.std(0) > 1e-9, train.std(0), np.inf)

    assert table.images.dtype == np.float32
    assert np.allclose(table.images, wanted, atol=1e-6)
    assert np.allclose(table.images[:40, [0, 2]].mean(0), 0, atol=1e-6)


def test_a_column_that_is_constant_in_training_becomes_zeros(table):
    """Also where a row that validates has another value: the model could not learn its scale."""
    raw = table.raw.copy()
    raw[50, 1] = 7

    assert not replace(table, raw=raw).images[:, 1].any()


def test_rows_left_out_are_normalised_as_those_that_train(table):
    """A holdout's own rows say nothing about its normalisation."""
    order = np.random.default_rng(1).permutation(60)
    inner = table.taking(order[:45], 30)
    holdout = table.taking(order[45:], 1, like=inner)
    whole = table.taking(order, 30)

    assert np.array_equal(holdout.images, whole.images[45:])
    assert np.array_equal(inner.images, whole.images[:45])


def test_no_normalisation_leaves_the_values(table, pair):
    """As float32, of a table and of images."""
    few = replace(pair, raw=pair.raw[:9], labels=pair.labels[:9], n_train=5)

    assert np.array_equal(
        replace(table, normalisation="none").images, table.raw.astype(np.float32)
    )
    assert np.array_equal(replace(few, normalisation="none").images, few.raw.reshape(9, 784))


def test_a_row_by_itself_is_normalised_by_the_plain_formula(table):
    """Flattened images of floats; a row of one value becomes zeros."""
    raw = np.vstack([table.raw, np.full(3, 0.1)])
    found = study.normalise(raw)
    wanted = (table.raw - table.raw.mean(1, keepdims=True)) / table.raw.std(1, keepdims=True)

    assert np.allclose(found[:-1], wanted, rtol=1e-6)
    assert not found[-1].any()


def test_the_digest_tells_shape_and_names(pair, table):
    """The same bytes in another shape, or under other names, are other data."""
    images = pair.raw[:8].reshape(8, 14, 56)
    one = replace(pair, raw=images, labels=pair.labels[:8], n_train=5)
    other = replace(one, raw=images.reshape(8, 56, 14))

    assert one.digest != other.digest
    assert table.digest != replace(table, columns=("a", "b", "d")).digest
    assert table.digest == replace(table, normalisation="none").digest


def test_colour_images_are_rows_of_all_their_numbers(pair):
    """(N, H, W, 3): each image by its own mean over all three colours."""
    raw = np.stack([pair.raw[:8], pair.raw[8:16], pair.raw[16:24]], 3)[:, :20]
    colour = replace(pair, raw=raw, labels=pair.labels[:8], n_train=5)
    flat = raw.reshape(8, -1).astype(float)

    assert (colour.shape, colour.inputs, colour.is_table) == ((20, 28, 3), 1680, False)
    assert np.allclose(colour.images, (flat - flat.mean(1, keepdims=True)) / flat.std(1)[:, None])


def test_columns_that_differ_are_not_folded(table):
    """There are as many columns, and the ones for the biases; a layer answers the same."""
    fold = Fold(torch.from_numpy(table.images))
    layer = nn.Linear(3, 2)
    weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    columns = fold.columns(layer)

    x = torch.from_numpy(table.images)
    torch.testing.assert_close(fold.images(x) @ columns, layer(x))
    fold.set_layer(layer, columns + 1)
    assert torch.equal(layer.weight, weight + 1)
    assert torch.equal(layer.bias, bias + 1)


def test_a_table_becomes_tensors(table):
    """In the shapes that cohorts train on."""
    images = images_of(table, torch.device("cpu"))

    assert (images.plain.shape, images.folded.shape) == ((60, 3), (60, 4))


def test_settings_come_back_from_a_manifest():
    """Those that version 0.1 lacked are stored only where they are not the default."""
    table = Protocol("t.csv", ("no", "yes"), 40, 10, 4, 5, "columns", 3, "result")

    assert Protocol.from_manifest(table.to_manifest()) == table
    assert Protocol.from_manifest(Protocol().to_manifest()) == Protocol()
    assert [*Protocol().to_manifest()] == [
        *("dataset", "classes", "n_train", "steps", "batch_size", "val_every")
    ]


def test_the_old_name_is_the_new_class():
    """Programs of version 0.1 go on."""
    assert study.DigitPair is study.Data
