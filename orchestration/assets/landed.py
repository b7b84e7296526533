"""One asset per landed table, from one factory for every source; the work is the connectors'."""

from collections.abc import Iterator
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from connectors.source import SourceConfig
from orchestration.assets.keys import FOUND, landed_key, origin_key
from orchestration.pipeline import Pipeline
from warehouse.ledger import Batch, list_batches

OWNER = "team:data-engineering"
# Every source lands and is judged before models are built, also one that no model reads yet: a snapshot says which
# admissions it stands on.
FIRST = {"dagster/priority": "1"}


_ORIGINS = {
    "database": "The table or query of the database",
    "demo": "The files",
    "files": "The files",
    "platform": "What the HTTP API took in",
    "python": "What the module yields",
    "rest": "The endpoint of the API",
    "singer": "The stream of the tap",
}


def landed_tables(source: SourceConfig) -> list[str]:
    """The names under which a source's landed tables are known in Dagster."""
    return [*source.tables, *([FOUND] if source.open_ended else [])]


def batches_of(source: SourceConfig, table: str, batches: list[Batch]) -> list[Batch]:
    """Those of `batches` that belong to a name of `landed_tables`."""
    if table == FOUND:
        return [batch for batch in batches if batch.table_name not in source.tables]
    return [batch for batch in batches if batch.table_name == table]


def build_origin_specs(source: SourceConfig) -> list[AssetSpec]:
    """What lies outside the platform, behind each table."""
    what = _ORIGINS.get(source.kind, "What lies")
    return [
        AssetSpec(
            origin_key(source.kind, source.name, table),
            group_name="sources",
            owners=[OWNER],
            kinds={"file" if source.kind in {"files", "demo"} else source.kind},
            description=f"{what} behind {source.name}.{table}, as {source.kind} source {source.name} finds it.",
        )
        for table in landed_tables(source)
    ]


def build_landed_assets(source: SourceConfig) -> AssetsDefinition:
    """The landed tables of one source, written by one load."""
    specs = [
        AssetSpec(
            landed_key(source.name, table),
            deps=[origin_key(source.kind, source.name, table)],
            group_name="landed",
            owners=[OWNER],
            kinds={"dlt", "postgres"},
            description=f"Every version of every row of {source.name}.{table} ever landed; append-only."
            if table != FOUND
            else f"The tables of {source.name} that are found by pattern, every version of every row; append-only.",
        )
        for table in landed_tables(source)
    ]

    @multi_asset(
        name=f"land_{source.name}",
        specs=specs,
        required_resource_keys={"pipeline"},
        op_tags=FIRST,
        description=f"Lands what is new in source {source.name}.",
    )
    def land_source(context: AssetExecutionContext) -> Iterator[MaterializeResult[None]]:
        pipeline: Pipeline = context.resources.pipeline
        with pipeline.report.stage(f"land {source.name}", f"landing {source.name}"):
            batch_ids = pipeline.land(source.name)
        pipeline.report.batch_ids.update(batch_ids)
        with pipeline.warehouse.engine().connect() as connection:
            batches = list_batches(connection, batch_ids=batch_ids)
        for table in landed_tables(source):
            of_table = batches_of(source, table, batches)
            yield MaterializeResult(asset_key=landed_key(source.name, table), metadata=_metadata(of_table))

    return land_source


def _metadata(batches: list[Batch]) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": sum(batch.row_count for batch in batches),
        "batches": [batch.batch_id for batch in batches],
        "load_ids": sorted({batch.load_id for batch in batches if batch.load_id}),
    }
