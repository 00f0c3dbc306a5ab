"""Everything that is particular to a PostgreSQL server."""
