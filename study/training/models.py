"""The two models, from pixels to a logit: logistic regression and a multilayer perceptron.

Letters in the shape comments: B images of a batch, D columns of an image, H hidden units. An image
is a row of D = 784 normalised pixels (a table's row has as many as the table), and a model answers
each with one logit: class 1 where it is positive.
"""

from typing import cast

from torch import Generator, Tensor, nn

PIXELS = 784  # 28 × 28


class SimpleLinear(nn.Module):
    """Logistic regression: z = x·w + b, with w (D,) and b (1,)."""

    def __init__(self, *, inputs: int = PIXELS, generator: Generator | None = None) -> None:
        super().__init__()
        self.linear = linear_layer(inputs, 1, generator)  # weight (1, D), bias (1,)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, D) → (B, 1)."""
        return cast(Tensor, self.linear(x))


class SimpleMLP(nn.Module):
    """One hidden layer: z = relu(x·Wᵀ + b)·v + c, with W (H, D), b and v (H,), c (1,)."""

    def __init__(
        self,
        hidden_units: int = 50,
        *,
        inputs: int = PIXELS,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.hidden = linear_layer(inputs, hidden_units, generator)  # weight (H, D), bias (H,)
        self.output = linear_layer(hidden_units, 1, generator)  # weight (1, H), bias (1,)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of class 1, (B, D) → (B, 1)."""
        hidden = self.hidden(x).relu()  # (B, H)
        return cast(Tensor, self.output(hidden))


def linear_layer(n_in: int, n_out: int, generator: Generator | None) -> nn.Linear:
    """``nn.Linear(n_in, n_out)``, whose initial weights this generator draws.

    Args:
        n_in: Inputs: (B, n_in) → (B, n_out).
        n_out: Outputs.
        generator: Draws first the weight (n_out, n_in), then the bias (n_out,), both uniformly
            within ±1/√n_in, as ``nn.Linear`` does; None takes torch's global generator.
    """
    layer = nn.Linear(n_in, n_out, device="meta").to_empty(device="cpu")  # draws nothing yet
    bound = n_in**-0.5
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer
