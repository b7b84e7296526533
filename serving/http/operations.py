"""The operations port: Prometheus' figures and the health checks, for those who run the platform."""

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serving.http import health
from serving.http.measured import MEDIA_TYPE, Measured
from serving.http.state import State


def create_operations(app: FastAPI) -> FastAPI:
    """What is told of an application, which runs in the same process."""
    operations = FastAPI(title="DataInsight operations", openapi_url=None, docs_url=None, redoc_url=None)
    operations.state = app.state

    async def figures(_request: Request) -> Response:
        state: State = app.state.shared
        measured: Measured = app.state.measured
        told = await run_in_threadpool(measured.exposition, state.metrics)
        return Response(told, media_type=MEDIA_TYPE)

    operations.add_route("/metrics", figures)
    operations.include_router(health.router)
    return operations
