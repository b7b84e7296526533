"""Credentials for some metrics and some rows alone are held to them, whatever is asked."""

from dataclasses import replace

import pytest

from serving.http.granted import granted, is_granted
from serving.http.problems import ProblemError
from serving.identity.principal import Principal
from serving.identity.roles import Role
from serving.query import ComposedQuery, Filter, parse_query

READER = Principal("embed:1", "acme", Role.VIEWER)
ONLY_US = Filter(dimension="country", op="eq", values=("US",))


def test_filters_of_credentials_come_on_top_of_the_questions_own() -> None:
    limited = replace(READER, filters=(ONLY_US,))
    for parts in ({}, {"totals": True}):
        query = parse_query(
            {"metrics": ["mrr"], "filters": [{"dimension": "country", "op": "eq", "values": ["DE"]}], **parts}
        )
        asked = granted(limited, query)
        assert asked.filters == (*query.filters, ONLY_US)
        assert type(asked) is type(query)
    assert granted(READER, query) is query


def test_other_metrics_are_refused_whether_there_are_any_or_not() -> None:
    limited = replace(READER, only_metrics=frozenset({"mrr"}))
    assert granted(limited, parse_query({"metrics": ["mrr"]})).metrics == ("mrr",)
    for metrics in (["arr"], ["nonsense"], ["mrr", "arr"]):
        with pytest.raises(ProblemError, match="made for alone") as raised:
            granted(limited, parse_query({"metrics": metrics}))
        assert (raised.value.status, raised.value.hint) == (403, "they are mrr")
    assert is_granted(limited, "mrr")
    assert not is_granted(limited, "arr")


def test_a_question_without_parts_is_a_plain_one() -> None:
    assert granted(READER, ComposedQuery(metrics=("mrr",))) == parse_query({"metrics": ["mrr"]})
