"""What every peer is asked to do, and how much arithmetic that is.

A peer is a module in ``benchmarks/peers`` with ``run(work) -> Done``. What stands before
its clock starts (imports, reading the images, building the models) is free for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from study.seeds import derive
from study.training.plan import Plan
from study.training.protocol import Protocol
from study.training.registry import Model, build, default_space, load_model_file, model_named
from study.training.space import Configuration, Space
from study.training.task import Planned, Task
from study.workers import Pool, Workers

if TYPE_CHECKING:
    from torch import nn

    from study.training.images import Images

HIDDEN_UNITS = 50
PIXELS = 784
N_VAL = 1791
FOLDED = ("linear", "mlp")  # what this package trains as wide products of fewer columns


def configuration(kind: Model, rate: float) -> Configuration:
    """What a trial trains: this learning rate, and a model of a fixed size."""
    return {"learning_rate": rate} | dict.fromkeys(kind.size_parameters, HIDDEN_UNITS)


@dataclass(frozen=True)
class Work:
    """Some trials to train."""

    model: str
    trials: tuple[tuple[int, float], ...]  # (number, learning rate)
    jobs: int  # processes or threads at once
    steps: int
    seed: int  # of batches, initial weights and sampler
    model_file: str | None = None  # that registers the model, where it is not the package's own
    device: str = "cpu"  # or cuda

    @property
    def kind(self) -> Model:
        """The kind of model, known to this process from now on."""
        if self.model_file:
            load_model_file(Path(self.model_file))
        return model_named(self.model)

    @property
    def protocol(self) -> Protocol:
        """The training of one trial."""
        return Protocol(steps=self.steps)

    @property
    def learning_rates(self) -> list[float]:
        """One a trial."""
        return [rate for _, rate in self.trials]

    @property
    def space(self) -> Space:
        """What the search samples: learning rates alone."""
        from optuna.distributions import IntDistribution

        sizes = self.kind.size_parameters
        fixed = {name: IntDistribution(HIDDEN_UNITS, HIDDEN_UNITS) for name in sizes}
        return default_space(self.kind) | fixed

    @property
    def plan(self) -> Plan:
        """The search of this model with the package's defaults."""
        return Plan(
            model=self.model,
            space=self.space,
            protocol=self.protocol,
            seed=self.seed,
            target=self.kind.target,
            device=self.device,
        )

    def members(self) -> list[nn.Module]:
        """A plain model a trial on the device, with the initial weights of its number."""
        kind = self.kind
        return [
            build(kind, configuration(kind, rate), seed=self._seed_of(number)).to(self.device)
            for number, rate in self.trials
        ]

    def _seed_of(self, number: int) -> int:
        return derive(self.seed, "weights", number)

    def images(self) -> Images:
        """The digit pair as tensors."""
        import torch

        from study import dataset
        from study.training.images import images_of

        return images_of(dataset.load(), torch.device(self.device))

    def cohorts(self, count: int) -> list[Task]:
        """The trials as so many cohorts; neighbouring learning rates go to different ones."""
        from study.training.loading import load_pair

        digest = load_pair(self.protocol, None).digest
        planned = [
            Planned(place, {}, configuration(self.kind, rate), self._seed_of(number), 0)
            for place, (number, rate) in enumerate(self.trials)
        ]
        return [
            Task(
                model=self.model,
                trials=planned[cohort::count],
                protocol=self.protocol,
                seed=self.seed,
                device=self.device,
                engine=self.plan.settled().engine,
                data_root=None,
                data_sha256=digest,
            )
            for cohort in range(count)
        ]

    @contextmanager
    def open(self) -> Iterator[Pool]:
        """Workers that have loaded everything: each has trained a cohort of a step."""
        from study.training.work import train_cohort

        files = (Path(self.model_file),) if self.model_file else ()
        rates = tuple((number, 0.01) for number in range(2 * self.jobs))
        tasks = replace(self, trials=rates, steps=1).cohorts(2 * self.jobs)
        with Workers(self.jobs, model_files=files).open([self.plan]) as pool:
            list(pool.results(train_cohort, tasks))
            yield pool


@dataclass(frozen=True)
class Done:
    """What a peer took, and what it found."""

    seconds: float  # for all trials, compiling not included
    val_errors: list[int]  # the lowest of each trial, in the trials' order
    compile_s: float = 0.0
    peak_bytes: int | None = None  # None: the child's own


class Absent(Exception):
    """A peer that is not installed."""


def gflop(model: str, steps: int, columns: int = PIXELS) -> float:
    """The useful arithmetic of one trial, 10⁹ multiplications and additions.

    A product of (B, D) and (D, H) counts 2·B·D·H. A step has, for the linear model, the
    product with the weights and the one with the gradient; for the MLP the same two of the
    hidden layer and three of the output layer (forward, its gradient, the gradient passed
    back). A validation has the forward products alone. 5,000 steps and 100 validations of
    784 pixels are 1.85 (linear) and 92.6 GFLOP (50 hidden units).

    Any other model's is counted by torch on the plain module, with all 784 pixels.

    Args:
        model: A registered name.
        steps: SGD updates.
        columns: D. The pixels, 784, for every peer alike; this package trains fewer, since it
            folds the pixels that are always equal into one.
    """
    protocol = Protocol(steps=steps)
    validated = len(protocol.validation_steps) * N_VAL  # images
    trained = steps * protocol.batch_size
    if model not in FOLDED:
        return _counted(model, trained, validated) / 1e9
    if model == "linear":
        return 2 * columns * (2 * trained + validated) / 1e9
    hidden = columns * HIDDEN_UNITS
    return (
        2 * (trained * (2 * hidden + 3 * HIDDEN_UNITS) + validated * (hidden + HIDDEN_UNITS)) / 1e9
    )


def _counted(model: str, trained: int, validated: int) -> float:
    """Multiplications and additions of so many images' training and validation."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    kind = model_named(model)
    module = build(kind, configuration(kind, 0.1), seed=0)
    with FlopCounterMode(display=False) as forward:
        logits = module(torch.zeros(1, PIXELS))
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    once = forward.get_total_flops()
    return trained * (once + backward.get_total_flops()) + validated * once
