"""Ties the rooms together: Dagster definitions, the pipeline they run, and the `datainsight` command."""
