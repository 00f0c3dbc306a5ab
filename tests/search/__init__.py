"""The search: its command as a real process, on real data, in real SQLite files."""
