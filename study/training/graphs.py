"""How a cohort takes its steps: one by one or, on a CUDA device, many in one launch.

A step of a small cohort is some ten short kernels. Python needs longer to launch them than a GPU
to run them. A CUDA graph records the launches of many steps once and replays them in one launch.
Its rules are those of torch's note *CUDA semantics*, section *CUDA Graphs*.

Letters in the shape comments: K members, B images of a batch, D columns of an image, S steps.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import torch
from torch import Tensor

from study.training.cohorts import Cohort
from study.training.protocol import Protocol

LENGTH = 50  # steps of a graph, at most: recording takes as long as taking them one by one
Work = Callable[[], Tensor]
Rows = tuple[Tensor, ...]
Steps = Callable[[Rows, Rows], Tensor]
"""One step on each of S batches (B,) with their labels (B, 1) → the last logits, (B, K)."""


def steps_of(cohort: Cohort, protocol: Protocol) -> Steps:
    """The fastest way to take this cohort's steps; ask again after members leave."""
    one_by_one = OneByOne(cohort, protocol.batch_size)
    if cohort.inputs.device.type != "cuda":
        return one_by_one
    return Replayed(one_by_one, min(LENGTH, protocol.val_every))


class OneByOne:
    """Steps that Python launches one after the other."""

    def __init__(self, cohort: Cohort, batch_size: int) -> None:
        self.cohort = cohort
        self.x = cohort.inputs.new_empty(batch_size, cohort.inputs.shape[1])  # (B, D)

    def __call__(self, batches: Rows, labels: Rows) -> Tensor:
        """Take one step on each of the batches."""
        for batch, own in zip(batches, labels, strict=True):
            torch.index_select(self.cohort.inputs, 0, batch, out=self.x)
            logits = self.cohort.step(self.x, own)
        return logits


class Replayed:
    """Steps that are recorded once and replayed.

    The first call takes its steps one by one. They warm up the libraries at the cohort's present
    shapes, and show whether a step waits for the device; such a step can't be recorded. A graph
    keeps the addresses of the tensors that it was recorded with: a step changes weights in place,
    and batches are copied to where the graph reads them.

    Args:
        one_by_one: Takes the steps that are recorded, and those that no graph is for.
        length: Steps of a graph.
    """

    def __init__(self, one_by_one: OneByOne, length: int) -> None:
        self.one_by_one, self.length = one_by_one, length
        self.can_record: bool | None = None  # not known yet
        self.replay: Work | None = None

    def __call__(self, batches: Rows, labels: Rows) -> Tensor:
        """Take one step on each of the batches."""
        if self.can_record is None:
            with waiting() as waits:
                logits = self.one_by_one(batches, labels)
            self.can_record = not waits
            return logits
        for start in range(0, len(batches), self.length):
            part = slice(start, start + self.length)
            logits = self._part(batches[part], labels[part])
        return logits

    def _part(self, batches: Rows, labels: Rows) -> Tensor:
        """Take as many steps as the graph has, or fewer."""
        if len(batches) < self.length or not self.can_record:
            return self.one_by_one(batches, labels)
        if self.replay is None:
            self.batches, self.labels = torch.stack(batches), torch.stack(labels)
            rows = self.batches.unbind(), self.labels.unbind()
            self.replay = recorded(lambda: self.one_by_one(*rows))
            self.can_record = self.replay is not None
            return self._part(batches, labels)
        torch.stack(batches, out=self.batches)
        torch.stack(labels, out=self.labels)
        return self.replay()


def recorded(work: Work) -> Work | None:
    """Record the work without doing it; returns what does it, None where that is not possible.

    What the work returns has the same place in memory each time.
    """
    graph = torch.cuda.CUDAGraph()
    # this stream and no other: torch does not leave the one that a failed recording has entered
    stream = torch.cuda.current_stream()
    try:  # "thread_local": what other threads ask of the device can't make the recording fail
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            answer = work()
    except Exception:  # what is wrong with the steps themselves is raised when they are taken
        return None

    def replay() -> Tensor:
        graph.replay()
        return answer

    return replay


@contextmanager
def waiting() -> Iterator[list[warnings.WarningMessage]]:
    """Collects a warning for each time that Python waits for the CUDA device.

    To record such a step would fail. In torch before 2.13 that leaves its allocator and random
    numbers in the state of recording (pytorch/pytorch: issue 171263, pull request 180395).
    """
    with warnings.catch_warnings(record=True, action="always") as caught:
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield caught
        finally:
            torch.cuda.set_sync_debug_mode("default")


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """Train on a CUDA stream of its own, since graphs can't be recorded on the default one.

    One thread at a time: two would only wait for each other's launches, and what one of them does
    can't get into the other's graph.
    """
    if device.type != "cuda":
        yield
        return
    with _one_training:
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("default")
        stream = _stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))  # it may prepare the images still
        try:
            with torch.cuda.stream(stream):
                yield
        finally:
            stream.synchronize()  # the caller may free what the last steps read
            torch.cuda.set_sync_debug_mode(before)


_one_training = Lock()


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """One a device: for each stream that multiplies, torch keeps some megabytes."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
