"""The storage's tests, on real files."""
