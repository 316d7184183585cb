"""Request bodies: each within its limit, all within theirs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from ima2.errors import Ima2Error
from ima2.server import bodies
from ima2.server.bodies import DEPTH, SMALL, VALUES, BodyBudget, parse, read_body, read_json

MB = 2**20


class Sender:
    """A client that sends its body when told to."""

    def __init__(self, app: Starlette, length: int | None, pieces: int = 1, kind: str = "application/json") -> None:
        self.go = asyncio.Event()
        self._left = pieces
        self._piece = b'"' + b"a" * (SMALL - 2) + b'"' if length is None or length > 100 else b'{"a":1}'
        headers = [(b"content-type", kind.encode())]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        self.request = Request({"type": "http", "app": app, "headers": headers, "method": "POST"}, self._receive)
        self.began = False

    async def _receive(self) -> MutableMapping[str, Any]:
        self.began = True
        await self.go.wait()
        self._left -= 1
        return {"type": "http.request", "body": self._piece, "more_body": self._left > 0}


@pytest.fixture
def app() -> Starlette:
    """An application with room for 100 MB."""
    made = Starlette()
    made.state.bodies = BodyBudget(100 * MB)
    return made


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_large_bodies_are_read_in_turn_and_small_ones_at_once(app: Starlette) -> None:
    large = [Sender(app, 45 * MB, pieces=45) for _ in range(20)]
    reading = [asyncio.create_task(read_body(one.request, 50 * MB)) for one in large]
    await settled()
    assert [one.began for one in large] == [True, True] + [False] * 18
    small = Sender(app, 7)
    small.go.set()
    assert await read_json(small.request, 50 * MB) == {"a": 1}
    for one in large:
        one.go.set()
    assert [len(raw) for raw in await asyncio.gather(*reading)] == [45 * MB] * 20


async def test_a_body_of_unknown_length_counts_as_the_largest(app: Starlette) -> None:
    chunked = [Sender(app, None, pieces=2) for _ in range(3)]
    reading = [asyncio.create_task(read_body(one.request, 50 * MB)) for one in chunked]
    await settled()
    assert [one.began for one in chunked] == [True, True, False]
    for one in chunked:
        one.go.set()
    await asyncio.gather(*reading)


async def test_who_waits_too_long_is_told_when_to_try_again(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ROOM_S", 0.05)
    blocking, late = Sender(app, 100 * MB, pieces=100), Sender(app, 10 * MB)
    first = asyncio.create_task(read_body(blocking.request, 100 * MB))
    await settled()
    with pytest.raises(Ima2Error) as caught:
        await read_body(late.request, 50 * MB)
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("TOO_MANY_BODIES", 429, 5)
    blocking.go.set()
    await first
    late.go.set()
    assert await read_body(late.request, 50 * MB)


async def test_room_is_given_back_by_whoever_gives_up(app: Starlette) -> None:
    holder, waiting, other = (Sender(app, size * MB) for size in (100, 60, 40))
    tasks = [asyncio.create_task(read_body(one.request, 100 * MB)) for one in (holder, waiting, other)]
    await settled()
    tasks[1].cancel()
    tasks[0].cancel()
    await settled()
    assert other.began
    other.go.set()
    await tasks[2]
    whole = Sender(app, 100 * MB)
    whole.go.set()
    assert await read_body(whole.request, 100 * MB)
    assert await asyncio.gather(*tasks[:2], return_exceptions=True)


@pytest.mark.parametrize(("length", "pieces"), [(51 * MB, 1), (None, 51)])
async def test_a_body_over_its_limit_is_refused(app: Starlette, length: int | None, pieces: int) -> None:
    sender = Sender(app, length, pieces)
    sender.go.set()
    with pytest.raises(Ima2Error) as caught:
        await read_body(sender.request, 50 * MB)
    assert (caught.value.code, caught.value.status) == ("PAYLOAD_TOO_LARGE", 413)
    assert sender.began is (length is None)


async def test_a_body_that_does_not_come_on_is_given_up(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IDLE_S", 0.05)
    with pytest.raises(Ima2Error) as caught:
        await read_body(Sender(app, 7).request)
    assert (caught.value.code, caught.value.status) == ("BODY_TIMEOUT", 408)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_json_is_nested_so_deep_and_no_deeper() -> None:
    assert parse(nested(DEPTH))
    assert parse(b"[" + b"[]," * 1000 + b"[]]")
    for levels in (DEPTH + 1, 1000, 200_000 - 1):
        with pytest.raises(Ima2Error) as caught:
            parse(nested(levels))
        assert (caught.value.code, caught.value.status) == ("INVALID_JSON", 400)


def test_json_holds_so_many_values_and_no_more() -> None:
    assert len(parse(b"[" + b"1," * (VALUES - 1) + b"1]")) == VALUES
    for spaces in (b"", b" " * 20):
        with pytest.raises(Ima2Error, match="values"):
            parse(b"[" + (b"1," + spaces) * VALUES + b"1]")


async def test_large_bodies_are_parsed_one_at_a_time(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0

    def slow(raw: bytes) -> dict[str, int]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return {"size": len(raw)}

    monkeypatch.setattr(bodies, "parse", slow)
    senders = [Sender(app, 2 * MB, pieces=2) for _ in range(4)]
    for one in senders:
        one.go.set()
    read = await asyncio.gather(*(read_json(one.request, 50 * MB) for one in senders))
    assert (most, read) == (1, [{"size": 2 * MB}] * 4)
