"""All tests; a package, or one that another distribution calls `tests` is imported instead."""
