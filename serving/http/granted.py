"""What credentials leave of a question: here, those for some metrics or some rows alone are held to it."""

from http import HTTPStatus

from serving.http.problems import ProblemError
from serving.identity.principal import Principal
from serving.query import ComposedQuery, MetricQuery


def granted(reader: Principal, query: MetricQuery) -> MetricQuery:
    """The question that is answered when somebody asks this one.

    Raises:
        ProblemError: Their credentials are for other metrics.
    """
    if isinstance(query, ComposedQuery):
        query = query.simplest
    if not all(is_granted(reader, metric) for metric in query.metrics):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "this token asks for the metrics that it was made for alone",
            f"they are {', '.join(sorted(reader.only_metrics or ())) or 'none'}",
        )
    return query.model_copy(update={"filters": query.filters + reader.filters}) if reader.filters else query


def is_granted(reader: Principal, metric: str) -> bool:
    """Whether somebody's credentials are for a metric, whether there is one or not."""
    return reader.only_metrics is None or metric in reader.only_metrics
