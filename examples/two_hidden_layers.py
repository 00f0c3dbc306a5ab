"""A model of one's own for the comparison: an MLP with two hidden layers of one size.

``python -m study --model-file examples/two_hidden_layers.py --models mlp two-hidden-layers``
"""

from optuna.distributions import FloatDistribution, IntDistribution
from torch import Generator, Tensor, nn

from study import Model, linear_layer, register


class TwoHiddenLayers(nn.Module):
    """Two hidden ReLU layers: one logit a row, (B, inputs) → (B, 1)."""

    def __init__(
        self, hidden_units: int = 50, *, inputs: int = 784, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.first = linear_layer(inputs, hidden_units, generator)
        self.second = linear_layer(hidden_units, hidden_units, generator)
        self.output = linear_layer(hidden_units, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1."""
        return self.output(self.second(self.first(x).relu()).relu())


register(
    Model(
        name="two-hidden-layers",
        title="MLP with two hidden layers ({inputs} → hidden → hidden → 1)",
        factory=TwoHiddenLayers,
        target=0.015,
        space={
            "learning_rate": FloatDistribution(1e-5, 1, log=True),
            "hidden_units": IntDistribution(16, 128, log=True),
        },
        size_parameters=("hidden_units",),
        label="MLP with two hidden layers",
    )
)
