"""Images of one's own in MNIST's format: read as they are, checked in every field."""

import gzip

import numpy as np
import pytest

from study.dataset import idx, load
from study.errors import StudyError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture
def mine(tmp_path, pair):
    """300 of the bundled images under other classes, 2 and 7, with 50 of a third class."""
    labels = np.where(pair.labels[:300] == 1, 7, 2).astype(np.uint8)
    labels[::6] = 5
    put(tmp_path, pair.raw[:300], labels)
    return tmp_path, labels


def put(folder, images, labels):
    """Write both files."""
    (folder / IMAGES).write_bytes(idx.encode(images))
    (folder / LABELS).write_bytes(idx.encode(labels))


def refused(folder, classes=(2, 7), **options):
    """The message of a load that must be refused."""
    with pytest.raises(StudyError) as caught:
        load("own", classes, data_root=folder, **options)
    return str(caught.value)


def test_two_classes_of_own_images_are_a_pair(mine, pair):
    """In file order, labelled 0 and 1, with a split of one's own."""
    folder, labels = mine

    found = load("own", (2, 7), data_root=folder, n_train=200)

    assert np.array_equal(found.raw, pair.raw[:300][labels != 5])
    assert np.array_equal(found.labels, (labels[labels != 5] == 7))
    assert (found.dataset, found.n_train, len(found.raw)) == ("own", 200, 250)


def test_packed_files_hold_the_same(mine):
    """A .gz of either file gives the same digest."""
    folder, _ = mine
    plain = load("own", (2, 7), data_root=folder, n_train=200).digest
    for name in (IMAGES, LABELS):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()

    assert load("own", (2, 7), data_root=folder, n_train=200).digest == plain


def test_the_default_split_does_not_fit_few_images(mine):
    """The message says which sizes would."""
    assert "must be from 1 to 249" in refused(mine[0])


def test_no_folder_or_no_files_say_what_to_put_where(tmp_path):
    """Both files are named, and nothing is downloaded."""
    words = f"put {IMAGES} and {LABELS} (or their .gz) into "

    assert refused(tmp_path).endswith(words + str(tmp_path))
    assert refused(None).endswith(words + "DIR")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (IMAGES, lambda c: c[:-1], "size is 235,215 bytes: must be 235,216 bytes"),
        (IMAGES, lambda c: c[:4] + bytes(4) + c[8:], "number of images is 0: must be from 2"),
        (IMAGES, lambda c: c[:4] + b"\xff" * 4 + c[8:], "number of images is 4,294,967,295"),
        (IMAGES, lambda c: c[:11] + b"\x1d" + c[12:], "number of rows is 29: must be 28"),
        (IMAGES, lambda c: c[:5], "size is 5 bytes, less than a header"),
        (LABELS, lambda c: c[:7] + b"\x2b" + c[8:], "number of labels is 299: must be 300"),
        (LABELS, lambda c: c[:-1] + b"\x0a", "label 299 is 10: must be from 0 to 9"),
    ],
    ids=["cut", "none", "far too many", "rows", "no header", "other count", "label"],
)
def test_a_damaged_file_is_one_line(name, change, words, mine):
    """It names the file and the first field that is wrong."""
    path = mine[0] / name
    path.write_bytes(change(path.read_bytes()))

    message = refused(mine[0], n_train=200)

    assert message.startswith(f"{path}: ")
    assert words in message
