"""What the tests of all folders share: commands, children, plans and what a storage holds."""
