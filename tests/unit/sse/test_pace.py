"""Writing does not keep the event loop to itself."""

from __future__ import annotations

import asyncio

from ima2_plugins.sse.pace import Pace


async def test_one_turn_of_the_loop_writes_so_much_and_no_more() -> None:
    pace, turn, written = Pace(100), 0, [0] * 50
    over = asyncio.Event()

    async def count() -> None:
        nonlocal turn
        while not over.is_set():
            await asyncio.sleep(0)
            turn += 1

    async def write() -> None:
        for _ in range(5):
            await pace.turn(30)
            written[turn] += 30
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(write() for _ in range(10)))
    over.set()
    await counting
    assert sum(written) == 10 * 5 * 30
    assert max(written) <= 2 * 120
    assert sum(1 for one in written if one) >= 10


async def test_the_line_is_kept() -> None:
    pace, order = Pace(1), list[int]()

    async def write(number: int) -> None:
        for _ in range(3):
            await pace.turn(10)
            order.append(number)

    await asyncio.gather(*(write(number) for number in range(4)))
    assert [sorted(order[at : at + 4]) for at in (1, 5)] == [[0, 1, 2, 3]] * 2


async def test_who_gives_up_does_not_hold_up_the_line() -> None:
    pace = Pace(1)
    gone, waiting = asyncio.create_task(pace.turn(10)), asyncio.create_task(pace.turn(10))
    asyncio.get_running_loop().call_soon(gone.cancel)
    await pace.turn(10)
    await asyncio.wait_for(waiting, 2)
    assert gone.cancelled()
