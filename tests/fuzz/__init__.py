"""Random input: taken, or refused in one line."""
