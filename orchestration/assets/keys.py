"""How the things of the platform are called in Dagster's asset graph."""

from dagster import AssetKey

METRIC_STORE = AssetKey("metric_store")


# What a source lands besides the tables it names; no table's own name begins with an underscore.
FOUND = "_found"


def origin_key(kind: str, source: str, table: str) -> AssetKey:
    """What a table is read from, outside the platform: files, a table of a database, an endpoint, a stream."""
    return AssetKey(["files" if kind == "demo" else kind, source, table])


def landed_key(source: str, table: str) -> AssetKey:
    """The landed table `raw_<source>.<table>`."""
    return AssetKey([f"raw_{source}", table])
