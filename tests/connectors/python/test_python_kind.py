"""A module of the user's own: what lands of it, what it remembers, and how its mistakes are told."""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from connectors.landing.land import land
from connectors.python.kind import PythonSource
from connectors.source import Surroundings
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

_DOCS = Path(__file__).parents[3] / "docs" / "connectors" / "python.md"


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., PythonSource]:
    """`source(code, tables)` is a source over a module with that code."""

    def build(code: str, tables: Any = None, **settings: Any) -> PythonSource:
        (tmp_path / "mine.py").write_text("import dlt\n" + dedent(code))
        values = {"name": "ship", "kind": "python", "module": "mine.py", "tables": tables or {}, **settings}
        context = Surroundings("ship", tmp_path, tmp_path / "home", draft=not tables)
        return PythonSource.model_validate(values, context=context)

    return build


def _extract(source: PythonSource, folder: Path, states: Any = None, *, full_refresh: bool = False) -> Any:
    spool = Spool(folder / "spool")
    warehouse = Warehouse(sa.make_url("postgresql://nobody@127.0.0.1:1/none"))
    source.extract(Request(warehouse, folder / "home", folder, full_refresh, states=states or {}), spool)
    return {portion.table: portion for portion in spool.portions}


def _rows(portion: Any) -> list[dict[str, Any]]:
    return [row for batch in portion.read() for row in batch.to_pylist()]


def test_the_example_of_the_documentation(warehouse: Warehouse, tmp_path: Path):
    text = _DOCS.read_text()
    [configuration] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 20
    (tmp_path / "ship_log.py").write_text(code)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "crew.txt").write_text("Ada Ben")
    (logs / "log.txt").write_text("2024-05-01T08:00:00|1|left port\n2024-05-02T08:00:00|2|rain\n")
    values = yaml.safe_load(configuration)["sources"]["ship"]
    values["arguments"] |= {"folder": str(logs)}
    context = Surroundings("ship", tmp_path, tmp_path / "home")
    ship = PythonSource.model_validate({"name": "ship", **values}, context=context)
    assert [check["ok"] for check in ship.check()] == [True, True]

    land(ship, warehouse, tmp_path / "home")
    with (logs / "log.txt").open("a") as log:
        log.write("2024-05-03T08:00:00|3|sighted land\n")
    (logs / "crew.txt").write_text("Ada")
    land(ship, warehouse, tmp_path / "home")
    assert land(ship, warehouse, tmp_path / "home") == []
    with warehouse.engine().connect() as connection:
        entries = connection.execute(sa.text("select number, at::text, text from raw_ship.entries order by number"))
        assert [tuple(row) for row in entries] == [
            (1, "2024-05-01 08:00:00+00", "left port"),
            (2, "2024-05-02 08:00:00+00", "rain"),
            (3, "2024-05-03 08:00:00+00", "sighted land"),
        ]
        gone = connection.execute(sa.text("select name from raw_ship.crew where _dlt_deleted"))
        assert gone.scalars().all() == ["Ben"]


def test_what_may_be_yielded(source, tmp_path: Path):
    code = """
        import datetime, decimal
        import pandas, pyarrow

        def source():
            def rows():
                yield {"id": 1, "at": datetime.datetime(2024, 1, 1), "price": decimal.Decimal("1.50"), "tags": ["a"]}
                yield [{"id": 2, "price": 2.5}, {"id": 3, "new": True}]
            def tables():
                yield pyarrow.table({"id": [1, 2]})
                yield pyarrow.record_batch({"id": [3]})
                yield pandas.DataFrame({"id": [4], "name": ["x"]})
            return [dlt.resource(rows, name="rows"), dlt.resource(tables, name="tables")]
    """
    found = _extract(source(code, {"rows": {}, "mine": {"resource": "tables", "key": "id"}}), tmp_path)
    empty = {"at": None, "price": None, "tags": None, "new": None}
    assert _rows(found["rows"]) == [
        {**empty, "id": "1", "at": "2024-01-01T00:00:00", "price": "1.50", "tags": '["a"]'},
        {**empty, "id": "2", "price": "2.5"},
        {**empty, "id": "3", "new": "true"},
    ]
    assert _rows(found["mine"]) == [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4, "name": "x"}]
    assert found["mine"].key == ["id"]


def test_types_that_are_said(source, tmp_path: Path):
    code = """
        import datetime, decimal

        @dlt.resource(primary_key="id", columns={
            "id": {"data_type": "bigint"}, "price": {"data_type": "decimal", "scale": 2}, "day": {"data_type": "date"},
        })
        def source():
            yield {"id": 1, "price": decimal.Decimal("1.50"), "day": datetime.date(2024, 1, 1), "note": 5}
            yield {"id": "two", "price": 1, "day": None}
            yield {"id": 3, "price": 0.1, "day": "2024-01-02"}
    """
    made = source(code, {"source": {}})
    portion = _extract(made, tmp_path)["source"]
    assert [str(kind) for kind in portion.schemas[0].types] == ["int64", "decimal128(3, 2)", "date32[day]", "string"]
    assert [row["id"] for row in _rows(portion)] == [1, 3]
    assert portion.unreadable[0][0]["reason"] == 'id: "two" is no bigint'
    assert portion.unreadable[0][0]["record"] == 2
    assert made.discover() == [
        {
            "table_name": "source",
            "key": ["id"],
            "cursor": None,
            "columns": ["id", "price", "day"],
            "types": {"id": "bigint", "price": "decimal", "day": "date"},
            "configured": True,
            "settings": {},
        }
    ]


def test_a_table_that_mostly_does_not_fit_is_refused(source, tmp_path: Path):
    code = """
        @dlt.resource(columns={"id": {"data_type": "bigint"}})
        def source():
            yield [{"id": 1}, {"id": "two"}, {"id": "three"}]
    """
    portion = _extract(source(code, {"source": {}}), tmp_path)["source"]
    assert portion.refused == '2 rows do not fit the types said; the first: id: "two" is no bigint'
    assert portion.refused_rows == 3


def test_a_state_is_kept_with_the_batch_and_nowhere_else(source, tmp_path: Path):
    code = """
        import datetime

        @dlt.resource
        def runs():
            state = dlt.current.resource_state()
            state["count"] = state.get("count", 0) + 1
            state["on"] = datetime.date(2024, 1, 1)
            yield {"run": state["count"]}

        @dlt.resource
        def numbers(n=dlt.sources.incremental("n", initial_value=2)):
            yield [{"n": n} for n in range(5) if n >= 2]

        def source():
            return runs, numbers
    """
    made = source(code, {"runs": {}, "numbers": {}})
    first = _extract(made, tmp_path)
    states = {name: portion.state for name, portion in first.items()}
    second = _extract(made, tmp_path, states)
    assert _rows(second["runs"]) == [{"run": "2"}]
    assert [len(_rows(found["numbers"])) for found in (first, second)] == [3, 0]
    again = _extract(made, tmp_path, states, full_refresh=True)
    assert [_rows(again["runs"]), len(_rows(again["numbers"]))] == [[{"run": "1"}], 3]
    assert again["numbers"].complete
    assert not second["numbers"].complete


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def source(:\n    pass", r"mine\.py:2: SyntaxError: invalid syntax"),
        ("import nowhere", r"mine\.py:2: ModuleNotFoundError: No module named 'nowhere'"),
        ("def source():\n    return 1 / 0", r"mine\.py:3: ZeroDivisionError: division by zero"),
        (
            "@dlt.resource(name='rows')\ndef source():\n    yield {}['price']",
            r"mine\.py:4: KeyError: 'price'",
        ),
        ("def other():\n    pass", r"mine\.py has no function source"),
        ("def source():\n    return 5", r"mine\.py: source gives a int, not dlt resources"),
        ("@dlt.resource(name='rows')\ndef source():\n    yield 5", r"the resource rows yields a int, which is no row"),
        ("def source():\n    return []", r"there is no resource rows; the module gives none"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(source, tmp_path: Path, code: str, said: str):
    with pytest.raises(DataInsightError, match=said) as error:
        _extract(source(code, {"rows": {}}), tmp_path)
    assert "\n" not in error.value.message


def test_modules_that_are_not_there(source):
    with pytest.raises(DataInsightError, match=r"there is no module no\.where"):
        source("", {"rows": {}}, module="no.where").check()
    with pytest.raises(DataInsightError, match=r"there is no file .*no\.py"):
        source("", {"rows": {}}, module="no.py").check()


def test_nothing_runs_before_it_is_asked_for_and_secrets_stay_hidden(source):
    made = source("raise SystemExit", {"rows": {}}, arguments={"token": "hunter2hunter2"})
    assert "hunter2" not in repr(made)
