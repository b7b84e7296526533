"""A metric that a path names."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path

from serving.http.granted import is_granted
from serving.http.problems import ProblemError
from serving.http.state import State
from serving.identity.principal import Principal

NamedMetric = Annotated[str, Path(description="A name of GET /api/v1/metrics.", examples=["mrr"])]


def listed(state: State, reader: Principal, organization: str | None, metric: str) -> dict[str, Any]:
    """What is said of a metric.

    Raises:
        ProblemError: There is none of that name that the reader may ask for.
    """
    if is_granted(reader, metric):
        for known in state.metrics.list(organization):
            if known["name"] == metric:
                return known
    raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no metric {metric!r}", "GET /api/v1/metrics lists them")
