"""Generated questions, over HTTP: metrics by dimensions, grains, filters and ranges are what pandas makes of the marts.

Those for one organization are asked with a key of its own, those for everybody with an operator's.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.http.app import create_app
from serving.identity.roles import Role
from tests.serving.conftest import Store
from tests.serving.http.conftest import Client, Server, running
from tests.serving.reference import ADDITIVE, FAMILIES, SHARED, Family, Key, Reference

ORGANIZATIONS = ("acme", "bolt", "crow")
BOOLEANS = ("is_beta", "is_escalated", "is_reactivation")
VALUES: dict[str, list[Any]] = {
    "organization": ["acme", "bolt", "crow"],
    "country": ["US", "DE"],
    "organization__industry": ["tech", "retail"],
    "referral_source": ["ads", "web"],
    "organization__name": ["Acme", "o", "Ω"],
    "action_type": ["PushEvent", "WatchEvent"],
    "plan": ["Pro", "Basic"],
    "priority": ["low", "high"],
    "reason": ["pricing", "support"],
}
WITH_MANY = ["in", "not_in"]
WITH_ONE = ["eq", "ne", "lt", "lte", "gt", "gte", "contains"]
WITHOUT = ["is_null", "is_not_null"]

generated = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class OverHttp:
    """Clients of a server, by whose rows they ask for."""

    clients: dict[str | None, Client]

    def answer(self, *names: str, organization: str | None = None, **query: Any) -> dict[str, Any]:
        """The whole answer, as JSON values."""
        return self.clients[organization].answer(*names, **query)

    def rows(self, *names: str, **query: Any) -> list[list[Any]]:
        """Just the rows."""
        rows: list[list[Any]] = self.answer(*names, **query)["rows"]
        return rows


@pytest.fixture(scope="module")
def reader(published: Store) -> Iterator[OverHttp]:
    unlimited = published.settings.model_copy(update={"rate_limits": {"standard": 10**9}})
    with running(create_app(unlimited)) as address, ExitStack() as stack:
        server = Server(address, published.warehouse)
        keys = {name: server.key(name) for name in ORGANIZATIONS} | {None: server.key(None, Role.OPERATOR)}
        yield OverHttp({name: stack.enter_context(server.client(key)) for name, key in keys.items()})


@pytest.fixture(scope="module")
def reference(published: Store) -> Reference:
    return Reference(published.warehouse)


@st.composite
def filters(draw: st.DrawFn, dimension: str) -> dict[str, Any]:
    values = st.booleans() if dimension in BOOLEANS else st.sampled_from([*VALUES[dimension], "", "N"])
    one = ["eq", "ne"] if dimension in BOOLEANS else WITH_ONE
    op = draw(st.sampled_from([*WITH_MANY, *one, *WITHOUT]))
    count = (1, 3) if op in WITH_MANY else (0, 0) if op in WITHOUT else (1, 1)
    given_values = draw(st.lists(values, min_size=count[0], max_size=count[1]))
    return {"dimension": dimension, "op": op} | ({"values": given_values} if given_values else {})


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[tuple[Family, list[str]]], dict[str, Any]]:
    """Metrics of one mart or of two with the same time, and the rest of a question about them."""
    state = draw(st.booleans())
    families = [family for family in FAMILIES if family.is_state == state]
    chosen = draw(st.lists(st.sampled_from(families), min_size=1, max_size=2, unique_by=lambda family: family.mart))
    asked = [
        (family, draw(st.lists(st.sampled_from(sorted(family.metrics)), min_size=1, max_size=3, unique=True)))
        for family in chosen
    ]
    dimensions = [*SHARED, *(chosen[0].dimensions if len(chosen) == 1 else ())]
    group_by = draw(st.lists(st.sampled_from(["metric_time", *dimensions]), max_size=3, unique=True))
    grains = ["month", "quarter", "year"] if state else ["day", "week", "month", "quarter", "year"]
    first = draw(st.none() | st.dates(date(2022, 12, 1), date(2024, 7, 31)))
    length = draw(st.integers(0, 400))
    last = draw(st.sampled_from([None, (first or date(2023, 6, 15)) + timedelta(days=length)]))
    ends = {"start": first, "end": last}
    return asked, {
        "group_by": group_by,
        "grain": draw(st.none() | st.sampled_from(grains)),
        "time_range": {name: day.isoformat() for name, day in ends.items() if day is not None},
        "filters": draw(st.lists(st.sampled_from(dimensions).flatmap(filters), max_size=2)),
    }


def expected(
    reference: Reference, asked: list[tuple[Family, list[str]]], question: dict[str, Any], organization: str | None
) -> dict[Key, list[Any]]:
    """The answers for each mart side by side."""
    answers = [reference.answer(family, metrics, question, organization) for family, metrics in asked]
    return {
        key: [
            value
            for answer, (_, metrics) in zip(answers, asked, strict=True)
            for value in answer.get(key, [None] * len(metrics))
        ]
        for key in {key: None for answer in answers for key in answer}
    }


def by_key(rows: list[list[Any]], keys: int) -> dict[Key, list[Any]]:
    found = {tuple(row[:keys]): row[keys:] for row in rows}
    assert len(found) == len(rows)
    return found


def order(key: Key) -> list[tuple[bool, Any]]:
    return [(part is None, "" if part is None else part) for part in key]


def close(values: dict[Key, list[Any]]) -> dict[Key, Any]:
    return {
        key: [None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9) for value in row]
        for key, row in values.items()
    }


@generated
@given(questions(), st.sampled_from([None, *ORGANIZATIONS]), st.integers(1, 5))
def test_an_answer_is_what_pandas_computes(
    reader: OverHttp,
    reference: Reference,
    generated_question: tuple[list[tuple[Family, list[str]]], dict[str, Any]],
    organization: str | None,
    limit: int,
) -> None:
    asked, question = generated_question
    metrics = [metric for _, names in asked for metric in names]
    rows = reader.rows(*metrics, organization=organization, **question)

    keys = len(question["group_by"])
    assert by_key(rows, keys) == close(expected(reference, asked, question, organization))
    assert [tuple(row[:keys]) for row in rows] == sorted((tuple(row[:keys]) for row in rows), key=order)
    few = reader.rows(*metrics, organization=organization, **question, limit=limit)
    # The last digit of a sum of doubles depends on the order in which threads come to add them.
    assert by_key(few, keys) == close(by_key(rows[:limit], keys))


@generated
@given(questions())
def test_the_sum_over_organizations_is_the_operators_answer(
    reader: OverHttp, generated_question: tuple[list[tuple[Family, list[str]]], dict[str, Any]]
) -> None:
    asked, question = generated_question
    metrics = [metric for _, names in asked for metric in names if metric in ADDITIVE]
    if not metrics:
        return
    keys = len(question["group_by"])
    summed: dict[Key, list[Any]] = {}
    for organization in ORGANIZATIONS:
        rows = reader.rows(*metrics, organization=organization, **question)
        for key, values in by_key(rows, keys).items():
            known = summed.setdefault(key, [None] * len(metrics))
            summed[key] = [
                one if other is None else (one or 0) + other for one, other in zip(known, values, strict=True)
            ]
    assert by_key(reader.rows(*metrics, **question), keys) == close(summed)


@generated
@given(questions(), st.sampled_from([None, "acme"]), st.sampled_from(["previous_period", "previous_year"]), st.data())
def test_composed_answers_are_made_of_what_pandas_computes(
    reader: OverHttp,
    reference: Reference,
    generated_question: tuple[list[tuple[Family, list[str]]], dict[str, Any]],
    organization: str | None,
    compare: str,
    data: st.DataObject,
) -> None:
    """Whole months, so that where they are moved to can be told without the platform's own rules."""
    asked, question = generated_question
    metrics = [metric for _, names in asked for metric in names]
    first = data.draw(st.integers(12, 20), label="first month")
    count = data.draw(st.integers(1, 6), label="months")
    by = 12 if compare == "previous_year" else count
    question |= {"grain": "month", "time_range": _months(first, count)}
    before = question | {"time_range": _months(first - by, count)}
    answer = reader.answer(*metrics, organization=organization, **question, compare=compare, totals=True)

    now = expected(reference, asked, question, organization)
    earlier = {
        _moved(key, question["group_by"], by): values
        for key, values in expected(reference, asked, before, organization).items()
    }
    nothing = [None] * len(metrics)
    keys = len(question["group_by"])
    rows = by_key(answer["rows"], keys)
    assert {key: row[0::3] for key, row in rows.items()} == close({key: now.get(key, nothing) for key in rows})
    assert {key: row[1::3] for key, row in rows.items()} == close({key: earlier.get(key, nothing) for key in rows})
    assert rows.keys() == now.keys() | earlier.keys()
    for row in rows.values():
        for value, previous, change in zip(row[0::3], row[1::3], row[2::3], strict=True):
            if value is None or not previous:
                assert change is None
            else:
                assert change == pytest.approx((value - previous) / abs(previous), abs=1e-9)
    whole = expected(reference, asked, question | {"group_by": []}, organization)
    assert {(): [answer["totals"][name] for name in metrics]} == close(whole)


def _months(first: int, count: int) -> dict[str, str]:
    """So many whole months, the first of which is the given one since the beginning of 2022."""
    return {"start": _month(first).isoformat(), "end": (_month(first + count) - timedelta(days=1)).isoformat()}


def _month(number: int) -> date:
    return date(2022 + number // 12, number % 12 + 1, 1)


def _moved(key: Key, group_by: list[str], by: int) -> Key:
    """A key of the earlier months under the months that they are compared with."""
    if "metric_time" not in group_by:
        return key
    place = group_by.index("metric_time")
    month = date.fromisoformat(key[place])
    later = _month((month.year - 2022) * 12 + month.month - 1 + by)
    return (*key[:place], later.isoformat(), *key[place + 1 :])
