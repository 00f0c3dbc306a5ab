"""Studies of many people on one page: ``study collect FOLDER``."""
