"""``GET /api/events`` as a client meets it, under the real server."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time

import pytest
from tests.unit.sse.channel import Channel, Reader
from tests.unit.sse.conftest import Open

import ima2

PICTURE = ima2.Picture(os.urandom(1_500_000), "image/png")
DATA_URL = "data:image/png;base64," + base64.b64encode(PICTURE.data).decode()
PREVIEW = ima2.Picture(os.urandom(60_000), "image/webp")


async def gone(channel: Channel, left: int = 0) -> None:
    async with asyncio.timeout(5):
        while len(channel.sink.audience) > left:
            await asyncio.sleep(0.01)


async def cut_off(channel: Channel) -> None:
    async with asyncio.timeout(5):
        while not any(listener.slow for listener in channel.sink.audience.listeners):
            await asyncio.sleep(0.01)


async def test_the_head_comes_at_once_and_nothing_else(channel: Open) -> None:
    reader = await (await channel()).listen()
    assert reader.status == 200
    wanted = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "connection": "keep-alive",
        "x-accel-buffering": "no",
    }
    assert wanted.items() <= reader.headers.items()
    assert "content-length" not in reader.headers
    with pytest.raises(TimeoutError):
        await reader.next(0.1)


async def test_events_come_in_order_with_rising_ids_to_everyone(channel: Open) -> None:
    live = await channel()
    readers = [await live.listen() for _ in range(3)]
    for number in range(50):
        await live.tell("progress", n=number)
    for reader in readers:
        told = await reader.take(50)
        assert [one.id for one in told] == list(range(1, 51))
        assert [one.data for one in told] == [{"n": number, "jobId": "job"} for number in range(50)]


async def test_a_picture_arrives_whole_and_is_left_out_of_the_replay(channel: Open) -> None:
    live = await channel()
    reader = await live.listen()
    await live.tell("phase", phase="streaming")
    await live.tell("done", terminal=True, image=PICTURE, filename="a b.png")
    phase, done = await reader.take(2)
    assert done.data == {"image": DATA_URL, "filename": "a b.png", "url": "/generated/a%20b.png", "jobId": "job"}
    back = await live.listen(cursor=str(phase.id))
    [again] = await back.take(1)
    assert (again.id, again.event) == (done.id, "done")
    assert again.data == {"filename": "a b.png", "url": "/generated/a%20b.png", "_imageOmitted": True, "jobId": "job"}


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", None, []),
        ("?lastEventId=0", None, [1, 2, 3]),
        ("?lastEventId=2", None, [3]),
        ("?lastEventId=2", "1", [2, 3]),
        ("?lastEventId=2", "soon", [3]),
        ("?lastEventId=soon", None, []),
        ("?lastEventId=", " 2 ", [3]),
        ("?lastEventId=1", "9" * 5000, [2, 3]),
        ("?lastEventId=-4", None, [1, 2, 3]),
    ],
)
async def test_the_cursor_decides_what_is_told_again(
    channel: Open, query: str, header: str | None, expected: list[int]
) -> None:
    live = await channel()
    for number in range(3):
        await live.tell("phase", n=number)
    await live.settled()
    reader = await live.listen(f"/api/events{query}", cursor=header)
    await live.tell("phase", n=9)
    assert [one.id for one in await reader.take(len(expected) + 1)] == [*expected, 4]


async def test_a_gap_is_told_without_an_id(channel: Open) -> None:
    live = await channel(ring=5)
    for number in range(20):
        await live.tell("phase", n=number)
    await live.settled()
    told = await (await live.listen("/api/events?lastEventId=3")).take(6)
    assert (told[0].id, told[0].event) == (None, "replay-gap")
    assert told[0].data == {"lastEventId": 3, "oldestAvailableId": 16}
    assert [one.id for one in told[1:]] == list(range(16, 21))


async def test_nothing_is_lost_or_doubled_between_replay_and_live(channel: Open) -> None:
    live = await channel()

    async def publish() -> None:
        for number in range(400):
            await live.tell("progress", n=number)
            await asyncio.sleep(0.0005)

    publishing = asyncio.create_task(publish())
    for _ in range(10):
        reader = await live.listen("/api/events?lastEventId=0")
        asked = len(await reader.take(30))
        assert asked == 30
        await asyncio.sleep(0.01)
    await publishing
    for reader in live.readers:
        assert [one.id for one in await reader.take(370)] == list(range(31, 401))


async def test_by_address_no_picture_travels(channel: Open) -> None:
    live = await channel()
    plain, slim = await live.listen(), await live.listen("/api/events?images=url")
    await live.tell("image", image=PICTURE, filename="a.png")
    await live.tell("done", terminal=True, images=[{"image": PICTURE, "filename": "a.png"}])
    image, done = await slim.take(2)
    assert image.data == {"image": "/generated/a.png", "filename": "a.png", "url": "/generated/a.png", "jobId": "job"}
    assert done.data["images"] == [{"image": "/generated/a.png", "filename": "a.png", "url": "/generated/a.png"}]
    heavy, last = await plain.take(2)
    assert heavy.data["image"] == last.data["images"][0]["image"] == DATA_URL
    assert (heavy.id, last.id) == (image.id, done.id)


async def test_by_address_a_preview_is_fetched_from_memory(channel: Open) -> None:
    live = await channel(preview_grace=0.2, heartbeat=0.1)
    slim = await live.listen("/api/events?images=url")
    await live.tell("partial", image=PREVIEW, index=0)
    [partial] = await slim.take(1)
    address = partial.data["image"]
    assert address.startswith("/api/events/previews/")
    answer = await live.listen(address)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert await answer.body() == PREVIEW.data
    await live.tell("done", terminal=True)
    await live.settled()
    assert (await live.listen(address)).status == 200
    async with asyncio.timeout(5):
        while (answer := await live.listen(address)).status == 200:
            await asyncio.sleep(0.05)
    assert answer.status == 404
    assert json.loads(await answer.body())["error"]["code"] == "PREVIEW_GONE"


async def test_no_preview_is_kept_when_nobody_wants_addresses(channel: Open) -> None:
    live = await channel()
    reader = await live.listen()
    await live.tell("partial", image=PREVIEW)
    assert (await reader.take(1))[0].data["image"].startswith("data:image/webp;base64,")
    assert live.sink.previews.size == 0


async def test_another_kind_of_images_is_refused(channel: Open) -> None:
    answer = await (await channel()).listen("/api/events?images=none")
    assert answer.status == 400
    assert json.loads(await answer.body())["error"]["code"] == "INVALID_IMAGES"


async def test_one_reader_too_many_is_refused_until_another_leaves(channel: Open) -> None:
    live = await channel(listeners=3)
    readers = [await live.listen() for _ in range(3)]
    refused = await live.listen()
    assert (refused.status, refused.headers["content-type"]) == (503, "application/json")
    error = json.loads(await refused.body())["error"]
    assert error["code"] == "SSE_CAPACITY"
    assert error["message"]
    await readers[0].close()
    await gone(live, 2)
    assert (await live.listen()).status == 200


async def test_silence_is_broken_by_a_comment(channel: Open) -> None:
    live = await channel(heartbeat=0.1)
    reader = await live.listen()
    assert [await asyncio.wait_for(reader.block(), 2) for _ in range(3)] == [b": ping"] * 3


async def test_a_reader_that_takes_nothing_holds_up_nobody_and_is_cut_off(channel: Open) -> None:
    live = await channel(stall=0.5, heartbeat=0.5)
    asleep, awake = await live.listen(window=4096), await live.listen()
    for number in range(8):
        await live.tell("image", image=PICTURE, n=number)
    assert [one.data["n"] for one in await awake.take(8)] == list(range(8))
    await cut_off(live)
    told = await asleep.rest()
    assert told[-1].event == "dropped"
    assert told[-1].id is None
    stopped = told[-1].data["lastEventId"]
    assert [one.id for one in told[:-1]] == list(range(1, stopped + 1))
    assert told[-1].data == {"reason": "slow", "lastEventId": stopped, "previewsDropped": 0}
    back = await live.listen(cursor=str(stopped))
    assert [one.id for one in await back.take(8 - stopped)] == list(range(stopped + 1, 9))


async def test_a_reader_that_never_reads_loses_its_connection_and_counts_until_then(
    channel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ima2_plugins.sse.listener.LAST_WORDS", 0.5)
    live = await channel(stall=0.3, heartbeat=0.3, listeners=1)
    await live.listen(window=4096)
    for number in range(8):
        await live.tell("image", image=PICTURE, n=number)
    await cut_off(live)
    assert live.sink.audience.full
    assert len(live.server.server_state.connections) == 1
    await gone(live)
    async with asyncio.timeout(2):
        while live.server.server_state.connections:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("terminal", [False, True])
async def test_what_a_direct_job_makes_is_for_readers_by_address(channel: Open, terminal: bool) -> None:
    live = await channel()
    old, new = await live.listen(), await live.listen("/api/events?images=url")
    await live.tell("done" if terminal else "phase", terminal=terminal, direct=True, filename="a.png", image=PICTURE)
    await live.tell("error", terminal=True, direct=True, code="UPSTREAM_ERROR")
    await live.tell("error", terminal=True, direct=True, code="GENERATION_CANCELED")
    await live.tell("error", terminal=True, direct=True, error={"code": "GENERATION_CANCELED"})
    await live.tell("done", terminal=True, image=PICTURE)
    assert [one.id for one in await new.take(5)] == [1, 2, 3, 4, 5]
    assert [one.id for one in await old.take(3)] == [3, 4, 5]
    again = await live.listen(cursor="0")
    assert [one.id for one in await again.take(3)] == [3, 4, 5]


async def test_a_reader_too_far_behind_loses_previews_first(channel: Open) -> None:
    live = await channel(backlog=6_500_000)
    asleep = await live.listen(window=4096)
    for number in range(4):
        await live.tell("partial", image=PICTURE, n=number)
    for number in range(2):
        await live.tell("image", image=PICTURE, n=number)
    await live.settled()
    assert len(live.sink.audience) == 1
    told = [(one.event, one.data["n"]) for one in await asleep.take(3)]
    assert told == [("partial", 0), ("image", 0), ("image", 1)]


async def test_a_reader_that_hangs_up_in_the_middle_is_forgotten(channel: Open) -> None:
    live = await channel()
    reader = await live.listen(window=4096)
    for _ in range(4):
        await live.tell("image", image=PICTURE)
    await live.settled()
    await reader.close()
    await gone(live)


async def test_streams_end_at_once_when_the_channel_closes(channel: Open) -> None:
    live = await channel()
    readers = [await live.listen() for _ in range(5)]
    await live.tell("error", terminal=True, code="SERVER_STOPPING")
    started = time.monotonic()
    await live.sink.close()
    for reader in readers:
        assert [one.event for one in await reader.rest()] == ["error"]
    assert time.monotonic() - started < 1


async def test_the_description_of_the_interface_names_parameters_and_answers(channel: Open) -> None:
    described = (await channel()).app.openapi()["paths"]
    operation = described["/api/events"]["get"]
    assert {(one["in"], one["name"]) for one in operation["parameters"]} == {
        ("header", "Last-Event-ID"),
        ("query", "lastEventId"),
        ("query", "images"),
    }
    assert {"200", "400", "503"} <= operation["responses"].keys()
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    assert {"200", "404"} <= described["/api/events/previews/{token}"]["get"]["responses"].keys()


async def test_a_thousand_small_events_reach_many_readers(channel: Open) -> None:
    live = await channel()
    readers = [await live.listen() for _ in range(40)]

    async def read(reader: Reader) -> list[int | None]:
        return [one.id for one in await reader.take(1000)]

    reading = asyncio.gather(*(read(reader) for reader in readers))
    for number in range(1000):
        await live.tell("progress", n=number)
    assert await reading == [list(range(1, 1001))] * 40
