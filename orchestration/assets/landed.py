"""One asset per landed table, from one factory for every source; the work is the connectors'."""

from collections.abc import Iterator
from typing import Any

from dagster import AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from connectors.source import SourceConfig
from orchestration.assets.keys import file_key, landed_key
from orchestration.pipeline import Pipeline
from warehouse.ledger import Batch, list_batches

OWNER = "team:data-engineering"


def build_file_specs(source: SourceConfig) -> list[AssetSpec]:
    """What lies outside the platform: the files behind each table."""
    return [
        AssetSpec(
            file_key(source.name, table),
            group_name="sources",
            owners=[OWNER],
            kinds={"file"},
            description=f"The files behind {source.name}.{table}, as {source.kind} source {source.name} finds them.",
        )
        for table in source.tables
    ]


def build_landed_assets(source: SourceConfig) -> AssetsDefinition:
    """The landed tables of one source, written by one load."""
    specs = [
        AssetSpec(
            landed_key(source.name, table),
            deps=[file_key(source.name, table)],
            group_name="landed",
            owners=[OWNER],
            kinds={"dlt", "postgres"},
            description=f"Every version of every row of {source.name}.{table} ever landed; append-only.",
        )
        for table in source.tables
    ]

    @multi_asset(
        name=f"land_{source.name}",
        specs=specs,
        required_resource_keys={"pipeline"},
        description=f"Lands what is new in source {source.name}.",
    )
    def land_source(context: AssetExecutionContext) -> Iterator[MaterializeResult[None]]:
        from connectors.landing import land

        pipeline: Pipeline = context.resources.pipeline
        with pipeline.report.stage(f"land {source.name}", f"landing {source.name}"):
            batch_ids = land(
                pipeline.source(source.name),
                pipeline.warehouse,
                pipeline.settings.home,
                full_refresh=pipeline.full_refresh,
            )
        pipeline.report.batch_ids.update(batch_ids)
        with pipeline.warehouse.engine().connect() as connection:
            batches = list_batches(connection, batch_ids=batch_ids)
        for table in source.tables:
            of_table = [batch for batch in batches if batch.table_name == table]
            yield MaterializeResult(asset_key=landed_key(source.name, table), metadata=_metadata(of_table))

    return land_source


def _metadata(batches: list[Batch]) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": sum(batch.row_count for batch in batches),
        "batches": [batch.batch_id for batch in batches],
        "load_ids": sorted({batch.load_id for batch in batches if batch.load_id}),
    }
