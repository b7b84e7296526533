"""The application: its routes, its errors and what it shares."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from serving.http import (
    audit,
    auth,
    batch,
    datasource_batches,
    datasource_jobs,
    datasources,
    dimensions,
    embed,
    events,
    explained,
    health,
    keys,
    metrics,
    oidc,
    organizations,
    privacy,
    problems,
    second_factor,
    uploads,
)
from serving.http.body_limit import BodyLimit
from serving.http.formats import TOTALS, TRUST
from serving.http.measured import Measured
from serving.http.requests import REQUEST_ID, Requests
from serving.http.state import State, open_state
from warehouse.settings import Settings

PREFIX = "/api/v1"


def create_app(settings: Settings, state: State | None = None) -> FastAPI:
    """The HTTP door over what these settings name.

    Args:
        settings: Where the warehouse and the metric store are.
        state: What was opened for it; None: it opens that when it starts, and closes it when it ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = open_state(settings) if state is None else nullcontext(state)
        app.state.shared = await run_in_threadpool(opened.__enter__)
        try:
            yield
        finally:
            await run_in_threadpool(opened.__exit__, None, None, None)

    app = FastAPI(
        title="DataInsight",
        summary="Governed metrics, each answer with what it stands on.",
        version="1",
        openapi_url=f"{PREFIX}/openapi.json",
        # The pages load their scripts from elsewhere, which a company's own network may not reach.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    measured = app.state.measured = Measured()
    problems.install(app)
    for router in (
        metrics.router,
        batch.router,
        dimensions.router,
        explained.router,
        events.router,
        auth.router,
        second_factor.router,
        oidc.router,
        keys.router,
        organizations.router,
        embed.router,
        # Before those with a datasource in their path, which `jobs` is none of.
        datasource_jobs.router,
        datasources.router,
        datasource_batches.router,
        uploads.router,
        audit.router,
        privacy.router,
    ):
        app.include_router(router, prefix=PREFIX)
    app.include_router(health.router)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", REQUEST_ID],
            expose_headers=[
                "ETag",
                TRUST,
                TOTALS,
                REQUEST_ID,
                "Retry-After",
                "X-RateLimit-Limit",
                "X-RateLimit-Remaining",
                "X-RateLimit-Reset",
            ],
            max_age=600,
        )
    app.add_middleware(BodyLimit, most_bytes=settings.body_bytes, but=f"{PREFIX}/uploads")
    app.add_middleware(Requests, measured=measured)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: what is wrong with a request is a problem with status 400, or 413, so there is no 422."""
    if app.openapi_schema is None:
        described = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        for methods in described["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)
                if "requestBody" in operation:
                    too_large = problems.responses(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                    operation["responses"] |= {str(status): told for status, told in too_large.items()}
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas["Problem"] = problems.Problem.model_json_schema()
        app.openapi_schema = described
    return app.openapi_schema
