"""Run the Python of Markdown pages, and hold what it prints against what the pages show.

``python docs/execute.py docs/models.md`` fails where they differ; ``--write`` updates the
page. Blocks of ``python`` run in order, in one namespace and in the page's folder; what one
prints stands in the block of ``text`` right after it. Numbers may differ by a tenth, since the
last bits of float32 sums depend on the machine; every other character must be the same.
"""

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
TOLERANCE = 0.1  # of the larger number


def executed(page: str) -> str:
    """The page with what its Python prints now."""
    namespace: dict[str, object] = {"__name__": "__page__"}

    def run(block: re.Match[str]) -> str:
        printed = io.StringIO()
        line = page.count("\n", 0, block.start()) + 1
        with contextlib.redirect_stdout(printed):
            code = compile("\n" * line + block[1], "page", "exec")  # tracebacks name its lines
            exec(code, namespace)
        shown = f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else ""
        return f"```python\n{block[1]}```\n{shown}"

    return BLOCK.sub(run, page)


def differences(page: str, now: str) -> Iterator[str]:
    """What the page shows and its Python no longer prints, a line each."""
    for old, new in zip(BLOCK.finditer(page), BLOCK.finditer(now), strict=True):
        before, after = ((block[2] or "").splitlines() for block in (old, new))
        if len(before) != len(after):
            yield f"{len(before)} lines are shown, {len(after)} are printed: {after[:1]}"
            continue
        yield from (
            f"shown: {a}\n  now: {b}"
            for a, b in zip(before, after, strict=True)
            if not alike(a, b)
        )


def alike(shown: str, printed: str) -> bool:
    """Whether two lines differ in nothing but numbers that are close."""
    if NUMBER.sub("#", shown) != NUMBER.sub("#", printed):
        return False
    pairs = zip(_numbers(shown), _numbers(printed), strict=True)
    return all(abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in pairs)


def _numbers(line: str) -> list[float]:
    return [float(text.replace(",", "")) for text in NUMBER.findall(line)]


def main() -> int:
    """Run the pages; 1 where one shows something else than its Python prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true", help="put what is printed into the page")
    options = parser.parse_args()
    paths = [page.resolve() for page in options.pages]
    return max(run(path, write=options.write) for path in paths)


def run(path: Path, *, write: bool) -> int:
    """Run a page in its folder; 1 where it shows something else, unless that is written."""
    page = path.read_text(encoding="utf-8")
    os.chdir(path.parent)
    now = executed(page)
    if write:
        path.write_text(now, encoding="utf-8")
        return 0
    found = list(differences(page, now))
    print("\n".join(found) or f"{path.name}: {len(BLOCK.findall(page))} blocks ran as shown")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
