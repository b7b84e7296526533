"""MetricFlow over one set of definitions: what metrics there are, and the SQL of a question. It never connects.

MetricFlow numbers its aliases by a counter of the whole process, so that one statement is made at a time.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serving.definitions import Definitions
from serving.names import GRAINS, METRIC_TIME, ORGANIZATION, ORGANIZATION_ID, Dimension, Names, unknown
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine

_METRICFLOW = threading.Lock()


@dataclass(frozen=True)
class Metric:
    """A metric as users see it.

    Attributes:
        type: `simple`, `ratio`, `derived`, `cumulative` or `conversion`.
        owner: Who answers for it, from the `meta` of its definition.
        unit: What it counts, from the same place.
        marts: The tables its measures are in.
        is_windowed: It looks at other times than those it is told by, so its time range must not cut its rows.
    """

    name: str
    label: str
    description: str
    type: str
    owner: str | None
    unit: str | None
    marts: frozenset[str]
    is_windowed: bool


class Catalog:
    """The metrics of one set of definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._names: dict[frozenset[str], Names] = {}
        self._models = {model["name"]: model for model in definitions.manifest["semantic_models"]}
        self._metric_definitions = {metric["name"]: metric for metric in definitions.manifest["metrics"]}

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """Every metric by name."""
        with _METRICFLOW:
            listed = self._engine.list_metrics(include_dimensions=False)
        return {metric.name: self._metric(metric) for metric in listed}

    def metric(self, name: str) -> Metric:
        """One metric.

        Raises:
            DataInsightError: There is none of that name.
        """
        if name not in self.metrics:
            raise unknown("metric", name, self.metrics.keys())
        return self.metrics[name]

    def names(self, metrics: Sequence[str]) -> Names:
        """What these metrics can be split by, all of them.

        Raises:
            DataInsightError: A metric does not exist.
        """
        wanted = frozenset(self.metric(name).name for name in metrics)
        if wanted not in self._names:
            # Together, metrics can be told by no finer time than the coarsest of them alone.
            grains = [self.names([name]).base_grain for name in wanted] if len(wanted) > 1 else []
            with _METRICFLOW:
                self._names[wanted] = self._common_names(sorted(wanted), grains)
        return self._names[wanted]

    def definition(self, name: str) -> dict[str, Any]:
        """How a metric is defined, as JSON values: type, inputs, measures with their marts, filter.

        Raises:
            DataInsightError: There is none of that name.
        """
        metric, defined = self.metric(name), self._metric_definitions[name]
        counted = {
            measure["name"]
            for one in self._with_inputs(name)
            for measure in one["type_params"].get("input_measures") or ()
        }
        return {
            "name": name,
            "type": metric.type,
            "description": metric.description,
            "expression": defined["type_params"].get("expr"),
            "inputs": [one["name"] for one in _inputs(defined)],
            "measures": [
                {
                    "name": measure["name"],
                    "aggregation": measure["agg"],
                    "expression": measure.get("expr") or measure["name"],
                    "mart": self.table_of(model),
                }
                for model, definition in self._models.items()
                for measure in definition["measures"]
                if measure["name"] in counted
            ],
            "filter": _filter_of(defined),
        }

    def table_of(self, model: str) -> str:
        """The mart a semantic model stands on."""
        return str(self._models[model]["node_relation"]["alias"])

    def sql(
        self,
        metrics: Sequence[str],
        group_by: Sequence[str],
        where: Sequence[str],
        between: tuple[date | None, date | None] = (None, None),
    ) -> str:
        """The DuckDB statement that MetricFlow makes of names and conditions, all of them ours.

        Raises:
            DataInsightError: MetricFlow cannot combine these metrics and dimensions.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import InvalidQueryException

        start, end = (None if day is None else datetime.combine(day, time()) for day in between)
        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics),
            group_by_names=list(group_by) or None,
            where_constraints=list(where) or None,
            time_constraint_start=start,
            time_constraint_end=end,
        )
        try:
            with _METRICFLOW:
                return str(self._engine.explain(request).sql_statement.sql)
        except InvalidQueryException as error:
            raise DataInsightError(
                f"{', '.join(metrics)} cannot be asked like this: {' '.join(str(error).split())[:300]}",
                hint="`datainsight metrics list` shows what each metric can be asked by",
            ) from error

    @cached_property
    def _engine(self) -> "MetricFlowEngine":
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
        from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
        from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
            PydanticSemanticManifestTransformer,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        class Renderer:
            """Tells MetricFlow the dialect; it is never asked to run anything."""

            sql_engine_type = SqlEngine.DUCKDB
            sql_plan_renderer = DuckDbSqlPlanRenderer()

        manifest = PydanticSemanticManifestTransformer.transform(
            PydanticSemanticManifest.parse_raw(self._definitions.text)
        )
        return MetricFlowEngine(SemanticManifestLookup(manifest), Renderer())

    def _common_names(self, metrics: list[str], grains: list[str]) -> Names:
        dimensions = []
        grains = list(grains)
        for found in self._engine.list_dimensions(metric_names=metrics):
            kind = found.type.value
            grain = found.type_params.time_granularity.value if found.type_params else None
            name = found.dunder_name.removesuffix(f"__{grain}")
            if name == METRIC_TIME:
                grains.append(str(grain))
            elif found.semantic_model_reference is not None:
                model = found.semantic_model_reference.semantic_model_name
                dimensions.append(Dimension(name, kind, model, found.expr or found.name, grain))
        for entity in self._engine.entities_for_metrics(metrics):
            model = entity.semantic_model_reference.semantic_model_name
            dimension = Dimension(entity.name, "entity", model, entity.expr or entity.name)
            if entity.name == ORGANIZATION_ID:
                dimension = replace(dimension, name=ORGANIZATION, defined_as=ORGANIZATION_ID)
            elif entity.name == ORGANIZATION:
                continue
            dimensions.append(dimension)
        return Names(metrics, dimensions, max(grains, key=GRAINS.index, default=GRAINS[0]))

    def _metric(self, found: Any) -> Metric:
        meta = ((self._metric_definitions[found.name].get("config") or {}).get("meta")) or {}
        with _METRICFLOW:
            models = [model.semantic_model_name for model in found.semantic_models]
        tree = list(self._with_inputs(found.name))
        return Metric(
            name=found.name,
            label=found.label or found.name,
            description=found.description or "",
            type=found.type.value,
            owner=meta.get("owner"),
            unit=meta.get("unit"),
            marts=frozenset(self.table_of(model) for model in models),
            is_windowed=any(_looks_elsewhere(metric) for metric in tree),
        )

    def _with_inputs(self, name: str) -> Iterator[dict[str, Any]]:
        """A metric's definition and those of all metrics it is computed from."""
        metric = self._metric_definitions[name]
        yield metric
        for one in _inputs(metric):
            yield from self._with_inputs(one["name"])


def _inputs(metric: dict[str, Any]) -> list[dict[str, Any]]:
    params = metric["type_params"]
    given = [*(params.get("metrics") or ()), params.get("numerator"), params.get("denominator")]
    return [one for one in given if one is not None]


def _filter_of(metric: dict[str, Any]) -> str | None:
    found = (metric.get("filter") or {}).get("where_filters") or ()
    return " and ".join(one["where_sql_template"].strip() for one in found) or None


def _looks_elsewhere(metric: dict[str, Any]) -> bool:
    inputs = metric["type_params"].get("metrics") or ()
    return metric["type"] in ("cumulative", "conversion") or any(
        one.get("offset_window") or one.get("offset_to_grain") for one in inputs
    )
