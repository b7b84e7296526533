"""What goes wrong between a program and the API."""

from dataclasses import dataclass

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
        told = response.json()
        problem = Problem(**{name: told.get(name) for name in Problem.__dataclass_fields__})
        return DataInsightClientError(": ".join(filter(None, (problem.detail, problem.hint))), problem)
    return DataInsightClientError(f"{response.url} answered with status {response.status_code}")
