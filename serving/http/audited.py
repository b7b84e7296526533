"""What an operator sees of others is written down before it is seen."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from serving.http.access import principal_of
from serving.http.requests import request_id_of
from serving.http.state import State, state_of
from serving.identity.audit import write_down
from serving.identity.principal import Principal
from serving.query import MetricQuery
from warehouse.database import API


class Looked:
    """A dependency: what an operator looks at of others is written down before they see it.

    Args:
        action: What is done, as `keys.list`.
    """

    def __init__(self, action: str) -> None:
        self.action = action

    def __call__(
        self,
        request: Request,
        state: Annotated[State, Depends(state_of)],
        reader: Annotated[Principal, Depends(principal_of)],
    ) -> None:
        """Write it down: whose it is as far as the request says it, and which it is."""
        if reader.is_operator:
            named = dict(request.path_params)
            organization = named.pop("organization_id", request.query_params.get("organization"))
            with state.warehouse.engine(API).begin() as connection:
                write_down(
                    connection,
                    reader.subject,
                    self.action,
                    organization_id=organization,
                    details=named,
                    request_id=request_id_of(request),
                )


async def audited(
    request: Request,
    state: State,
    reader: Principal,
    organization: str | None,
    queries: Sequence[MetricQuery],
    action: str = "metrics.query",
) -> None:
    """Write down the questions of an operator, each in a row of its own; those of others are their own business.

    Args:
        request: The request they come in.
        state: Where the log is.
        reader: Who asks.
        organization: Whose rows are asked for; None: everybody's.
        queries: What is asked.
        action: What is done with the answers.
    """
    if reader.is_operator and queries:
        await run_in_threadpool(_write_down, request, state, reader, organization, queries, action)


def _write_down(
    request: Request,
    state: State,
    reader: Principal,
    organization: str | None,
    queries: Sequence[MetricQuery],
    action: str,
) -> None:
    with state.warehouse.engine(API).begin() as connection:
        for query in queries:
            write_down(
                connection,
                reader.subject,
                action,
                organization_id=organization,
                details={"metrics": query.metrics, "group_by": query.group_by},
                request_id=request_id_of(request),
            )
