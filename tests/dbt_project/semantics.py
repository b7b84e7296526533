"""What the parsed project says about its metrics: which dimensions each can be asked by."""

from typing import Any

Manifest = dict[str, Any]


def measures_of(metric: dict[str, Any], metrics: dict[str, dict[str, Any]]) -> set[str]:
    """The measures a metric stands on, through the metrics it is made of."""
    parameters = metric["type_params"]
    inputs = [*(parameters["metrics"] or []), parameters["numerator"], parameters["denominator"]]
    found = {parameters["measure"]["name"]} if parameters["measure"] else set()
    return found.union(*(measures_of(metrics[i["name"]], metrics) for i in inputs if i))


def dimensions_of(model: dict[str, Any], models: list[dict[str, Any]]) -> set[str]:
    """The dimensions of a semantic model and of those its entities lead to, by MetricFlow's names."""
    primary = {entity["name"]: other for other in models for entity in other["entities"] if entity["type"] == "primary"}
    reachable = [(model["primary_entity"] or _primary(model), model)]
    # An id alone, such as the organization's, leads to no model.
    foreign = [entity["name"] for entity in model["entities"] if entity["type"] == "foreign"]
    reachable += [(name, primary[name]) for name in foreign if name in primary]
    return {
        f"{entity}__{dimension['name']}"
        for entity, owner in reachable
        for dimension in owner["dimensions"]
        if dimension["type"] == "categorical"
    }


def dimensions_by_metric(manifest: Manifest) -> dict[str, set[str]]:
    """The dimensions every measure of a metric can be asked by, for each metric."""
    metrics = {metric["name"]: metric for metric in manifest["metrics"]}
    models = manifest["semantic_models"]
    by_measure = {m["name"]: dimensions_of(model, models) for model in models for m in model["measures"]}
    return {
        name: set.intersection(*(by_measure[measure] for measure in measures_of(metric, metrics)))
        for name, metric in metrics.items()
    }


def _primary(model: dict[str, Any]) -> str | None:
    return next((entity["name"] for entity in model["entities"] if entity["type"] == "primary"), None)
