"""Ids and replay across restarts, kills and a failing disk."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.sse.channel import sink_over

import ima2
from ima2.database.sqlite import Database
from ima2_plugins.sse.payloads import Rendering
from ima2_plugins.sse.sink import PRUNE_EVERY, SseSink

PICTURE = ima2.Picture(b"p" * 5000, "image/png")


async def tell(sink: SseSink, *events: ima2.Event) -> None:
    for event in events:
        await sink.handle(event)
    await sink._waiting.join()


def phase(number: int, **data: Any) -> ima2.Event:
    return ima2.Event("phase", "job", {"n": number, **data})


def told(sink: SseSink, cursor: int | None, rendering: Rendering = "data") -> list[tuple[int, dict[str, Any]]]:
    listener = sink.subscribe(rendering, cursor)
    assert listener is not None
    frames = b"".join(iter(listener.take, None)).split(b"\n\n")[:-1]
    sink.audience.remove(listener)
    found = [dict(line.split(b": ", 1) for line in frame.split(b"\n")) for frame in frames]
    return [(int(frame.get(b"id", b"0")), json.loads(frame[b"data"])) for frame in found]


async def test_a_client_comes_back_after_a_restart_and_misses_nothing(path: Path) -> None:
    async with sink_over(path) as sink:
        await tell(sink, phase(1), phase(2), ima2.Event("done", "job", {"image": PICTURE, "filename": "a.png"}, True))
    async with sink_over(path) as sink:
        assert told(sink, 1) == [
            (2, {"n": 2, "jobId": "job"}),
            (3, {"filename": "a.png", "url": "/generated/a.png", "_imageOmitted": True, "jobId": "job"}),
        ]
        assert told(sink, 2, "url")[0][1]["image"] == "/generated/a.png"
        await tell(sink, phase(4))
        [(number, data)] = told(sink, 3)
        assert number > 3
        assert data == {"n": 4, "jobId": "job"}


async def test_without_a_database_of_before_the_client_is_told_so(path: Path) -> None:
    async with sink_over(path) as sink:
        assert told(sink, 12) == [(0, {"lastEventId": 12, "oldestAvailableId": 1})]


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
import ima2
from tests.unit.sse.channel import sink_over

async def main():
    async with sink_over(Path(sys.argv[1])) as sink:
        listener = sink.subscribe("data", None)
        for number in range(30):
            await sink.handle(ima2.Event("phase", "job", {"n": number}))
        while True:
            await listener.filled()
            chunk = listener.take()
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            if listener.last_id >= 20:
                os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_delivered_before_a_kill_is_known_after_it(path: Path) -> None:
    root = Path(__file__).parents[3]
    environ = {"PYTHONPATH": ":".join(str(root / folder) for folder in ("core", "plugins", "."))}
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CHILD, str(path)], env=environ, cwd=root, capture_output=True, timeout=60
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    delivered = [int(line[4:]) for line in child.stdout.split(b"\n") if line.startswith(b"id: ")]
    assert delivered[-1] >= 20
    async with sink_over(path) as sink:
        assert [number for number, _ in told(sink, 0)][: len(delivered)] == delivered
        await tell(sink, phase(99))
        [*_, (newest, data)] = told(sink, delivered[-1])
        assert newest > 30
        assert data["n"] == 99


async def test_the_table_is_kept_to_the_size_of_the_ring(path: Path) -> None:
    async with sink_over(path, ring=20) as sink:
        await tell(sink, ima2.Event("done", "first", {}, terminal=True))
        for number in range(3 * PRUNE_EVERY):
            await sink.handle(phase(number))
        await sink._waiting.join()
        rows = await sink._journal._database.read(
            lambda connection: [tuple(row) for row in connection.execute(text("SELECT id, terminal FROM sse_events"))]
        )
    assert len(rows) <= 20 + PRUNE_EVERY
    assert (1, 1) in rows
    async with sink_over(path, ring=20, keep_terminal=0.0) as sink:
        assert len(told(sink, 0)) == 20
    async with sink_over(path, ring=20) as sink:
        assert [number for number, _ in told(sink, 0)][:2] == [1, 3 * PRUNE_EVERY - 18]


async def test_a_failing_disk_is_logged_and_events_go_on_live(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with sink_over(path) as sink:
        await tell(sink, phase(1))
        await sink._journal._database.write(lambda connection: connection.execute(text("DROP TABLE sse_events")))
        listener = sink.subscribe("data", None)
        assert listener is not None
        await tell(sink, phase(2), phase(3))
        assert b"".join(iter(listener.take, None)).count(b"event: phase") == 2
        assert [number for number, _ in told(sink, 0)] == [1, 2, 3]
    assert "could not be written down" in caplog.text
    assert '"n"' not in caplog.text


async def test_an_event_that_is_no_json_is_a_logged_bug_and_takes_no_number(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with sink_over(path) as sink:
        await tell(sink, phase(1), phase(2, what=object()), ima2.Event("a\nb", "job", {}), phase(3))
        assert [(number, data["n"]) for number, data in told(sink, 0)] == [(1, 1), (2, 3)]
    assert caplog.text.count("cannot be sent") == 2


async def test_closing_writes_down_what_waits_and_may_happen_twice(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with sink_over(path) as sink:
        for number in range(40):
            await sink.handle(phase(number))
        await sink.close()
        await sink.close()
        await sink.handle(phase(41))
    assert "while the event channel was closed" in caplog.text
    async with sink_over(path) as sink:
        assert len(told(sink, 0)) == 40


def end(job: str, **more: Any) -> ima2.Event:
    return ima2.Event("done", job, {"n": 1}, terminal=True, **more)


async def test_a_flush_does_not_wait_for_what_comes_later(path: Path) -> None:
    async with sink_over(path) as sink:
        await sink.handle(end("first"))
        flushed = asyncio.create_task(sink.flush())
        for number in range(500):
            await sink.handle(phase(number))
            if flushed.done():
                break
        assert number < 499
        await flushed


async def test_who_is_meant_is_known_after_a_restart_too(path: Path) -> None:
    async with sink_over(path) as sink:
        await tell(sink, end("mine", direct=True), end("ours"))
    async with sink_over(path) as sink:
        assert [number for number, _ in told(sink, 0)] == [2]
        assert [number for number, _ in told(sink, 0, "url")] == [1, 2]


async def test_closing_waits_for_a_blocked_disk_only_so_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2_plugins.sse.sink.DRAIN", 0.2)
    async with sink_over(path) as sink:

        async def blocked(_: Any) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(sink._journal, "append", blocked)
        await sink.handle(phase(1))
        async with asyncio.timeout(2):
            await sink.close()


async def test_a_table_of_an_earlier_version_gains_its_column(path: Path) -> None:
    database = Database(path)
    await database.open([])
    old = (
        "CREATE TABLE sse_events (id INTEGER PRIMARY KEY, name TEXT, job_id TEXT, data TEXT, terminal BOOLEAN, "
        "created_at INTEGER)"
    )
    await database.write(lambda connection: connection.execute(text(old)))
    row = "INSERT INTO sse_events VALUES (7, 'done', 'job', '{}', 1, 9999999999999)"
    await database.write(lambda connection: connection.execute(text(row)))
    await database.close()
    async with sink_over(path) as sink:
        assert [number for number, _ in told(sink, 0)] == [7]


@pytest.mark.alone
async def test_encoding_many_megabytes_does_not_hold_up_the_loop(path: Path) -> None:
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            worst = max(worst, loop.time() - before)

    async with sink_over(path) as sink:
        listener = sink.subscribe("data", None)
        assert listener is not None
        lags = []
        for _ in range(5):  # the machine may be busy with something else once
            worst, watching = 0.0, asyncio.create_task(watch())
            await tell(sink, ima2.Event("done", "job", {"image": ima2.Picture(bytes(40_000_000), "image/png")}))
            watching.cancel()
            lags.append(worst)
            assert sum(map(len, iter(listener.take, None))) > 53_000_000
    assert min(lags) < 0.02


async def test_an_end_counts_as_stored_once_it_is_in_the_journal(path: Path) -> None:
    before = int(time.time() * 1000)
    async with sink_over(path) as sink:
        await sink.handle(ima2.Event("done", "job", {"answer": 1}, True))
        await asyncio.wait_for(sink.flush(), 5)
        assert await sink.has_end("job", before)
        assert not await sink.has_end("job", int(time.time() * 1000) + 1000)
        assert not await sink.has_end("another", before)


async def test_an_end_that_a_locked_database_did_not_take_is_written_down_when_it_is_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sink_over(path, heartbeat=0.1) as sink:
        append, busy = sink._journal.append, True

        async def locked(*entries: Any) -> Any:
            if busy:
                raise ima2.Ima2Error("DB_BUSY", 503, "locked")
            return await append(*entries)

        monkeypatch.setattr(sink._journal, "append", locked)
        await tell(sink, phase(1), ima2.Event("done", "job", {"n": 2}, True))
        flush = asyncio.create_task(sink.flush())
        await asyncio.sleep(0.1)
        assert not flush.done()
        assert [data["n"] for _, data in told(sink, 0)] == [1, 2]
        busy = False
        await asyncio.wait_for(flush, 5)
    async with sink_over(path) as sink:
        assert [data for _, data in told(sink, 1)] == [{"n": 2, "jobId": "job"}]


async def test_an_end_that_the_database_refuses_for_good_is_not_called_stored(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sink_over(path) as sink:

        async def taken(*entries: Any) -> None:
            raise RuntimeError("UNIQUE constraint failed")

        monkeypatch.setattr(sink._journal, "append", taken)
        await sink.handle(ima2.Event("done", "job", {"n": 2}, True))
        with pytest.raises(OSError, match="could not be written down"):
            await asyncio.wait_for(sink.flush(), 5)


async def test_an_end_told_again_without_its_pictures_points_to_where_they_are(path: Path) -> None:
    async with sink_over(path) as sink:
        images = [{"image": None, "filename": "a.png"}]
        await tell(sink, ima2.Event("done", "job", {"image": None, "filename": "a.png", "images": images}, True))
        (number, data) = told(sink, 0)[0]
        assert (data["_imageOmitted"], data["images"][0]["_imageOmitted"]) == (True, True)
        assert told(sink, number - 1, "url")[0][1]["images"][0]["image"] == "/generated/a.png"


async def test_two_processes_over_one_journal_give_no_number_twice(path: Path) -> None:
    async with sink_over(path) as first, sink_over(path) as second:
        for number in range(20):
            for sink in (first, second):
                await sink.handle(ima2.Event("done", f"job{number}", {"n": number}, True))
        await asyncio.wait_for(asyncio.gather(first.flush(), second.flush()), 5)
        heard = [[number for number, _ in told(sink, 0)] for sink in (first, second)]
    assert [len(numbers) for numbers in heard] == [20, 20]
    assert len({*heard[0], *heard[1]}) == 40
    async with sink_over(path) as sink:
        assert [number for number, _ in told(sink, 0)] == sorted({*heard[0], *heard[1]})
