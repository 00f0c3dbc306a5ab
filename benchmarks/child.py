"""Runs one peer in a process of its own: ``python -m benchmarks.child`` reads a request.

A fresh process gives a peer its own peak memory, and no peer another's warm caches.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.work import Absent, Work

ROOT = Path(__file__).parents[1]
MISLEADING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # an older processor's halve its rate


class Failed(Exception):
    """A child that ended badly; the message is the last line that it wrote."""


def call(function: str, *args: object) -> Any:
    """``module:function`` of this package called in a new process, on JSON.

    Raises:
        Absent: The peer is not installed.
        Failed: It raised anything else.
    """
    request = json.dumps([function, [_plain(arg) for arg in args]])
    ended = subprocess.run(
        [sys.executable, "-m", __name__],
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in MISLEADING},
        input=request,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        print(ended.stderr, file=sys.stderr)
        raise Failed((ended.stderr.strip().splitlines() or ["no message"])[-1])
    answer = json.loads(ended.stdout.splitlines()[-1])
    if "absent" in answer:
        raise Absent(answer["absent"])
    return answer["done"]


def _plain(arg: object) -> object:
    return {"work": asdict(arg)} if isinstance(arg, Work) else arg


def _parsed(arg: Any) -> object:
    if not (isinstance(arg, dict) and "work" in arg):
        return arg
    work = Work(**arg["work"])
    return replace(work, trials=tuple((number, rate) for number, rate in work.trials))


def train(peer: str, work: Work) -> dict[str, Any]:
    """A peer's ``Done`` as a dictionary, with this process's peak memory where it has none."""
    from benchmarks.machine import peak_bytes

    done = import_module(f"benchmarks.peers.{peer}").run(work)
    return asdict(replace(done, peak_bytes=done.peak_bytes or peak_bytes()))


def main() -> None:
    """Answer the request on standard input with the last line of standard output."""
    function, args = json.load(sys.stdin)
    module, _, name = function.partition(":")
    try:
        done = getattr(import_module(f"benchmarks.{module}"), name)(*map(_parsed, args))
        print(json.dumps({"done": done}))
    except Absent as absent:
        print(json.dumps({"absent": str(absent)}))


if __name__ == "__main__":
    main()
