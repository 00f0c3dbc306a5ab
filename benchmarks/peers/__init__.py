"""One module a peer: ``run(work) -> Done``."""
