"""The `Sql` that ima2 keeps its records in: SQLite, its migrations, and the kernel's own tables."""
