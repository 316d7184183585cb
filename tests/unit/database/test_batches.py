"""Changes that wait for the writer go into one transaction, each kept or undone by itself."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, select

from ima2.contracts import Tables
from ima2.database.batches import Batches
from ima2.database.sqlite import Database

NUMBERS = Table("numbers", MetaData(), Column("n", Integer, primary_key=True))


def _insert(number: int, connection: Any) -> None:
    connection.execute(NUMBERS.insert().values(n=number))


def _number(number: int, _: Any) -> int:
    return number


async def opened(tmp_path: Path) -> Database:
    database = Database(tmp_path / "x.db")
    await database.open([("x", Tables(NUMBERS.metadata))])
    return database


async def test_one_change_that_fails_leaves_the_others_of_its_transaction_alone(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    numbers = [1, 2, 2, 3, 4]
    outcomes = await asyncio.gather(
        *(database.write(partial(_insert, n)) for n in numbers),
        return_exceptions=True,
    )
    rows = await database.read(lambda c: list(c.execute(select(NUMBERS.c.n)).scalars()))
    await database.close()
    assert rows == [1, 2, 3, 4]
    assert [isinstance(one, Exception) for one in outcomes] == [False, False, True, False, False]


async def test_what_comes_while_a_batch_is_written_goes_together_into_the_next_one() -> None:
    sizes, gate = [], asyncio.Event()

    async def write(works: Any) -> list[tuple[Any, None]]:
        sizes.append(len(works))
        await gate.wait()
        return [(work(None), None) for work in works]

    batches = Batches(write)
    tasks = [asyncio.create_task(batches.add(partial(_number, n))) for n in range(5)]
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(batches.add(partial(_number, n))) for n in range(5, 9)]
    await asyncio.sleep(0.01)
    gate.set()
    assert await asyncio.gather(*tasks, *later) == list(range(9))
    assert sum(sizes) == 9
    assert sizes[-1] == 4


async def test_a_batch_that_fails_as_a_whole_is_told_to_each() -> None:
    async def write(works: Any) -> Any:
        raise OSError("gone")

    batches = Batches(write)
    outcomes = await asyncio.gather(*(batches.add(lambda _: 1) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in outcomes] == [OSError, OSError, OSError]


async def test_a_caller_that_goes_away_does_not_stop_the_others(tmp_path: Path) -> None:
    database = await opened(tmp_path)
    first = asyncio.create_task(database.write(lambda c: c.execute(NUMBERS.insert().values(n=1))))
    second = asyncio.create_task(database.write(lambda c: c.execute(NUMBERS.insert().values(n=2))))
    await asyncio.sleep(0)
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    rows = await database.read(lambda c: list(c.execute(select(NUMBERS.c.n)).scalars()))
    await database.close()
    assert rows == [1, 2]
