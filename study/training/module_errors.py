"""One-line errors for a module that can't be trained, which name its layer."""

from traceback import walk_tb

from torch import nn

from study.errors import StudyError, is_memory


class Unsuitable(StudyError):
    """A module that can't be trained as a cohort."""


def unsuitable(module: nn.Module, words: str, name: str = "") -> Unsuitable:
    """The error that the layer with this parameter or buffer is unsuitable.

    Args:
        module: The whole module.
        words: What is wrong with the layer, and what would be right.
        name: Of the parameter or buffer, as ``state_dict`` has it; empty: the whole module.
    """
    path = name.rpartition(".")[0]
    layer = dict(module.named_modules()).get(path, module)
    return Unsuitable(f"{layer_name(path, layer)} {words}")


def error_of_call(module: nn.Module, error: Exception) -> Exception:
    """The one-line error for what a module's own code raised; ``error`` itself if it is known."""
    if isinstance(error, StudyError | OSError) or is_memory(error):
        return error
    return Unsuitable(
        f"{_innermost_layer(module, error)} fails with {one_line(error)}: must be a function of "
        "float32 tensors, (B, inputs) → (B, 1), that torch.func can take"
    )


def _innermost_layer(module: nn.Module, error: Exception) -> str:
    """The innermost layer in whose code the error was raised."""
    paths = {id(layer): path for path, layer in module.named_modules()}
    found = module
    for frame, _ in walk_tb(error.__traceback__):
        layer = frame.f_locals.get("self")
        found = layer if id(layer) in paths and isinstance(layer, nn.Module) else found
    return layer_name(paths[id(found)], found)


def layer_name(path: str, layer: nn.Module) -> str:
    """A layer by its path in the module, and by its class."""
    kind = type(layer).__name__
    return f"layer {path} ({kind})" if path else f"module {kind}"


def one_line(error: Exception) -> str:
    """The error's class and the first words of its message."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__} ({words[:200]})"
