"""The version of the package, as its installation states it."""


def version() -> str:
    """The version in pyproject.toml, such as ``0.1.0``."""
    from importlib import metadata

    return metadata.version("study")
