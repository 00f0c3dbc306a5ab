"""The digit pair: the bundle, the official files, and every way that they can be wrong."""

import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import tracemalloc
import zlib
from decimal import Decimal, localcontext
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.dataset import DATASETS, DigitPair, bundle, idx, load, make_bundle, normalise, official
from study.dataset.__main__ import main
from study.errors import ResourceError, StudyError
from tests.helpers import posix
from tests.helpers.commands import module, run

ROOT = Path(__file__).parents[1]
OFFICIAL = Path(os.environ.get("STUDY_MNIST", ROOT.parent / "shared" / "mnist"))
FASHION = Path("/usr/share/datasets/fashion-mnist")
IMAGES, LABELS = official.FILES
HTML = b"<!DOCTYPE html><html><body>Sign in to the Wi-Fi</body></html>"

needs_official = pytest.mark.skipif(not OFFICIAL.exists(), reason=f"STUDY_MNIST: no {OFFICIAL}")
needs_fashion = pytest.mark.skipif(not FASHION.exists(), reason=f"no Fashion-MNIST in {FASHION}")


def raw_folder(root, name="MNIST"):
    folder = root / name / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def linked(root, *names, name="MNIST"):
    """Lay links to official MNIST files out under a root."""
    folder = raw_folder(root, name)
    for file in names:
        (folder / file).symlink_to(OFFICIAL / "MNIST" / "raw" / file)
    return folder


@cache
def packed(name):
    return gzip.compress((OFFICIAL / "MNIST" / "raw" / name).read_bytes(), 1, mtime=0)


def official_arrays():
    """Read the official files with NumPy alone."""
    folder = OFFICIAL / "MNIST" / "raw"
    pixels = np.fromfile(folder / IMAGES, np.uint8)[16:].reshape(-1, 28, 28)
    return pixels, np.fromfile(folder / LABELS, np.uint8)[8:]


def refused(root, dataset="mnist"):
    """Load a pair that must be refused; return the message."""
    with pytest.raises(StudyError) as caught:
        load(dataset, (3, 8), data_root=root)
    return str(caught.value)


def python(code, *arguments, flags=()):
    """Run code in a fresh interpreter; return what it printed, as JSON."""
    command = [sys.executable, *flags, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def pair():
    return load()


# --- the bundle


def test_the_bundled_pair_has_the_documented_counts(pair):
    """11,791 images: 5,842 fours, 5,949 nines, of which 10,000 train and 1,791 validate."""
    assert pair.raw.shape == (11_791, 28, 28)
    assert np.bincount(pair.labels).tolist() == [5_842, 5_949]
    assert len(pair.labels[pair.n_train :]) == 1_791
    assert pair.images.shape == (11_791, 784)
    assert (pair.raw.dtype, pair.labels.dtype, pair.images.dtype) == ("u1", "u1", "f4")


@needs_official
def test_the_bundle_equals_the_official_files(pair):
    """The 4s are labelled 0 and the 9s 1, in file order, pixel for pixel."""
    pixels, digits = official_arrays()
    kept = (digits == 4) | (digits == 9)

    assert np.array_equal(pair.raw, pixels[kept])
    assert np.array_equal(pair.labels, digits[kept] == 9)


@needs_official
@pytest.mark.skipif(zlib.ZLIB_RUNTIME_VERSION != "1.2.13", reason="made with zlib 1.2.13")
def test_the_bundle_is_made_anew_byte_for_byte(tmp_path, capsys):
    """The command writes the very files that are in the package."""
    status = main(["--data-root", str(OFFICIAL), "--out", str(tmp_path / "new")])

    printed = capsys.readouterr().out
    assert status == 0
    for name, digest in bundle.SHA256.items():
        assert (tmp_path / "new" / name).read_bytes() == (bundle.FOLDER / name).read_bytes()
        assert f"{tmp_path / 'new' / name}  unpacked SHA-256 {digest}\n" in printed


def test_the_data_readme_states_the_digests_of_the_files():
    """Every digest of a packed, unpacked or official file in the README is the true one."""
    stated = re.findall(r"\b[0-9a-f]{64}\b", (bundle.FOLDER / "README.md").read_text("utf-8"))
    files = [(bundle.FOLDER / name).read_bytes() for name in bundle.SHA256]

    assert stated == [
        *(hashlib.sha256(file).hexdigest() for file in files),
        *(hashlib.sha256(gzip.decompress(file)).hexdigest() for file in files),
        *DATASETS["mnist"].sha256,
    ]


@pytest.mark.parametrize("name", [bundle.IMAGES, bundle.LABELS])
def test_a_changed_bundle_is_refused(name, tmp_path, monkeypatch):
    """One flipped bit in an installed file, repacked without fault, is found."""
    folder = shutil.copytree(bundle.FOLDER, tmp_path / "data")
    content = bytearray(gzip.decompress((folder / name).read_bytes()))
    content[-1] ^= 1
    (folder / name).write_bytes(gzip.compress(content, 1))
    monkeypatch.setattr(bundle, "FOLDER", folder)

    with pytest.raises(StudyError) as caught:
        load()

    found = hashlib.sha256(content).hexdigest()
    wanted = bundle.SHA256[name]
    assert str(caught.value) == f"{folder / name}: SHA-256 is {found}: must be {wanted}"


def test_a_missing_bundle_is_one_line(tmp_path, monkeypatch):
    """An installation without its data says which file is missing."""
    monkeypatch.setattr(bundle, "FOLDER", tmp_path)

    with pytest.raises(StudyError) as caught:
        load()

    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / bundle.IMAGES).stat()
    message = f"{tmp_path / bundle.IMAGES}: {missing.value.strerror}: reinstall the package"
    assert str(caught.value) == message


def test_labels_follow_the_order_of_the_classes(pair):
    """Nine against four is the same images with the labels exchanged."""
    turned = load(classes=(9, 4))

    assert np.array_equal(turned.raw, pair.raw)
    assert np.array_equal(turned.labels, 1 - pair.labels)
    assert turned.digest != pair.digest


def test_the_digest_is_of_the_pixels_then_the_labels(pair):
    """Anyone can recompute it, and the split has no part in it."""
    digest = hashlib.sha256()
    digest.update(pair.raw)
    digest.update(pair.labels)

    assert pair.digest == digest.hexdigest()
    assert load(n_train=100).digest == pair.digest


def test_images_and_digest_are_computed_once(pair):
    """Asking again returns the same object."""
    assert pair.images is pair.images
    assert pair.digest is pair.digest


# --- the normalisation


@pytest.mark.parametrize("index", [0, 1, 255, 256, 257, 5_000, 11_790])
def test_normalisation_is_exact_to_the_last_bit_of_float32(pair, index):
    """Each value is the 50-digit decimal one, rounded once."""
    with localcontext(prec=50):
        pixels = [Decimal(int(x)) for x in pair.raw[index].ravel()]
        mean = sum(pixels) / 784
        std = (sum((x - mean) ** 2 for x in pixels) / 784).sqrt()
        expected = [np.float32(str((x - mean) / std)) for x in pixels]

    assert pair.images[index].tolist() == expected


def test_normalisation_equals_the_plain_formula(pair):
    """Every image, against NumPy's own mean and population standard deviation."""
    pixels = pair.raw.reshape(-1, 784).astype(np.float64)
    plain = (pixels - pixels.mean(1, keepdims=True)) / pixels.std(1, keepdims=True)

    np.testing.assert_allclose(pair.images, plain, rtol=1e-6, atol=1e-7)


@given(st.binary(min_size=784, max_size=784))
def test_any_image_has_mean_zero_and_spread_one(content):
    """Unless it is constant; and the pixels given are left alone."""
    raw = np.frombuffer(content, np.uint8).reshape(1, 28, 28)
    normalised = normalise(raw).astype(np.float64)

    assert abs(normalised.mean()) < 1e-6
    assert abs(normalised.std() - (raw.min() < raw.max())) < 1e-6
    assert raw.tobytes() == content


def test_no_images_are_no_rows():
    """As of the images that a perfect model misreads."""
    assert normalise(np.empty((0, 28, 28), np.uint8)).shape == (0, 784)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_a_constant_image_becomes_zeros(value):
    """There is no spread to divide by."""
    assert not normalise(np.full((2, 28, 28), value, np.uint8)).any()


# --- the official files


@needs_official
@pytest.mark.parametrize("classes", [(3, 8), (0, 1), (9, 4)], ids=str)
def test_any_pair_comes_from_the_official_files(classes):
    """Two digits, in file order, the first labelled 0 and the second 1."""
    found = load(classes=classes, data_root=OFFICIAL)
    pixels, digits = official_arrays()
    kept = np.isin(digits, classes)

    assert np.array_equal(found.raw, pixels[kept])
    assert np.array_equal(found.labels, digits[kept] == classes[1])


@needs_official
def test_packed_files_and_a_flat_folder_serve_as_well(tmp_path):
    """Only .gz, in the root itself: the same pair, and nothing is unpacked beside them."""
    for name in official.FILES:
        (tmp_path / f"{name}.gz").write_bytes(packed(name))

    found = load(data_root=tmp_path)

    assert found.digest == load().digest
    assert sorted(os.listdir(tmp_path)) == [f"{IMAGES}.gz", f"{LABELS}.gz"]


@needs_fashion
def test_fashion_mnist_loads_from_debians_package():
    """6,000 T-shirts against 6,000 shirts, from the folder that the package fills."""
    found = load("fashion-mnist", (0, 6), data_root=FASHION)

    assert np.bincount(found.labels).tolist() == [6_000, 6_000]
    assert found.digest.startswith("b33b11cdaefa")


def test_kmnist_is_checked_by_its_layout(tmp_path):
    """Its digests are published for the packed files only."""
    folder = raw_folder(tmp_path, "KMNIST")
    digits = (np.arange(60_000) % 10).astype(np.uint8)
    (folder / LABELS).write_bytes(idx.encode(digits))
    (folder / IMAGES).write_bytes(idx.encode(np.repeat(digits, 784).reshape(-1, 28, 28)))

    found = load("kmnist", (2, 7), data_root=tmp_path)

    assert found.raw[:, 5, 5].tolist() == [2, 7] * 6_000
    assert found.labels.tolist() == [0, 1] * 6_000


@needs_official
def test_another_datasets_files_are_refused(tmp_path):
    """MNIST's files where KMNIST's belong are not taken for them."""
    folder = linked(tmp_path, IMAGES, LABELS, name="KMNIST")

    message = refused(tmp_path, "kmnist")

    assert message == f"{folder / IMAGES}: SHA-256 is that of mnist: must be kmnist's"


def watched(*root, **options):
    """What loading the pair opens, in a process of its own."""
    result = run(module("tests.helpers.watched", *root), ROOT, **options)
    assert result.stderr == ""
    return json.loads(result.stdout)


@pytest.mark.matrix("F22")
def test_the_bundle_needs_no_network_and_no_torch():
    """Its two files are opened, no socket, and torch stays unimported."""
    seen = watched(is_fresh=True)

    assert seen == {"opened": sorted(bundle.SHA256), "sockets": [], "torch": False}


@needs_official
def test_the_test_set_is_never_opened(tmp_path):
    """Poisoned test files and torchvision's old cache lie there, and are passed by."""
    folder = linked(tmp_path, IMAGES, LABELS)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / name).write_bytes(HTML)
        (folder / f"{name}.gz").write_bytes(HTML)
    (folder.parent / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (folder.parent / "processed" / name).write_bytes(HTML)

    seen = watched(tmp_path)

    assert seen == {"opened": [IMAGES, LABELS], "sockets": [], "torch": True}


# --- the download


@pytest.fixture
def server(tmp_path_factory, monkeypatch):
    """Serve a folder on this machine as MNIST's only mirror; list the paths asked for."""
    folder = tmp_path_factory.mktemp("mirror")
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            asked.append(self.path.strip("/"))

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as http:
        threading.Thread(target=http.serve_forever).start()
        mirror(monkeypatch, http.server_port)
        yield folder, asked
        http.shutdown()


def mirror(monkeypatch, port):
    from study.dataset import torchvision_reader

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(
        torchvision_reader.READERS["MNIST"], "mirrors", [f"http://127.0.0.1:{port}/"]
    )


def serve_official(folder, monkeypatch):
    """Put packed training files on the mirror, with their own MD5 as torchvision's."""
    from study.dataset import torchvision_reader

    resources = []
    for name, _ in torchvision_reader.READERS["MNIST"].resources:
        (folder / name).write_bytes(content := packed(name.removesuffix(".gz")))
        resources.append((name, hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(torchvision_reader.READERS["MNIST"], "resources", resources)


@needs_official
def test_a_download_fetches_the_training_files_alone(server, tmp_path, monkeypatch, capfd):
    """They land where torchvision looks for them, without a word, and are read from there."""
    serve_official(server[0], monkeypatch)

    found = load(data_root=tmp_path / "new")

    assert found.digest == load().digest
    assert set(server[1]) == {f"{IMAGES}.gz", f"{LABELS}.gz"}
    assert sorted(os.listdir(tmp_path / "new" / "MNIST" / "raw")) == [IMAGES, LABELS]
    assert capfd.readouterr() == ("", "")
    server[1].clear()
    load(data_root=tmp_path / "new")
    assert server[1] == []


@needs_official
def test_a_download_leaves_what_is_there(server, tmp_path, monkeypatch):
    """A root that has the images gets the labels."""
    serve_official(server[0], monkeypatch)
    folder = linked(tmp_path, IMAGES)

    load(data_root=tmp_path)

    assert (folder / IMAGES).is_symlink()
    assert (folder / LABELS).stat().st_size == 60_008


def test_without_network_one_line_says_what_to_put_where(tmp_path, monkeypatch, capfd):
    """Nothing else is printed, and nothing is left on the disk."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        mirror(monkeypatch, closed.getsockname()[1])
        root = tmp_path / "new"
        message = refused(root)

    assert message.startswith(f"{root}: training files are missing, and the download failed (")
    assert "Connection refused" in message
    assert message.endswith(f"): put mnist's {IMAGES} and {LABELS} (or their .gz) into "
                            f"{root / 'MNIST' / 'raw'}")  # fmt: skip
    assert "\n" not in message
    assert not root.exists()
    assert capfd.readouterr() == ("", "")
    assert socket.getdefaulttimeout() is None


def test_a_download_of_something_else_is_refused(server, tmp_path):
    """A portal's page in place of the file fails torchvision's MD5."""
    for name in official.FILES:
        (server[0] / f"{name}.gz").write_bytes(HTML)

    assert "File not found or corrupted" in refused(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_silent_server_is_given_up(tmp_path, monkeypatch):
    """A mirror that accepts and says nothing costs a limited wait."""
    monkeypatch.setattr(official, "_SILENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror(monkeypatch, silent.getsockname()[1])

        assert "timed out" in refused(tmp_path)


# --- refusals


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "mnits"}, "dataset 'mnits': not known: did you mean mnist?"),
        ({"dataset": "x"}, "dataset 'x': not known: must be one of mnist, fashion-mnist, "
         "kmnist, own"),
        ({"classes": (4, 4)}, "classes 4 and 4 of mnist: the same class twice: must be two "
         "different ones of 0 to 9"),
        ({"classes": (4, 10)}, "classes 4 and 10 of mnist: no such classes: must be two of 0 "
         "to 9"),
        ({"classes": (-1, 9)}, "classes -1 and 9 of mnist: no such classes: must be two of 0 "
         "to 9"),
        ({"n_train": 11_791}, "n_train 11791: mnist has 11791 images of classes 4 and 9: "
         "must be from 1 to 11790"),
        ({"n_train": 0}, "n_train 0: mnist has 11791 images of classes 4 and 9: "
         "must be from 1 to 11790"),
        ({"dataset": "kmnist"}, "classes 4 and 9 of kmnist: not in the package, which has mnist "
         "4 and 9: pass --data-root DIR, for a download or after putting kmnist's "
         "train-images-idx3-ubyte and train-labels-idx1-ubyte (or their .gz) into "
         f"{Path('DIR/KMNIST/raw')}"),
        ({"data_root": Path(__file__)}, f"{__file__}: not a folder: must be a data root"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_request_that_no_data_can_meet_is_refused(arguments, message):
    """One line that names the input, what is wrong with it and what would be right."""
    with pytest.raises(StudyError) as caught:
        load(**arguments)

    assert str(caught.value) == message


def test_the_smallest_and_the_largest_split_are_accepted(pair):
    """One image of either class to train on, or to validate on, is enough, and none is not."""
    assert load(n_train=2).n_train == 2
    assert load(n_train=11_788).n_train == 11_788
    for n_train, words in ((1, "class 9 of mnist: none of the 1"), (11_789, "class 4 of mnist")):
        with pytest.raises(StudyError, match=words):
            load(n_train=n_train)


def header(*fields):
    """Return an IDX header: magic number, type and dimensions as one number, then sizes."""
    return b"".join(field.to_bytes(4, "big") for field in fields)


IMAGE_HEADERS = {
    "html": (HTML, "magic number is 15393: must be 0"),
    "magic": (header(0x01000803, 60_000, 28, 28), "magic number is 256: must be 0"),
    "type": (header(0x00000D03, 60_000, 28, 28), "data type is 13: must be 8"),
    "one dimension": (header(0x801, 60_000, 28, 28), "number of dimensions is 1: must be 3"),
    "no images": (header(0x803, 0, 28, 28), "number of images is 0: must be 60000"),
    "2^32-1": (header(0x803, 2**32 - 1, 28, 28), "number of images is 4294967295: must be 60000"),
    "5x56x28": (header(0x803, 5, 56, 28), "number of images is 5: must be 60000"),
    "56 rows": (header(0x803, 60_000, 56, 14), "number of rows is 56: must be 28"),
    "no columns": (header(0x803, 60_000, 28, 0), "number of columns is 0: must be 28"),
}


@pytest.mark.parametrize("damage", IMAGE_HEADERS)
@pytest.mark.matrix("F14")
def test_an_image_file_with_a_wrong_header_is_refused(damage, tmp_path):
    """Each field is checked by itself, in a file that is otherwise of the right size."""
    content, problem = IMAGE_HEADERS[damage]
    folder = raw_folder(tmp_path)
    (folder / LABELS).write_bytes(b"")
    (folder / IMAGES).write_bytes(content)
    os.truncate(folder / IMAGES, 47_040_016)

    assert refused(tmp_path) == f"{folder / IMAGES}: {problem}"


LABEL_DAMAGE = {
    "empty": (lambda b: b"", "size is 0 bytes, less than a header: must be 60,008 bytes"),
    "header only": (lambda b: b[:8], "size is 8 bytes: must be 60,008 bytes"),
    "one byte less": (lambda b: b[:-1], "size is 60,007 bytes: must be 60,008 bytes"),
    "one byte more": (lambda b: b + b"\0", "size is more than 60,008 bytes: must be 60,008 bytes"),
    "count": (lambda b: header(0x801, 59_999) + b[8:-1],
              "number of labels is 59999: must be 60000"),
    "label 10": (lambda b: b[:18] + b"\x0a" + b[19:], "label 10 is 10: must be from 0 to 9"),
    "last label 255": (lambda b: b[:-1] + b"\xff", "label 59,999 is 255: must be from 0 to 9"),
    "no fours": (lambda b: b[:8] + b[8:].replace(b"\4", b"\5"),
                 "SHA-256 is {found}: must be {known}"),
}  # fmt: skip


@needs_official
@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "packed"])
@pytest.mark.parametrize("damage", LABEL_DAMAGE)
@pytest.mark.matrix("F14")
def test_a_damaged_label_file_is_refused(damage, suffix, tmp_path):
    """File and field are named, and a packed file is held to the same rules."""
    spoil, problem = LABEL_DAMAGE[damage]
    content = spoil((OFFICIAL / "MNIST" / "raw" / LABELS).read_bytes())
    path = linked(tmp_path, IMAGES) / f"{LABELS}{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    found, known = hashlib.sha256(content).hexdigest(), DATASETS["mnist"].sha256[1]

    assert refused(tmp_path) == f"{path}: {problem.format(found=found, known=known)}"


@needs_official
@pytest.mark.matrix("F14")
def test_a_changed_pixel_is_refused(tmp_path):
    """The digest finds what no field shows."""
    folder = linked(tmp_path, LABELS)
    content = bytearray((OFFICIAL / "MNIST" / "raw" / IMAGES).read_bytes())
    content[1_000_000] ^= 1
    (folder / IMAGES).write_bytes(content)
    found, known = hashlib.sha256(content).hexdigest(), DATASETS["mnist"].sha256[0]

    assert refused(tmp_path) == f"{folder / IMAGES}: SHA-256 is {found}: must be {known}"


@needs_official
@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.matrix("F14")
def test_a_file_cut_short_anywhere_is_refused(name, tmp_path):
    """At 32 lengths, the header's included, the size is what the message names."""
    path = Path(shutil.copy(OFFICIAL / "MNIST" / "raw" / name, tmp_path))
    lengths = [*range(20), *np.linspace(20, path.stat().st_size - 1, 12).astype(int)]

    for length in reversed(lengths):
        os.truncate(path, length)
        with pytest.raises(StudyError, match=f"{name}: size is {length:,} bytes"):
            idx.read(path, official.FILES[name])


def squeezed(content):
    return gzip.compress(content, mtime=0)


WHOLE = squeezed(idx.encode(np.zeros(60_000, np.uint8)))
GZIP_DAMAGE = {
    "html": (HTML, "gzip stream is damaged (Error -3 while decompressing data: incorrect header "
             "check): must be whole"),
    "empty": (b"", "gzip stream is cut short after 0 bytes: must be whole"),
    "cut": (WHOLE[:-9], f"gzip stream is cut short after {len(WHOLE) - 9} bytes: must be whole"),
    "no length": (WHOLE[:-1], f"gzip stream is cut short after {len(WHOLE) - 1} bytes: "
                  "must be whole"),
    "bad CRC": (WHOLE[:-8] + bytes(4) + WHOLE[-4:], "gzip stream is damaged (Error -3 while "
                "decompressing data: incorrect data check): must be whole"),
    "more": (WHOLE + b"\0", "gzip stream is followed by other bytes: must be the whole file"),
    "members": (WHOLE + WHOLE, "gzip stream is followed by other bytes: must be the whole file"),
    "bomb": (squeezed(header(0x801, 60_000) + bytes(50_000_000)),
             "size is more than 60,008 bytes: must be 60,008 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("damage", GZIP_DAMAGE)
@pytest.mark.matrix("F15")
def test_a_damaged_gzip_file_is_refused_at_a_bounded_cost(damage, tmp_path):
    """A 50 MB bomb, too, is unpacked to the expected 60 kB and no further."""
    content, problem = GZIP_DAMAGE[damage]
    path = tmp_path / f"{LABELS}.gz"
    path.write_bytes(content)
    tracemalloc.start()

    with pytest.raises(StudyError) as caught:
        idx.read(path, official.FILES[LABELS])

    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(caught.value) == f"{path}: {problem}"
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("name", [LABELS, f"{LABELS}.gz"])
@pytest.mark.parametrize("make", [posix.mkfifo, os.mkdir], ids=["FIFO", "folder"])
@pytest.mark.matrix("F14")
def test_only_regular_files_are_opened(make, name, tmp_path):
    """A FIFO without a writer would hang, and a folder is no file."""
    make(tmp_path / name)

    with pytest.raises(StudyError) as caught:
        idx.read(tmp_path / name, official.FILES[LABELS])

    message = f"{tmp_path / name}: file type is not a regular file: must be one"
    assert str(caught.value) == message


@pytest.mark.matrix("F14")
def test_an_endless_file_is_read_to_its_expected_size(tmp_path):
    """A sparse terabyte costs no more memory than the right file."""
    (tmp_path / LABELS).write_bytes(header(0x801, 60_000))
    posix.lengthen(tmp_path / LABELS, 2**40)

    with pytest.raises(StudyError, match=r"size is more than 60,008 bytes"):
        idx.read(tmp_path / LABELS, official.FILES[LABELS])


@pytest.mark.posix("Windows refuses a name that is too long only when it is made")
def test_what_the_system_refuses_is_a_resource_error(tmp_path):
    """A name that is too long stands for every refusal: the file, the reason, status 5."""
    with pytest.raises(ResourceError, match=r"xxx/MNIST/raw.*: File name too long: must be"):
        load(data_root=tmp_path / ("x" * 300))


@needs_official
def test_a_bundle_that_can_not_be_written_is_a_resource_error(tmp_path):
    """The folder, the reason, and what it must be."""
    with pytest.raises(ResourceError, match=r"xxx: File name too long: must be a folder"):
        make_bundle(OFFICIAL, tmp_path / ("x" * 300))


BOUNDED = """
import json, re, sys
from pathlib import Path
from study.dataset import load
from study.errors import StudyError
try:
    load(classes=(3, 8), data_root=Path(sys.argv[1]))
except StudyError as error:
    print(json.dumps({
        "message": str(error),
        "peak_kib": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]),
        "optimised": sys.flags.optimize, "torch": "torch" in sys.modules,
    }))
"""


@needs_official
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to measure with")
@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "packed"])
@pytest.mark.matrix("F14")
def test_a_refusal_stands_without_asserts_and_in_300_mb(suffix, tmp_path):
    """The last label is 200, so that both files are read whole, under ``python -O``."""
    folder = raw_folder(tmp_path)
    digits = (OFFICIAL / "MNIST" / "raw" / LABELS).read_bytes()[:-1] + b"\xc8"
    (folder / LABELS).write_bytes(digits)
    content = packed(IMAGES) if suffix else (OFFICIAL / "MNIST" / "raw" / IMAGES).read_bytes()
    (folder / f"{IMAGES}{suffix}").write_bytes(content)

    end = python(BOUNDED, tmp_path, flags=["-O"])

    assert end["message"] == f"{folder / LABELS}: label 59,999 is 200: must be from 0 to 9"
    assert (end["optimised"], end["torch"]) == (1, False)
    assert end["peak_kib"] < 300_000


# --- the command


def command(*arguments):
    line = [sys.executable, "-X", "importtime", "-m", "study.dataset", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_commands_help_needs_no_torch():
    """It names its options and answers before the heavy imports."""
    done = command("--help")

    assert done.returncode == 0
    assert "--data-root DIR" in done.stdout
    assert "--out DIR" in done.stdout
    assert not re.search(r"\| +torch", done.stderr)


def test_the_command_ends_in_one_line_and_status_2(tmp_path, capsys):
    """A bad data root is named, and no file is written."""
    (raw_folder(tmp_path) / IMAGES).write_bytes(HTML)
    (raw_folder(tmp_path) / LABELS).write_bytes(HTML)

    status = main(["--data-root", str(tmp_path), "--out", str(tmp_path / "new")])

    path = tmp_path / "MNIST" / "raw" / IMAGES
    assert status == 2
    assert capsys.readouterr().err == f"study: {path}: magic number is 15393: must be 0\n"
    assert not (tmp_path / "new").exists()


def test_a_pair_can_be_made_of_any_arrays():
    """`DigitPair.select` keeps two classes of what it is given, in order."""
    digits = np.array([7, 1, 7, 3, 1], np.uint8)
    pixels = np.arange(5 * 784).reshape(5, 28, 28).astype(np.uint8)

    found = DigitPair.select("mnist", (1, 7), pixels, digits, 2)

    assert found.labels.tolist() == [1, 0, 1, 0]
    assert np.array_equal(found.raw, pixels[[0, 1, 2, 4]])
