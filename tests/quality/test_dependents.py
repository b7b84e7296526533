"""A batch that was extracted as if an earlier one counted goes with it when that one is refused."""

from tests.quality.conftest import Room


def test_what_continues_a_refused_batch_is_refused_and_extracted_again(room: Room) -> None:
    room.expect("uses", {"name": "has_an_id", "severity": "batch", "present": ["id"]})
    first = room.land("uses", [{"id": "1"}], load_id="1.1")
    bad = room.land("uses", [{"id": None}], load_id="2.1")
    after = room.land("uses", [{"id": "3"}], load_id="3.1")
    elsewhere = room.land("others", [{"id": "4"}], load_id="3.1")
    with room.warehouse.engine().begin() as connection:
        connection.exec_driver_sql("update ops.batches set state = '{}', content_hash = 'x'")
    room.judge()
    statuses = [room.batch(batch).status for batch in (first, bad, after, elsewhere)]
    assert statuses == ["admitted", "refused", "refused", "admitted"]
    assert f"it continues batch {bad}" in room.checks(after)["stands_on_an_admitted_batch"]["detail"]
    hashes = dict(room.rows("select batch_id, content_hash from ops.batches"))
    assert (hashes[bad], hashes[after]) == ("x", None)


def test_deliveries_of_files_stand_by_themselves(room: Room) -> None:
    room.expect("uses", {"name": "has_an_id", "severity": "batch", "present": ["id"]})
    room.land("uses", [{"id": None}], load_id="1.1")
    after = room.land("uses", [{"id": "3"}], load_id="2.1")
    room.judge()
    assert room.batch(after).status == "admitted"
