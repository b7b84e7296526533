"""The kind `singer`: any Singer tap, run in an environment of its own, its messages turned into typed Arrow batches."""
