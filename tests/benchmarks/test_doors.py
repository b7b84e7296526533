"""The benchmark of the doors runs from end to end; how much they cost, no test says."""

from benchmarks.doors import QUERIES
from tests.benchmarks.running import measured


def test_every_query_is_measured_beside_the_filter_by_hand() -> None:
    results = measured("doors", rows=3000)
    assert [result["name"] for result in results] == list(QUERIES)
    assert all(result["compared_with"].startswith("filter by hand, ") for result in results)
