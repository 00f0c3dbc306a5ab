"""Many pairs in one storage, on one page."""
