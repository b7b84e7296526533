"""From saved queries to dbt models: the SQL of each beside its definition, and the YAML that documents its columns."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from orchestration.dbt import PROJECT
from orchestration.saved_queries.compile import SavedQueryCompiler

FOLDER = PROJECT / "models" / "metrics"
RENEW = "python -m orchestration.saved_queries"

_METRIC_TIME = re.compile(r"TimeDimension\('metric_time', *'(\w+)'\)")
_ENTITY = re.compile(r"Entity\('(\w+)'\)")

# A time is called as in dim_dates, so that the calendar joins by the same name.
_TIMES = {
    "day": ("date_day", "The day, in UTC."),
    "month": ("month_start_date", "The month, by its first day."),
}
_ENTITIES = {"organization_id": "The organization; `(unknown)` for rows that name none."}


def make_models(manifest: dict[str, Any], semantic_manifest: str) -> dict[str, str]:
    """The text of each file by its place under `models/metrics`; equal for equal definitions.

    Args:
        manifest: dbt's manifest.
        semantic_manifest: The text of dbt's semantic manifest.
    """
    compiler = SavedQueryCompiler(semantic_manifest)
    metrics = {metric["name"]: metric for metric in manifest["metrics"].values()}
    files: dict[str, str] = {}
    described: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for query in sorted(manifest["saved_queries"].values(), key=lambda one: one["name"]):
        source = query["fqn"][2]
        files[f"{source}/{query['name']}.sql"] = _sql(query, compiler.sql(query["name"]))
        described[source].append(_description(query, metrics))
    for source, models in described.items():
        files[f"{source}/_{source}__metrics_models.yml"] = _yaml(models)
    return files


def _sql(query: dict[str, Any], answers: str) -> str:
    names = [f"    {_selected(asked)}" for asked in query["query_params"]["group_by"]]
    names += [f"    {metric}" for metric in query["query_params"]["metrics"]]
    return "\n".join(
        [
            f"-- Made by `{RENEW}` from the saved query of this name; changes here are lost.",
            "-- noqa: disable=all",
            "with answers as (",
            *(f"    {line}" for line in answers.splitlines()),
            "),",
            "",
            "final as (",
            "    select",
            ",\n".join(f"    {name}" for name in names),
            "    from answers",
            ")",
            "",
            "select * from final",
            "",
        ]
    )


def _selected(asked: str) -> str:
    found = _METRIC_TIME.fullmatch(asked)
    if found is None:
        return _column(asked)[0]
    return f"cast(metric_time__{found.group(1)} as date) as {_column(asked)[0]}"


def _column(asked: str) -> tuple[str, str]:
    """The name and the description of the column of one `group_by`."""
    found = _METRIC_TIME.fullmatch(asked)
    if found is not None:
        return _TIMES[found.group(1)]
    entity = _ENTITY.fullmatch(asked)
    if entity is None:
        raise ValueError(f"a saved query is grouped by metric_time and entities, not by {asked}")
    return entity.group(1), _ENTITIES[entity.group(1)]


def _description(query: dict[str, Any], metrics: dict[str, dict[str, Any]]) -> dict[str, Any]:
    columns = [_column(asked) for asked in query["query_params"]["group_by"]]
    for name in query["query_params"]["metrics"]:
        metric = metrics[name]
        columns.append((name, f"{metric['label']}. {' '.join(metric['description'].split())}"))
    return {
        "name": query["name"],
        "description": " ".join(query["description"].split()),
        "config": {"meta": dict(query["config"]["meta"])},
        "columns": [{"name": name, "description": said} for name, said in columns],
    }


def _yaml(models: Iterable[dict[str, Any]]) -> str:
    """Every value as JSON, which YAML is a superset of: nothing needs to be known about its quoting."""
    lines = [
        f"# Made by `{RENEW}` from the saved queries beside it; changes here are lost.",
        "version: 2",
        "",
        "models:",
    ]
    for model in models:
        lines += [
            f"  - name: {model['name']}",
            f"    description: {_quoted(model['description'])}",
            f"    config: {_quoted(model['config'])}",
            "    columns:",
            *(f"      - {_quoted(column)}" for column in model["columns"]),
        ]
    return "\n".join([*lines, ""])


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
