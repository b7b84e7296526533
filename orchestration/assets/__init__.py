"""The asset graph: source files, landed tables, dbt models, metric store."""
