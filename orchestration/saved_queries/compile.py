"""From a saved query to SQL: what MetricFlow makes of it for PostgreSQL, told in names that stay the same."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine


class SavedQueryCompiler:
    """Makes the statement of one saved query after the other.

    Args:
        semantic_manifest: The text of dbt's `semantic_manifest.json`.
    """

    def __init__(self, semantic_manifest: str) -> None:
        from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
        from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
            PydanticSemanticManifestTransformer,
        )

        self._manifest = PydanticSemanticManifestTransformer.transform(
            PydanticSemanticManifest.parse_raw(semantic_manifest)
        )
        self._engine = _engine(self._manifest)

    def sql(self, saved_query: str) -> str:
        """The SELECT of a saved query, its tables as `{{ ref(…) }}`, without semicolon or comments.

        Raises:
            InvalidQueryException: MetricFlow cannot combine its metrics and dimensions.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        request = MetricFlowQueryRequest.create(saved_query_name=saved_query)
        sql = str(self._engine.explain(request).sql_statement.sql)
        lines = [line for line in sql.splitlines() if line.strip() and not line.lstrip().startswith("--")]
        return self._with_references(_renumbered("\n".join(lines)))

    def _with_references(self, sql: str) -> str:
        for model in self._manifest.semantic_models:
            relation = model.node_relation
            sql = sql.replace(relation.relation_name, f"{{{{ ref('{relation.alias}') }}}}")
        # The one type that MetricFlow names itself; Spark calls it otherwise.
        return sql.replace("DOUBLE PRECISION", "{{ type_double() }}")


def _renumbered(sql: str) -> str:
    """MetricFlow numbers its aliases by a counter of the whole process; here they count from 1 in each statement."""
    known: dict[str, str] = {}

    def name(found: re.Match[str]) -> str:
        kind = "shared" if found.group().endswith("_cte") else "part"
        number = 1 + sum(other.startswith(kind) for other in known.values())
        return known.setdefault(found.group(), f"{kind}_{number}")

    return re.sub(r"\b(?:subq_\d+|[a-z]+_\d+_cte)\b", name, re.sub(r"\b(\w+)_src_\d+\b", r"\1", sql))


def _engine(manifest: Any) -> "MetricFlowEngine":
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class Renderer:
        """Tells MetricFlow the dialect; it is never asked to run anything."""

        sql_engine_type = SqlEngine.POSTGRES
        sql_plan_renderer = PostgresSQLSqlPlanRenderer()

    return MetricFlowEngine(SemanticManifestLookup(manifest), Renderer())
