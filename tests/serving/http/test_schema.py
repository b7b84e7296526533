"""What the API says of itself holds: generated requests by its description, of viewers, admins, operators and pages."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Server, running
from tests.serving.http.people import added, post

_EXAMPLES = 12

# Which metrics and dimensions there are is no part of the description, so that what keeps to it may still be refused.
_MEANING = positive_data_acceptance


@pytest.fixture(scope="module", params=[Role.VIEWER, Role.ADMIN, Role.OPERATOR, None])
def description(request: pytest.FixtureRequest, published: Store) -> Any:
    """The description of a running server, and an access token for it; None: the embed token of a page."""
    unlimited = published.settings.model_copy(
        update={
            "rate_limits": {"standard": 10**9},
            "login_attempts": 10_000,
            "registration": "invited",
            "erasures": "by_command",
        }
    )
    with running(create_app(unlimited)) as address:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
        server = Server(address, published.warehouse)
        if request.param is None:
            made = post(server, "/embed/tokens", {"metrics": ["mrr"]}, server.key("acme", Role.EDITOR))
            schema.key = made.json()["token"]
        else:
            organization = None if request.param is Role.OPERATOR else "acme"
            schema.key = added(server, organization, request.param).tokens["access_token"]
        yield schema


def test_every_route_keeps_to_its_description(description: Any) -> None:
    headers = {"Authorization": f"Bearer {description.key}"}
    seen = []
    for found in description.get_all_operations():
        operation = found.ok()
        seen.append(operation.label)

        @settings(max_examples=_EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            case.call_and_validate(headers=headers, excluded_checks=[_MEANING])

        holds()
    assert "POST /api/v1/metrics/query" in seen
