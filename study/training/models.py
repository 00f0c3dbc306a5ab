"""The two models: logistic regression and a multilayer perceptron."""

from typing import cast

from torch import Generator, Tensor, nn

PIXELS = 784


def linear_layer(n_in: int, n_out: int, generator: Generator | None) -> nn.Linear:
    """A layer with initial weights drawn as ``nn.Linear.reset_parameters`` draws them.

    Args:
        n_in: Inputs: (B, n_in) → (B, n_out).
        n_out: Outputs.
        generator: What draws them, first the weight (n_out, n_in), then the bias (n_out,), both
            uniform within ±1/√n_in; torch's global one where it is None.
    """
    layer = nn.Linear(n_in, n_out, device="meta").to_empty(device="cpu")
    bound = n_in**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


class SimpleLinear(nn.Module):
    """Logistic regression: one logit a row, (B, 784) → (B, 1)."""

    def __init__(self, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.linear = linear_layer(PIXELS, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, 784) → (B, 1)."""
        return cast(Tensor, self.linear(x))


class SimpleMLP(nn.Module):
    """One hidden ReLU layer: one logit a row, (B, 784) → (B, 1)."""

    def __init__(self, hidden_units: int = 50, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.hidden = linear_layer(PIXELS, hidden_units, generator)
        self.output = linear_layer(hidden_units, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, 784) → (B, 1)."""
        return cast(Tensor, self.output(self.hidden(x).relu()))
