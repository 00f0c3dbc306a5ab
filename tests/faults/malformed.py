"""Read malformed IDX files, and print what each is refused with: ``python [-O] malformed.py DIR``.

A file of 60,000 labels is cut short at 64 lengths and spoiled in 24 ways, half of them as
gzip. Run with and without ``-O``, because torchvision's reader rests on ``assert``.
"""

import gzip
import json
import os
import sys
import time
from pathlib import Path

from study.dataset import idx, official
from study.errors import StudyError

NAME = "train-labels-idx1-ubyte"
WHOLE = bytes([0, 0, 8, 1, 0, 0, 0xEA, 0x60]) + bytes(range(10)) * 6000
PACKED = gzip.compress(WHOLE, mtime=0)
CUTS = [*range(12), *(12 + (len(WHOLE) - 13) * k // 51 for k in range(52))]
PLAIN = {
    "not zeros": b"\1" + WHOLE[1:],
    "a web page": b"<html>" * 10_001,
    "signed bytes": WHOLE[:2] + b"\x09" + WHOLE[3:],
    "floats": WHOLE[:2] + b"\x0d" + WHOLE[3:],
    "no dimension": WHOLE[:3] + b"\0" + WHOLE[4:],
    "255 dimensions": WHOLE[:3] + b"\xff" + WHOLE[4:],
    "no labels": WHOLE[:4] + bytes(4) + WHOLE[8:],
    "2^32 - 1 labels": WHOLE[:4] + b"\xff" * 4 + WHOLE[8:],
    "one label less": WHOLE[:4] + (59_999).to_bytes(4, "big") + WHOLE[8:],
    "a label of 10": WHOLE[:9] + b"\x0a" + WHOLE[10:],
    "a label of 200": WHOLE[:-1] + b"\xc8",
    "one byte more": WHOLE + b"\0",
    "twice": WHOLE * 2,
    "little-endian": WHOLE[:4] + WHOLE[7:3:-1] + WHOLE[8:],
}
GZIPPED = {
    "empty": b"",
    "not gzip": WHOLE,
    "a web page": b"<html>" * 99,
    "header only": PACKED[:10],
    "half": PACKED[: len(PACKED) // 2],
    "without its end": PACKED[:-8],
    "a wrong CRC": PACKED[:-8] + b"\xff" * 4 + PACKED[-4:],
    "a wrong length": PACKED[:-4] + b"\xff" * 4,
    "two members": PACKED * 2,
    "a bomb": gzip.compress(bytes(20_000_000), mtime=0),
    "a bomb with a header": gzip.compress(WHOLE[:8] + bytes(20_000_000), mtime=0),
    "a label of 200": gzip.compress(WHOLE[:-1] + b"\xc8", mtime=0),
}


def main(folder):
    """Print a list of kind, seconds and message, as JSON; ``null`` for what was let in."""
    os.chdir(folder)
    cases = [(f"cut at {n}", NAME, WHOLE[:n]) for n in CUTS]
    cases += [(kind, NAME, content) for kind, content in PLAIN.items()]
    cases += [(f"gzip: {kind}", f"{NAME}.gz", content) for kind, content in GZIPPED.items()]
    print(json.dumps([refused(*case) for case in cases]))


def refused(kind, name, content):
    """What a file is refused with, and after how long."""
    Path(name).write_bytes(content)
    began, message = time.perf_counter(), None
    try:
        idx.read(Path(name), official.FILES[NAME])
    except StudyError as error:
        message = str(error)
    return [kind, time.perf_counter() - began, message]


if __name__ == "__main__":
    main(sys.argv[1])
