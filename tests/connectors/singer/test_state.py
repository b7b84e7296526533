"""STATE: kept by table, atomically with its rows."""

from tests.connectors.singer.conftest import TapRun, stream

_INCREMENTAL = """
start = state.get("bookmarks", {}).get("orders", {}).get("at", "2024-01-01T00:00:00Z")
rows = json.load(open("rows.json"))
json.dump(state, open("given.json", "w"))
say("SCHEMA", stream="orders", key_properties=["id"], bookmark_properties=["at"],
    schema={"properties": {"id": INT, "at": {"type": "string", "format": "date-time"}}})
for row in rows:
    if row["at"] >= start:
        record("orders", **row)
        say("STATE", value={"bookmarks": {"orders": {"at": row["at"]}}, "currently_syncing": "orders"})
"""


def _rows(tap: TapRun, *days: int) -> None:
    said = ", ".join(f'{{"id": {day}, "at": "2024-01-0{day}T00:00:00Z"}}' for day in days)
    (tap.folder / "rows.json").write_text(f"[{said}]")


def test_the_next_run_starts_where_the_last_one_ended_and_lands_no_row_twice(tap: TapRun):
    tap.write(_INCREMENTAL)
    _rows(tap, 1, 2)
    [first] = tap.land()
    assert tap.given("given.json") == {}
    assert tap.land() == []
    assert tap.given("given.json") == {"bookmarks": {"orders": {"at": "2024-01-02T00:00:00Z"}}}
    _rows(tap, 1, 2, 3)
    [second] = tap.land()
    assert tap.query("select id from raw_shop.orders order by id") == [(1,), (2,), (3,)]
    # Quality refuses the batch: its rows come again, with what is new.
    tap.query(f"update ops.batches set status = 'refused' where batch_id = {second}")
    _rows(tap, 1, 2, 3, 4)
    [third] = tap.land()
    assert tap.given("given.json") == {"bookmarks": {"orders": {"at": "2024-01-02T00:00:00Z"}}}
    assert tap.query(f"select row_count from ops.batches where batch_id = {third}") == [(2,)]
    [fourth] = tap.land(full_refresh=True)
    assert tap.given("given.json") == {}
    complete = f"select is_complete from ops.batches where batch_id in ({first}, {third}, {fourth}) order by batch_id"
    assert tap.query(complete) == [(True,), (False,), (True,)]


def test_bookmarks_go_to_their_own_tables(lone_tap: TapRun):
    lone_tap.write(
        """
schema("orders", id=INT)
schema("customers", id=INT)
say("STATE", value={"bookmarks": {"orders": {"n": 1}, "customers": {}, "parents": {"n": 9}}, "region": "eu"})
""",
        stream("orders"),
        stream("customers"),
    )
    found = lone_tap.extract({"orders": {}, "clients": {"stream": "customers"}})
    common = {"region": "eu", "bookmarks": {"parents": {"n": 9}}}
    assert found["orders"].state == {"bookmarks": {"orders": {"n": 1}}, "rest": common}
    assert found["clients"].state == {"rest": common}


def test_tables_that_stand_at_different_places_get_rounds_of_their_own(lone_tap: TapRun):
    lone_tap.write(
        """
with open("rounds.jsonl", "a") as file:
    file.write(json.dumps([selected, state]) + "\\n")
for name in selected:
    schema(name, id=INT)
say("STATE", value={"last": 3})
""",
        *map(stream, ("a", "b", "c", "d", "e")),
        stream("f", replication_method="FULL_TABLE"),
    )
    states = {
        "a": {"rest": {"last": 1}},
        "b": {"rest": {"last": 2}},
        "c": {"bookmarks": {"c": {"n": 1}}},
        "d": {"bookmarks": {"d": {"n": 2}}},
        "f": {"bookmarks": {"f": {"n": 2}}},
    }
    found = lone_tap.extract({name: {} for name in "abcdef"}, states)
    said = (lone_tap.folder / "rounds.jsonl").read_text().splitlines()
    assert said == [
        '[["a"], {"last": 1}]',
        '[["b"], {"last": 2}]',
        '[["c", "d"], {"bookmarks": {"c": {"n": 1}, "d": {"n": 2}}}]',
        '[["e", "f"], {}]',
    ]
    # Whoever was given no STATE has given everything.
    assert {name: portion.complete for name, portion in found.items()} == {
        "a": False, "b": False, "c": False, "d": False, "e": True, "f": True,
    }  # fmt: skip
    assert {str(portion.state) for portion in found.values()} == {"{'rest': {'last': 3}}"}


def test_without_a_new_state_the_old_one_is_kept(lone_tap: TapRun):
    lone_tap.write('schema("orders", id=INT)\nrecord("orders", id=1)')
    state = {"bookmarks": {"orders": {"n": 1}}}
    assert lone_tap.extract(states={"orders": state})["orders"].state == state


def test_a_part_that_is_called_one_is_no_complete_copy(lone_tap: TapRun):
    lone_tap.write('schema("orders", id=INT)\nrecord("orders", id=1)')
    assert lone_tap.extract()["orders"].complete
    assert not lone_tap.extract({"orders": {"replication": "incremental"}})["orders"].complete


def test_tables_of_a_database_are_full_unless_a_cursor_is_said(lone_tap: TapRun):
    lone_tap.write(
        'json.dump(catalog, open("catalog.json", "w"))\nfor name in selected: schema(name, id=INT)',
        stream("a", schema_name="public", row_count=10),
        stream("b", schema_name="public"),
    )
    lone_tap.extract({"a": {}, "b": {"cursor": "id"}})
    told = [entry["metadata"][0]["metadata"] for entry in lone_tap.given("catalog.json")["streams"]]
    assert [(said["replication-method"], said.get("replication-key")) for said in told] == [
        ("FULL_TABLE", None),
        ("INCREMENTAL", "id"),
    ]
