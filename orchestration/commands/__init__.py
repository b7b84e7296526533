"""The `datainsight` command, one module per group of subcommands."""
