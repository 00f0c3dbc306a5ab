"""What the package is tested against: a real fault a test, and how often, row by row."""
