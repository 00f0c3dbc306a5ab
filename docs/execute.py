"""Run the Python of Markdown pages as notebooks, and hold what it shows against the pages.

``python docs/execute.py docs/walkthrough.md`` fails where a page, or the notebook of its name
beside it, shows something else; ``--write`` updates both. Blocks of ``python`` run in order, in
an empty folder; what one prints or ends with stands in the block of ``text`` right after it, and
the picture that it draws in the image after that. Numbers may differ by a tenth, since the last
bits of float32 sums depend on the machine; of pictures it is only checked that they are there;
every other character must be the same.

jupytext makes the notebook of a page, nbclient runs it.
"""

import argparse
import os
import re
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```\n"
    r"(?:\n```text\n(?P<text>.*?)```\n)?"
    r"(?:\n!\[(?P<alt>[^\]]*)\]\((?P<picture>[^)]*)\)\n)?",
    re.DOTALL,
)
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
TOLERANCE = 0.1  # of the larger number
IPYKERNEL = "ipykernel.kernelbase"  # warns of itself when it ends
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(page: str) -> NotebookNode:
    """The page as a notebook that was not run: without what its Python showed."""
    source = BLOCK.sub(lambda block: f"```python\n{block['code']}```\n", page)
    found = jupytext.reads(source, fmt="md")
    found.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for place, cell in enumerate(found.cells):
        cell.id, cell.metadata = f"cell-{place}", {}  # the same in every run
    return found


def executed(page: str) -> NotebookNode:
    """The page as a notebook that was run in an empty folder; a warning is an error."""
    found = notebook(page)
    strict = {"PYTHONWARNINGS": f"error,ignore::PendingDeprecationWarning:{IPYKERNEL}"}
    quiet = {"TQDM_DISABLE": "1"}  # a bar is nothing to keep
    with TemporaryDirectory() as folder:
        NotebookClient(
            found,
            timeout=600,
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        ).execute(env=os.environ | strict | quiet)
    for cell, block in zip(code_cells(found), BLOCK.finditer(page), strict=True):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                output.metadata = {"image/png": {"alt": " ".join((block["alt"] or "").split())}}
    found.metadata["language_info"] = {"name": "python"}  # without a version
    return found


def code_cells(found: NotebookNode) -> list[NotebookNode]:
    """Those that are run."""
    return [cell for cell in found.cells if cell.cell_type == "code"]


def shown(cell: NotebookNode) -> str:
    """What a cell printed and ended with, as text; not its pictures."""
    parts = [
        output.text if output.output_type == "stream" else f"{output.data['text/plain']}\n"
        for output in cell.outputs
        if output.output_type == "stream" or "image/png" not in output.data
    ]
    return "".join(parts)


def pictures(cell: NotebookNode) -> list[bytes]:
    """The PNG files that a cell drew."""
    datas = [output.get("data", {}) for output in cell.outputs]
    return [b64decode(data["image/png"]) for data in datas if "image/png" in data]


def written(page: str, run: NotebookNode) -> str:
    """The page with what its notebook showed."""
    cells = iter(code_cells(run))

    def block(old: re.Match[str]) -> str:
        text = shown(next(cells))
        picture = f"\n![{old['alt']}]({old['picture']})\n" if old["picture"] else ""
        return (
            f"```python\n{old['code']}```\n"
            + (f"\n```text\n{text}```\n" if text else "")
            + picture
        )

    return BLOCK.sub(block, page)


def differences(page: str, run: NotebookNode) -> Iterator[str]:
    """What the page shows and its notebook does not, a line each."""
    for block, cell in zip(BLOCK.finditer(page), code_cells(run), strict=True):
        before, after = (block["text"] or "").splitlines(), shown(cell).splitlines()
        if len(pictures(cell)) != bool(block["picture"]):
            yield f"{len(pictures(cell))} pictures are drawn by: {block['code']}"
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


def stale(page: str, kept: NotebookNode) -> list[str]:
    """What a kept notebook has otherwise than its page, a line each."""
    sources = [[cell.source for cell in each.cells] for each in (notebook(page), kept)]
    if sources[0] != sources[1]:
        return ["the notebook has other cells than the page: write both with --write"]
    return list(differences(page, kept))


def main() -> int:
    """Run the pages; 1 where one shows something else than its Python does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true", help="put what is shown into the page")
    options = parser.parse_args()
    return max(run(path, write=options.write) for path in options.pages)


def run(path: Path, *, write: bool) -> int:
    """Run a page; 1 where it or its notebook shows something else, unless that is written."""
    page, kept = path.read_text(encoding="utf-8"), path.with_suffix(".ipynb")
    now = executed(page)
    if write:
        write_all(path, page, now)
        page = path.read_text(encoding="utf-8")
    found = list(differences(page, now))
    found += stale(page, nbformat.read(kept, 4)) if kept.exists() else []
    print("\n".join(found) or f"{path.name}: {len(code_cells(now))} blocks ran as shown")
    return 1 if found else 0


def write_all(path: Path, page: str, now: NotebookNode) -> None:
    """Write the page, its pictures, and its notebook where it has one."""
    path.write_text(written(page, now), encoding="utf-8")
    for block, cell in zip(BLOCK.finditer(page), code_cells(now), strict=True):
        for picture in pictures(cell)[: bool(block["picture"])]:
            (path.parent / block["picture"]).write_bytes(picture)
    kept = path.with_suffix(".ipynb")
    if kept.exists():
        nbformat.write(now, kept)


if __name__ == "__main__":
    sys.exit(main())
