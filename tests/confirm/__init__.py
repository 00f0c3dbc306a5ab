"""The confirmation: its command as a real process, its units, and every number recomputed."""
