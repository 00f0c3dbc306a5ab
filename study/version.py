"""The versions of the package and its libraries, as their installations state them."""

LIBRARIES = ("study", "numpy", "optuna", "torch")  # whose versions a manifest has


def version() -> str:
    """The version in pyproject.toml, such as ``0.1.0``."""
    from importlib import metadata

    return metadata.version("study")


def versions() -> dict[str, str]:
    """The versions that a result's bits depend on."""
    from importlib import metadata

    return {name: metadata.version(name) for name in LIBRARIES}
