"""CUDA graphs on the CPU: what torch.cuda's do to a cohort's tensors, without a GPU."""

import warnings
from contextlib import contextmanager

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Graph(TorchDispatchMode):
    """Records the operators of a work, each with the tensors that it was called with.

    As a CUDA graph does, it leaves all tensors as they were; a replay calls the operators again,
    which read and write the recorded tensors, whatever Python's names refer to by then.
    """

    def __init__(self):
        super().__init__()
        self.calls, self.written, self.replays = [], [], 0
        self.refused = lambda operator: False

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self.refused(operator):
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
        given = {a.name: value for a, value in zip(operator._schema.arguments, args, strict=False)}
        for argument in operator._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write:
                tensor = (given | kwargs)[argument.name]
                self.written.append((tensor, tensor.clone()))
        answer = operator(*args, **kwargs)
        self.calls.append((operator, args, kwargs, answer))
        return answer

    def undo(self):
        for tensor, before in reversed(self.written):
            tensor.copy_(before)
        self.written.clear()

    @torch.no_grad()
    def replay(self):
        self.replays += 1
        for operator, args, kwargs, answer in self.calls:
            again = operator(*args, **kwargs)
            for old, new in zip(tree_leaves(answer), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Cuda:
    """Takes the place of what ``study.training.graphs`` calls in ``torch.cuda``.

    Attributes:
        graphs: Those that were begun, in order.
        waits: Whether a step is to wait for the device.
        refused: Which operators can't be recorded.
    """

    def __init__(self, monkeypatch):
        self.graphs, self.modes, self.waits = [], [], False
        self.refused = lambda operator: False
        for name in ("CUDAGraph", "graph", "set_sync_debug_mode", "current_stream"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))

    def CUDAGraph(self):
        self.graphs.append(Graph())
        self.graphs[-1].refused = self.refused
        return self.graphs[-1]

    @contextmanager
    def graph(self, graph, *, stream, capture_error_mode):
        assert (stream, capture_error_mode) == ("the current stream", "thread_local")
        with torch.no_grad():
            try:
                with graph:
                    yield
            finally:
                graph.undo()

    def set_sync_debug_mode(self, mode):
        self.modes.append(mode)
        if mode == "warn" and self.waits:
            warnings.warn("called a synchronizing CUDA operation", stacklevel=2)

    def current_stream(self, device=None):
        return "the current stream"

    @property
    def replays(self):
        return [graph.replays for graph in self.graphs]
