"""An organization that asks for much keeps the others from nothing."""

import asyncio
import threading

from serving.http.turns import Turns


def test_one_organization_leaves_room_for_the_others() -> None:
    async def ask() -> None:
        turns, is_over = Turns(at_once=3, of_one=2), threading.Event()
        began: list[int] = []

        def take_long(number: int) -> int:
            began.append(number)
            assert is_over.wait(60)
            return number

        waiting = [asyncio.create_task(turns.do("acme", take_long, number)) for number in range(6)]
        for number in range(3):
            assert await asyncio.wait_for(turns.do("globex", abs, -number), 60) == number
        assert await asyncio.wait_for(turns.do(None, abs, -3), 60) == 3
        assert sorted(began) == [0, 1]
        is_over.set()
        assert await asyncio.gather(*waiting) == list(range(6))

    asyncio.run(ask())


def test_an_error_gives_the_turn_back() -> None:
    async def ask() -> list[object]:
        turns = Turns(at_once=1, of_one=1)
        failing = [turns.do("acme", int, "no number") for _ in range(2)]
        return [*await asyncio.gather(*failing, return_exceptions=True), await turns.do("acme", int, "1")]

    first, second, last = asyncio.run(ask())
    assert isinstance(first, ValueError)
    assert isinstance(second, ValueError)
    assert last == 1
