"""A picture that one command writes, with a mark by which it knows its own file again."""

import hashlib
import zlib
from pathlib import Path

_SEAL, _END = 82, 12  # bytes of the package's text chunk, and of the last chunk of any PNG
_LARGEST = 2**26  # bytes, far more than a plot has
_COMMENTS = {"svg": b"<!-- study %b -->\n", "pdf": b"%% study %b\n"}


def sealed(picture: bytes, kind: str) -> bytes:
    """The picture with the SHA-256 of all before it: in a PNG a text chunk, else a comment.

    https://www.w3.org/TR/png/#11tEXt; a PDF may have comments after its last line.
    """
    if kind != "png":
        return picture + _COMMENTS[kind] % hashlib.sha256(picture).hexdigest().encode()
    image, end = picture[:-_END], picture[-_END:]
    chunk = b"tEXtstudy\0" + hashlib.sha256(image).hexdigest().encode()
    length, check = len(chunk) - 4, zlib.crc32(chunk)
    return image + length.to_bytes(4) + chunk + check.to_bytes(4) + end


def is_sealed(path: Path, kind: str) -> bool:
    """Whether a file is as :func:`sealed` made it."""
    if path.stat().st_size > _LARGEST:
        return False
    whole = path.read_bytes()
    if kind == "png":
        return whole == sealed(whole[: -_SEAL - _END] + whole[-_END:], kind)
    return whole == sealed(whole[: -len(_COMMENTS[kind] % (b"0" * 64))], kind)
