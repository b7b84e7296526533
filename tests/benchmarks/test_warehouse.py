"""The benchmark of the star runs from end to end, both ways to the same star; how fast it is, no test says."""

from tests.benchmarks.running import measured


def test_a_build_is_measured_beside_hand_written_sql() -> None:
    first, later = measured("warehouse", rows=2000)
    assert first["name"] == "2,000 actions, empty warehouse"
    assert later["name"] == "2,000 more on 2,000"
    for result in (first, later):
        assert result["value"] > 0
        assert result["compared_with"].startswith("by hand, ")
