"""Kinds of models that the package does not know."""

import torch
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from torch import nn

from study.training.registry import Model


class Bottleneck(nn.Module):
    """784 → 4 → 1 with a tanh between."""

    def __init__(self, *, generator=None):
        super().__init__()
        self.inner, self.outer = nn.Linear(784, 4), nn.Linear(4, 1)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.03, 0.03, generator=generator)

    def forward(self, x):
        return self.outer(self.inner(x).tanh())


class Net(nn.Module):
    """D → 6 → 1, with a choice of activation, and a parameter that is named like a column."""

    def __init__(self, activation, step, *, inputs, generator=None):
        super().__init__()
        self.hidden, self.output = nn.Linear(inputs, 6), nn.Linear(6, 1)
        self.activation, self.scale = getattr(torch, activation), 1 / step
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.03, 0.03, generator=generator)

    def forward(self, x):
        return self.output(self.activation(self.hidden(x) * self.scale))


NET = Model(
    name="net",
    title="net ({inputs} → 6 → 1)",
    factory="tests.report.models:Net",
    generation=6,
    cohort=6,
    space={
        "learning_rate": FloatDistribution(1e-3, 0.5, log=True),
        "activation": CategoricalDistribution(("relu", "tanh")),
        "step": IntDistribution(1, 4),
        "momentum": FloatDistribution(0, 0.9),
        "weight_decay": FloatDistribution(1e-4, 1e-4),
    },
)  # without a target
