"""How the things of the platform are called in Dagster's asset graph."""

from dagster import AssetKey

METRIC_STORE = AssetKey("metric_store")


def file_key(source: str, table: str) -> AssetKey:
    """The files that a table is read from."""
    return AssetKey(["files", source, table])


def landed_key(source: str, table: str) -> AssetKey:
    """The landed table `raw_<source>.<table>`."""
    return AssetKey([f"raw_{source}", table])
