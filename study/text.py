"""Clean all text that is printed, logged, or put into an error.

Names, manifests and error texts come from files and databases. A control character in them
could control a terminal or forge a line, and a mistyped URL would show its password.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterable
from itertools import islice
from types import TracebackType
from typing import TextIO

# A password begins at a colon that does not begin "://", and ends at the last @ after it
_COLON = re.compile(r"(?i):(?!//)|%3a")
_COLON_IN_WORDS = re.compile(r"(?i):(?!//|\s)|%3a")  # nor one that ends a word
_AT = re.compile(r"(?<=\S)(?:@|＠|%40)(?=\S)")
_OF_URL = re.compile(r"(://[^\s/@:]*:)[^/]{0,99}(?=@)")  # in words, where a space may stand in it
_NAMED = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase|code)?|pwd|pw|token|secret|auth|api_?key)(?:[_-]\w{1,20})?[\"']?(?:=|%3d))"
    r"(\"[^\"]*\"|'[^']*'|[^&;]*)"
)
_POWER = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_IN_ASCII = {"−": "-", "≤": "<=", "≥": ">=", "→": "->"}
_LONGEST, _MOST = 100, 1000  # letters of a word that is compared with others, and their number
_NAMED_IN_WORDS = re.compile(_NAMED.pattern.replace("[^&;]*", r"[^&;,\s'\"]*"))


def visible(text: str) -> str:
    r"""``text`` with an escape such as ``\x1b`` for each character that could change a line.

    Letters, signs and spaces of every script stay. Control characters, characters that set the
    direction of writing or have no width, line separators and lone surrogates become escapes.
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )


def shown(value: object) -> object:
    """A value as a page's template writes it: :func:`visible`, if it is text and no markup.

    Line breaks stay, since they do no harm in a page.
    """
    return "\n".join(map(visible, value.split("\n"))) if type(value) is str else value


def hidden(url: str) -> str:
    """``url``, or a path that may be a mistyped one, with every password replaced by ``***``."""
    return _NAMED.sub(r"\1***", _without_password(url, _COLON))


def clean(text: str) -> str:
    """One line of text as it may be shown: :func:`visible`, with the passwords of URLs hidden."""
    parts = _OF_URL.sub(r"\1***", text).split(": ")
    parts = [_without_password(part, _COLON_IN_WORDS) for part in parts]
    return visible(_NAMED_IN_WORDS.sub(r"\1***", ": ".join(parts)))


def _without_password(text: str, colon: re.Pattern[str]) -> str:
    end = max((at.start() for at in _AT.finditer(text)), default=-1)
    start = colon.search(text, 0, max(end, 0))
    return text if start is None else f"{text[: start.end()]}***{text[end:]}"


def one_line(text: str) -> str:
    """:func:`clean` on one line: the error of a library may have several lines."""
    return clean(" ".join(line.strip() for line in text.splitlines()))


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """``did you mean mlp?``: the known word that is nearest; ``otherwise`` where none is near."""
    from difflib import get_close_matches

    words = {each.lower(): each for each in islice(known, _MOST)}
    near = get_close_matches(word[:_LONGEST].lower(), words, 1)
    return f"did you mean {words[near[0]]}?" if near else otherwise


def say(*lines: str, file: TextIO | None = None, flush: bool = False) -> None:
    """Print each line, cleaned; on standard output if ``file`` is not given."""
    for line in lines:
        print(clean(line), file=file, flush=flush)


def in_ascii(error: UnicodeError) -> tuple[str, int]:
    """What stands for a sign that a stream's encoding lacks: ``<=``, ``10^-5``, else ``?``.

    A handler for ``codecs.register_error``. On Windows the output of a command that goes to a
    file or a program has the letters of one language alone.
    """
    assert isinstance(error, UnicodeEncodeError)
    if power := _POWER.match(error.object, error.start):
        digits = unicodedata.normalize("NFKC", power[0]).replace("−", "-")
        return f"^{digits}", power.end()
    return _IN_ASCII.get(error.object[error.start], "?"), error.start + 1


def complain(error: object) -> None:
    """Print an error on standard error, as one line."""
    say(f"study: {one_line(str(error))}", file=sys.stderr)


class Formatter(logging.Formatter):
    """A record of the log as one line; with its traceback, as several."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines, each cleaned."""
        return "\n".join(map(clean, super().format(record).splitlines()))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The message alone, on one line."""
        return one_line(super().formatMessage(record))


def show_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """A hook for ``sys.excepthook``: the traceback as Python prints it, each line cleaned."""
    whole = "".join(traceback.format_exception(kind, error, trace))
    say(*whole.splitlines(), file=sys.stderr)
