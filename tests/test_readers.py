"""One's own tables and folders: read as they are, or refused on one line with row and column."""

import io
import os
import sys
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from study.dataset import load
from study.dataset.files import read
from study.dataset.rows import LARGEST, MOST_LABELS
from study.errors import StudyError
from tests.helpers import posix

X = np.array([[1.5, -2], [0.1, 3e8], [5, 1e-9], [7, 8], [9, 0.3]])
Y = np.array(["no", "yes", "no", "yes", "no"])


def refused(path, label=""):
    """The message of a file that must be refused."""
    with pytest.raises(StudyError) as caught:
        read(path, label)
    message = str(caught.value)
    assert "\n" not in message
    return message


def csv_file(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def npz_file(folder, **arrays):
    np.savez(folder / "t.npz", **arrays)
    return folder / "t.npz"


def frame():
    return pd.DataFrame(X, columns=["a", "b b"]).assign(kind=Y)


def image_folder(folder, sizes=((6, 5),) * 3, mode="L", classes=("cat", "dog")):
    """Three images a class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir()
        for place, size in enumerate(sizes):
            colour = 10 * number + place
            Image.new(mode, size, colour if mode == "L" else (colour, 1, 2)).save(
                folder / name / f"{place}.png"
            )
    return folder


# --- what is read ---------------------------------------------------------------------------


def written(kind, folder):
    """The same table in each of the formats."""
    path = folder / f"t.{kind}"
    if kind == "csv":
        frame().to_csv(path, index=False)
    elif kind == "parquet":
        frame().to_parquet(path, index=False)
    else:
        np.savez(path, X=X, y=Y, columns=np.array(["a", "b b"]))
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_a_table_is_read_to_the_last_bit(kind, tmp_path):
    """The same values, labels and names from each format."""
    rows = read(written(kind, tmp_path))

    assert rows.values.tobytes() == X.tobytes()
    assert [rows.names[code] for code in rows.codes] == [*Y]
    assert rows.columns == ("a", "b b")
    assert rows.label == ("" if kind == "npz" else "kind")


def test_every_format_gives_the_same_data(tmp_path):
    """One digest, so a study can be confirmed with the other file."""
    digests = {
        load(data=written(kind, tmp_path), n_train=3).digest for kind in ("csv", "parquet", "npz")
    }

    assert len(digests) == 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_labels_column_is_named_or_the_last(kind, tmp_path):
    """Wherever it stands; its values may be numbers."""
    path = tmp_path / f"t.{kind}"
    table = frame().assign(a=[1, 0, 1.0, 0, 1], kind=range(5))
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path, index=False)

    rows = read(path, "a")

    assert (rows.names, rows.label, rows.columns) == ((0, 1), "a", ("b b", "kind"))
    assert rows.codes.tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    "values",
    [X.astype(">f8"), np.asfortranarray(X), X.round().astype("int64"), X > 1, X.astype("f4")],
    ids=["big endian", "Fortran's order", "int", "bool", "float32"],
)
def test_arrays_of_any_numbers_are_rows_of_float64(values, tmp_path):
    """In C's order, so that the digest is of the values."""
    found = read(npz_file(tmp_path, X=values, y=Y)).values

    assert found.dtype == np.float64
    assert found.flags.c_contiguous
    assert np.array_equal(found, values.astype(float))


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 3)], ids=["grey", "colour"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float64", "bool"])
def test_arrays_of_images_are_bytes(shape, dtype, tmp_path):
    """Whole numbers from 0 to 255 of any type."""
    values = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)

    found = read(npz_file(tmp_path, X=values, y=[0, 1, 0, 1, 1]))

    assert found.values.dtype == np.uint8
    assert np.array_equal(found.values, values)


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_folder_of_images_is_read_by_class_and_name(mode, tmp_path):
    """In alphabetical order; hidden files and those beside the folders are passed over."""
    image_folder(tmp_path, mode="RGB" if mode == "RGB" else "L")
    if mode == "1":
        for path in tmp_path.glob("*/*.png"):
            Image.open(path).point(lambda value: 255 * (value > 5)).convert("1").save(path)
    (tmp_path / "cat/.hidden").touch()
    (tmp_path / "README.md").touch()

    rows = read(tmp_path)

    assert rows.values.shape == (6, 5, 6, 3)[: 3 + (mode == "RGB")]
    assert (rows.codes.tolist(), rows.names) == ([0, 0, 0, 1, 1, 1], ("cat", "dog"))
    wanted = [0, 0, 0, 255, 255, 255] if mode == "1" else [0, 1, 2, 10, 11, 12]
    assert rows.values.reshape(6, -1)[:, 0].tolist() == wanted


def test_a_csv_file_may_come_from_a_spreadsheet(tmp_path):
    """A byte order mark, CRLF, spaces after commas, quotes, empty lines, True and False."""
    text = '\ufeffa,"b, c", y\r\n1, True,no\r\n\r\n2e3,False, "yes"\r\n\r\n'

    rows = read(csv_file(tmp_path, text))

    assert rows.columns == ("a", "b, c")
    assert rows.values.tolist() == [[1, 1], [2000, 0]]
    assert rows.names == ("no", "yes")


def test_labels_are_whole_numbers_or_text(tmp_path):
    """1 and 1.0 are the same; numbers come before texts, and 01 is a text."""
    rows = read(csv_file(tmp_path, "a,y\n1,10\n2,1.0\n3,1\n4,b\n5,01\n"))

    assert rows.names == (1, 10, "01", "b")
    assert rows.codes.tolist() == [1, 0, 0, 3, 2]


# --- what is refused, in each format --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b,y\n", "has 0 labels (none): must have two"),
        ("1,2,0\n3,4,1\n", "line 1: has only numbers: must have the names of the columns"),
        ("a,a,y\n1,2,0\n", "two columns are named 'a'"),
        (",a,y\n1,2,0\n", "column 1 has no name"),
        ("a;b;y\n1;2;0\n", "has one column (a;b;y): must have the labels"),
        ("a,b,y\n1,2,0\n1,2\n", "line 3: has 2 cells: must have 3"),
        ("a,b,y\n1,2,0,\n", "line 2: has 4 cells: must have 3"),
        ("a,b,y\n1,2,0\n1,,1\n", "line 3, column 'b': is missing: fill it in"),
        ("a,b,y\n1,nan,0\n", "line 2, column 'b': is missing"),
        ("a,b,y\n1,-inf,0\n", "line 2, column 'b': is -inf: must be a finite number"),
        ("a,b,y\n1,1e31,0\n", "line 2, column 'b': is 1e+31: must be a finite number"),
        ("a,b,y\n1,red,0\n", "line 2, column 'b': is 'red': must be a number"),
        ("a,b,y\n\n1,'2,0\n", """line 3, column 'b': is "'2": must be a number"""),
        ("a,b,y\n1,2,\n", "line 2: the label is missing"),
        ('a,b,y\n1,"2,0\n', "line 2: unexpected end of data"),
        ('a,b,y\n1,"2"x,0\n', "line 2: ',' expected after '\"'"),
        (b"a,b,y\n1,2,\xff\n", "is not UTF-8 (byte 0xff): save it as UTF-8"),
        ("a,b,y\n1,2,0\n".encode("utf-16"), "is not UTF-8"),
        ("a,b,y\n1,2,\0\n3,4,1\n", None),
        (f"{'n' * 201},y\n1,2\n", "the name of column 1 has 201 characters"),
        (f"a,y\n1,{'n' * 201}\n", "line 2: the label has 201 characters"),
        ("a,y\n" + "".join(f"0,{n}\n" for n in range(MOST_LABELS + 1)), "more than 1,000"),
    ],
)
def test_a_csv_file_that_is_no_table_is_one_line(text, words, tmp_path):
    """It names the line, and the column."""
    path = csv_file(tmp_path, text)
    if words is None:  # an odd label, but one
        assert read(path).names == (1, "\0")
    elif "labels (none)" in words:
        assert words in failure(path)
    else:
        assert refused(path).startswith(f"{path}: ")
        assert words in refused(path)


def failure(path, **options):
    """The message of a load that must be refused."""
    with pytest.raises(StudyError) as caught:
        load(data=path, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"a": [1, None, 3, 4, 5]}, "row 2, column 'a': is missing"),
        ({"a": [1, 2, np.inf, 4, 5]}, "row 3, column 'a': is inf"),
        ({"a": list("abcde")}, "column 'a': holds "),
        ({"a": pd.date_range("2020", periods=5)}, "column 'a': holds timestamp"),
        ({"a": [[1]] * 5}, "column 'a': holds list"),
        ({"kind": ["x", None, "y", "x", "y"]}, "row 2: the label is missing"),
        (
            {"kind": 0, "__index_level_0__": range(5), "z": 1},
            "is pandas' index: write with index=False",
        ),
    ],
)
def test_a_parquet_file_of_other_values_is_one_line(change, words, tmp_path):
    """It names the row and the column."""
    path = tmp_path / "t.parquet"
    frame().assign(**change).to_parquet(path, index=False)

    assert words in refused(path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": X}, "has the arrays X: must have one X and one y"),
        ({"X": X, "y": Y[:4]}, "y has the shape (4,): must be (5,)"),
        ({"X": X[:, 0], "y": Y}, "X has the shape (5,): must be (N, D)"),
        ({"X": np.zeros((5, 2, 2, 4)), "y": Y}, "X has the shape (5, 2, 2, 4)"),
        ({"X": X[:, :0], "y": Y}, "has 0 numbers in a row"),
        ({"X": np.where(X == 0.1, np.nan, X), "y": Y}, "X[1], column 'x0': is missing"),
        ({"X": X.astype(complex), "y": Y}, "X holds complex128: must be numbers"),
        ({"X": X.astype("U4"), "y": Y}, "X holds <U4: must be numbers"),
        ({"X": X, "y": Y.astype("S3")}, "y holds |S3: must be numbers or text"),
        ({"X": X, "y": [0, 1, np.nan, 1, 0]}, "y[2]: the label is missing"),
        ({"X": X.reshape(5, 2, 1), "y": Y}, "X[0] has the value 1.5: images must have whole"),
        ({"X": np.full((5, 2, 2), 256), "y": Y}, "X[0] has the value 256"),
        ({"X": X, "y": Y, "columns": np.array(["a"])}, "1 names of columns: must be 2"),
        ({"X": X, "y": Y, "columns": np.array(["a", "a"])}, "two columns are named 'a'"),
        ({"X": X, "y": Y, "columns": np.arange(2)}, "columns holds (2,) of int64"),
    ],
)
def test_arrays_of_something_else_are_one_line(arrays, words, tmp_path):
    """It names the array, the row and the column."""
    assert words in refused(npz_file(tmp_path, **arrays))


class Harmful:
    """Leaves a trace if it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("/tmp/unpickled-by-study",)


@pytest.mark.parametrize("name", ["X", "y"])
def test_nothing_is_unpickled(name, tmp_path):
    """An array of Python objects is refused by its header."""
    objects = np.array([[Harmful(), 1]] * 5, object)
    arrays = {"X": X, "y": Y} | {name: objects if name == "X" else objects[:, 0]}

    assert f"{name} holds Python objects, which are not read" in refused(
        npz_file(tmp_path, **arrays)
    )
    assert not os.path.exists("/tmp/unpickled-by-study")


def outcome(path):
    """The shape that is read, or that it is refused on one line."""
    try:
        return read(path).values.shape
    except StudyError as error:
        return "refused" if "\n" not in str(error) else str(error)


@pytest.mark.parametrize("kind", ["npz", "parquet", "csv"])
def test_a_file_cut_short_anywhere_is_refused_or_is_a_shorter_table(kind, tmp_path):
    """Never a traceback; of a CSV file whole rows may be left."""
    path = written(kind, tmp_path)
    whole = path.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:size])
        if kind == "csv":
            assert outcome(path) == "refused" or outcome(path)[0] <= len(X)
        else:
            refused(path)


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_a_changed_byte_is_refused_or_read_in_bounds(kind, tmp_path):
    """Whatever field it lies in; never a traceback."""
    path = written(kind, tmp_path)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for place in random.integers(0, len(whole), 150):
        changed = bytearray(whole)
        changed[place] ^= int(random.integers(1, 256))
        path.write_bytes(changed)
        assert outcome(path) == "refused" or outcome(path)[1] <= 2


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda f: Image.new("L", (6, 6)).save(f / "dog/1.png"),
            "is 6 wide and 6 high, grey: must",
        ),
        (lambda f: Image.new("RGB", (6, 5)).save(f / "dog/1.png"), "5 high, RGB: must be 6 wide"),
        (lambda f: Image.new("RGBA", (6, 5)).save(f / "dog/1.png"), "colour type 6 with 8 bits"),
        (lambda f: Image.new("P", (6, 5)).save(f / "dog/1.png"), "colour type 3"),
        (lambda f: Image.new("I;16", (6, 5)).save(f / "dog/1.png"), "type 0 with 16 bits"),
        (lambda f: (f / "dog/1.png").write_bytes(b""), "has 0 bytes: must be a PNG file"),
        (
            lambda f: Image.new("L", (6, 5)).save(f / "dog/1.png", "JPEG"),
            "does not begin as a PNG",
        ),
        (lambda f: (f / "dog/1.jpg").touch(), "dog/1.jpg: is in a class's folder: must be a .png"),
        (lambda f: (f / "dog/sub").mkdir(), "dog/sub: is in a class's folder: must be a .png"),
        (lambda f: (f / "dog/sub.png").mkdir(), "dog/sub.png: is not a regular file"),
        (lambda f: posix.mkfifo(f / "dog/pipe.png"), "dog/pipe.png: is not a regular file"),
        (lambda f: (f / "dog/l.png").symlink_to(f / "cat/0.png"), "dog/l.png: is a link"),
        (lambda f: (f / "bird").symlink_to(f / "cat"), "bird: is a link: links are not followed"),
    ],
)
def test_a_folder_with_something_else_in_it_is_one_line(damage, words, tmp_path):
    """It names the file."""
    damage(image_folder(tmp_path))

    assert words in refused(tmp_path).replace(os.sep, "/")


def test_a_folder_without_images_is_one_line(tmp_path):
    """It says what must be there."""
    (tmp_path / "cat").mkdir()

    assert "has no images: must have a folder for each class" in refused(tmp_path)


def test_an_image_cut_short_anywhere_is_refused(tmp_path):
    """Up to its last pixel."""
    path = image_folder(tmp_path) / "cat/1.png"
    noise = np.random.default_rng(0).integers(0, 256, (5, 6)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    for size in range(len(whole) - 20):
        path.write_bytes(whole[:size])
        assert str(path) in refused(tmp_path)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet", ".txt"])
@pytest.mark.parametrize("make", [None, posix.mkfifo, lambda p: os.symlink("/dev/zero", p)])
def test_what_is_no_file_is_one_line(suffix, make, tmp_path):
    """Missing, a FIFO that nobody writes to, an endless device."""
    path = tmp_path / f"t{suffix}"
    if make:
        make(path)

    message = refused(path)

    wanted = "no such file" if make is None else "is not a regular file"
    assert wanted in message or (make and "is of another kind: must be a .npz" in message)


def test_a_label_that_is_no_column_is_one_line(tmp_path):
    """It lists the columns; what has no columns takes no --label."""
    assert "--label c: no such column in" in refused(written("csv", tmp_path), "c")
    assert "must be one of a, b b, kind" in refused(written("parquet", tmp_path), "c")
    assert "has no column 'c', which has the labels" in refused(written("npz", tmp_path), "c")


def test_without_pyarrow_the_message_names_the_extra(tmp_path, monkeypatch):
    """It is an extra of the package."""
    path = written("parquet", tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert refused(path).endswith("pip install 'study[parquet]'")


# --- bombs: refused before they are unpacked ------------------------------------------------


def zip_of(path, header, **sizes):
    """An .npz whose X has this header and, packed, so many zeros; y is right."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("X.npy", "w") as member:
            member.write(header)
            for _ in range(sizes["megabytes"]):
                member.write(bytes(2**20))
        with archive.open("y.npy", "w") as member:
            np.lib.format.write_array(member, Y)
    return path


def header_of(shape, dtype="<f8"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


@contextmanager
def small(most):
    """Check that what is inside needs at most so many MB more than there are now."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = peak_kb()
    yield
    assert peak_kb() - before < most * 1024


def peak_kb():
    """The largest resident memory of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (header_of((5, 2)), "must have 208, as its header declares"),
        (header_of((2**40, 2)), "must be at most"),
        (header_of((5, 2**30)), "must be at most"),
        (header_of((5, 2), "<U1000000"), "must be at most"),
        (header_of((-5, -2)), "must have no number below 0"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "is damaged (another version of the format)"),
        (b"\x93NUMPY\x01\x00\xff\xff", "is damaged"),
        (b"", "is damaged"),
    ],
)
def test_a_zip_bomb_is_refused_at_no_cost(header, words, tmp_path):
    """100 MB of zeros, packed to 400 kB, behind headers that promise less, or more."""
    path = zip_of(tmp_path / "t.npz", header, megabytes=100)

    assert path.stat().st_size < 2**20
    with small(50):
        assert words in refused(path)


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path):
    """The directory promises 208 bytes; the stream has 64 MB."""
    path = zip_of(tmp_path / "t.npz", header_of((5, 2)), megabytes=64)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = (208).to_bytes(4, "little")
    path.write_bytes(content)

    with small(30):
        assert "is damaged" in refused(path)


def test_a_zip_packed_otherwise_is_refused(tmp_path):
    """LZMA could ask for gigabytes of dictionary."""
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_LZMA) as archive:
        for name in ("X", "y"):
            archive.writestr(f"{name}.npy", header_of((5, 2)))

    assert "X is packed in another way" in refused(tmp_path / "t.npz")


def test_a_csv_line_without_end_is_refused(tmp_path):
    """One line of 64 MB: it is read to the limit alone."""
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write(b"a,y\n")
        file.truncate(2**26)  # a sparse file of zero bytes

    with small(150):
        assert "line 2: is longer than 16,777,216 characters" in refused(path)


def test_a_csv_cell_without_end_is_refused(tmp_path):
    """A quote that is never closed, and many lines after it."""
    path = csv_file(tmp_path, 'a,y\n1,"' + "x\n" * 10**6)

    assert "field larger than field limit" in refused(path)


@pytest.mark.parametrize("kind", [".csv", ".npz", ".parquet"])
def test_a_file_that_is_too_large_is_not_read(kind, tmp_path):
    """A sparse file of 5 GiB takes no room on the disk."""
    path = tmp_path / f"t{kind}"
    posix.lengthen(path, 5 * LARGEST)

    with small(20):
        assert "has 5,368,709,120 bytes: must have at most" in refused(path)


def test_a_parquet_bomb_is_refused_by_what_it_declares(tmp_path):
    """One value, repeated: 200 million rows in a few kilobytes."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    path, part = tmp_path / "t.parquet", 5 * 10**6
    table = pa.table({"a": pa.array(np.zeros(part)), "y": pa.array(np.zeros(part, np.int8))})
    options = {"compression": "zstd", "use_dictionary": False}  # which would hash each value
    with pq.ParquetWriter(path, table.schema, **options) as writer:
        for _ in range(30):
            writer.write_table(table)

    assert path.stat().st_size < 2 * 10**6
    with small(100):
        assert "has 150,000,000 × 1 numbers of 8 bytes: must have at most" in refused(path)


def test_a_parquet_bomb_of_text_is_refused(tmp_path):
    """Labels of megabytes each, few rows."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    path = tmp_path / "t.parquet"
    labels = pa.array(["x" * 2**20] * 3)
    table = pa.table({"a": pa.array([1.0, 2, 3]), "y": labels})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)

    assert "row 1: the label has 1,048,576 characters" in refused(path)


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [(100_000, 100_000, "has 10,000,000,000 numbers"), (0, 5, "has 0 numbers"), (513, 512, "has")],
)
def test_an_image_bomb_is_refused_by_its_header(width, height, words, tmp_path):
    """Before Pillow sees it."""
    path = image_folder(tmp_path) / "cat/0.png"
    content = bytearray(path.read_bytes())
    content[16:24] = width.to_bytes(4) + height.to_bytes(4)
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    path.write_bytes(content)

    with small(20):
        assert f"{path}: {words}" in refused(tmp_path)


def test_text_in_an_image_is_not_unpacked_without_bound(tmp_path):
    """100 MB of text, packed to 100 kB."""
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("bomb", " " * 10**8, zip=True)
    path = image_folder(tmp_path) / "cat/0.png"
    Image.new("L", (6, 5)).save(path, pnginfo=text)

    assert path.stat().st_size < 2 * 10**6
    with small(150):
        refused(tmp_path)
