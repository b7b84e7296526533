"""The kind `database`: tables and queries of SQL databases, read as Arrow; one small module per engine."""
