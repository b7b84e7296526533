"""What goes wrong between a program and the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Problem:
    """What the API says of a request it refuses, by RFC 9457.

    Attributes:
        detail: What is wrong, where, and what is allowed.
        hint: What to do about it.
        request_id: By which the server's logs know the request.
    """

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
    request_id: str | None = None


class DataInsightClientError(Exception):
    """The API refused a request, or could not be reached.

    Attributes:
        problem: What it says; None when there was no answer, or one of somebody between.
    """

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


def error_of(response: httpx.Response) -> DataInsightClientError:
    """The error that a response tells of."""
    if response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return error_from(response.json())
    return DataInsightClientError(f"{response.url} answered with status {response.status_code}")


def error_from(told: Mapping[str, Any], before: str = "") -> DataInsightClientError:
    """The error that a problem in an answer tells of."""
    known: dict[str, Any] = {name: told.get(name) for name in Problem.__dataclass_fields__}
    problem = Problem(**known)
    return DataInsightClientError(before + ": ".join(filter(None, (problem.detail, problem.hint))), problem)
