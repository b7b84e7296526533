"""The landing benchmark runs from end to end; how fast it is, no test says."""

from tests.benchmarks.running import measured


def test_every_kind_is_measured_beside_copy_and_dlt() -> None:
    results = measured("landing", rows=3000)
    for kind in ("Parquet", "CSV", "PostgreSQL"):
        rate, copy, dlt, memory, imports = [result for result in results if result["name"].startswith(kind)]
        assert rate["value"] > 0
        assert copy["compared_with"].startswith("raw COPY, ")
        assert dlt["compared_with"].startswith("dlt's default path, ")
        assert (memory["unit"], imports["unit"]) == ("MB", "ms")
