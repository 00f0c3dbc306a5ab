"""Loaded by a worker that is to be of another version: ``dask worker --preload``."""

from importlib import metadata

if metadata.version.__module__ != __name__:  # Dask loads it twice
    installed = metadata.version
    metadata.version = lambda name: "1.0" if name == "torch" else installed(name)
