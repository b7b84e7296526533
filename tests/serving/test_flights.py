"""Equal questions at once: one computation, everybody's result, and an end when nobody waits for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from serving.flights import AbandonedError, Asker, Flights, Interruption


def test_equal_questions_at_once_are_computed_once() -> None:
    flights: Flights[int] = Flights()
    computed: list[int] = []
    may_end = threading.Event()

    def compute(_: Interruption) -> int:
        computed.append(1)
        may_end.wait()
        return 42

    askers = [Asker() for _ in range(8)]
    with ThreadPoolExecutor(9) as pool:
        results = [pool.submit(flights.answer, "key", compute, asker) for asker in askers]
        while not all(asker.has_boarded for asker in askers):
            time.sleep(0.001)
        assert pool.submit(flights.answer, "other", lambda _: 43).result() == 43
        may_end.set()
        assert {result.result() for result in results} == {42}
    assert len(computed) == 1
    assert flights.answer("key", lambda _: 44) == 44


def test_an_error_is_everybodys() -> None:
    flights: Flights[int] = Flights()
    has_begun, may_end = threading.Event(), threading.Event()

    def fail(_: Interruption) -> int:
        has_begun.set()
        may_end.wait()
        raise ValueError("no")

    asker = Asker()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.answer, "key", fail)
        has_begun.wait()
        second = pool.submit(flights.answer, "key", lambda _: 1, asker)
        while not asker.has_boarded:
            time.sleep(0.001)
        may_end.set()
        for result in (first, second):
            with pytest.raises(ValueError, match="no"):
                result.result()
    assert flights.answer("key", lambda _: 1) == 1


def _endless(interruption: Interruption) -> int:
    with duckdb.connect() as connection, connection.cursor() as cursor, interruption.over(cursor):
        has_begun.set()
        try:
            cursor.sql("select count(*) from range(100000000000) as a, range(1000) as b").fetchall()
        except duckdb.InterruptException as error:
            raise AbandonedError from error
    return 0


has_begun = threading.Event()


def test_what_nobody_waits_for_any_more_ends() -> None:
    flights: Flights[int] = Flights()
    first, second = Asker(), Asker()
    has_begun.clear()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(flights.answer, "key", _endless, first)
        has_begun.wait()
        two = pool.submit(flights.answer, "key", _endless, second)
        while not second.has_boarded:
            time.sleep(0.001)
        first.leave()
        first.leave()
        with pytest.raises(TimeoutError):
            two.result(timeout=0.2)
        second.leave()
        for left in (one, two):
            with pytest.raises(AbandonedError):
                left.result(timeout=10)
    assert flights.answer("key", lambda _: 1) == 1


def test_an_interruption_that_comes_before_the_statement_ends_it_all_the_same() -> None:
    interruption = Interruption()
    with duckdb.connect() as connection, connection.cursor() as cursor, interruption.over(cursor):
        interruption.ask()
        with pytest.raises(duckdb.InterruptException):
            cursor.sql("select count(*) from range(100000000000) as a, range(1000) as b").fetchall()


def test_who_has_left_before_it_began_is_not_computed_for() -> None:
    flights: Flights[int] = Flights()
    asker = Asker()
    asker.leave()
    with pytest.raises(AbandonedError):
        flights.answer("key", _endless, asker)


def test_what_is_needed_for_nothing_any_more_ends_too() -> None:
    flights: Flights[int] = Flights()
    has_begun.clear()

    def of_parts(interruption: Interruption) -> int:
        part = Asker()
        with interruption.over(part):
            return flights.answer("part", _endless, part)

    asker = Asker()
    with ThreadPoolExecutor(1) as pool:
        whole = pool.submit(flights.answer, "whole", of_parts, asker)
        has_begun.wait()
        asker.leave()
        with pytest.raises(AbandonedError):
            whole.result(timeout=10)
    assert flights.answer("part", lambda _: 1) == 1
