"""One job from its first word to its end, with providers that behave in one odd way each."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ima2 import Artifact, Event, Ima2Error, ImageRequest, Job, Label, Phase, Picture, Receipt, Update, VideoRequest
from ima2.testing import EchoProvider, FilmProvider, MemoryStorage, RecordingSink, StallingProvider, picture, plugin

REQUEST = ImageRequest("a boat", "odd", count=2)


class Odd(EchoProvider):
    """Begins, does its one odd thing, and writes down that it was closed."""

    id = "odd"
    closed = 0

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        try:
            yield Phase("streaming")
            async for update in self.odd(request, job):
                yield update
        finally:
            self.closed += 1

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Artifact(picture())


class Late(Odd):
    """Delivers some pictures and then never ends."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.pictures = pictures

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        for index in range(self.pictures):
            yield Artifact(picture(), index)
        await asyncio.sleep(3600)


async def failure(handle: Any) -> Ima2Error:
    with pytest.raises(Ima2Error) as caught:
        await handle.result()
    return caught.value


async def test_a_job_that_takes_too_long_ends_with_its_provider_closed(ima2_runtime: Any) -> None:
    late, sink = Late(0), RecordingSink()
    parts = plugin(providers=[late], event_sinks=[sink])
    async with ima2_runtime(parts=parts, environ={"IMA2_JOB_TIMEOUT_S": "0.2"}) as runtime:
        handle = await runtime.studio.submit(REQUEST)
        error = await failure(handle)
        record = await runtime.jobs.wait(handle.id)
    assert (error.code, error.status) == ("JOB_TIMEOUT", 504)
    assert (record.status, record.http_status, record.error_code) == ("error", 504, "JOB_TIMEOUT")
    assert [(event.name, event.data["code"]) for event in sink.events if event.terminal] == [("error", "JOB_TIMEOUT")]
    assert late.closed == 1


async def test_a_job_that_takes_too_long_after_its_first_picture_keeps_it_and_says_so(ima2_runtime: Any) -> None:
    late = Late(1)
    async with ima2_runtime(parts=plugin(providers=[late]), environ={"IMA2_JOB_TIMEOUT_S": "0.5"}) as runtime:
        result = await (await runtime.studio.submit(REQUEST)).result()
        record = await runtime.jobs.wait(result.id)
    assert (len(result.kept), [one.index for one in result.failed]) == (1, [1])
    assert {"code": "IMAGE_FAILED", "index": 1, "reason": "JOB_TIMEOUT"} in result.warnings
    assert (record.status, late.closed) == ("completed", 1)


class Impatient(Odd):
    """Gives up by itself, as something inside it takes too long."""

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(3600)
        yield Artifact(picture())


async def test_a_providers_own_impatience_is_not_the_jobs_limit(ima2_runtime: Any) -> None:
    async with ima2_runtime(parts=plugin(providers=[Impatient()])) as runtime:
        error = await failure(await runtime.studio.submit(REQUEST))
    assert error.code == "PROVIDER_CRASHED"
    assert "TimeoutError" in error.text


class Deaf(Odd):
    """Swallows its cancellation and goes on to deliver."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.delivered = asyncio.Event(), asyncio.Event()

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Artifact(picture(), 0)
        self.begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        yield Artifact(picture(), 1)
        self.delivered.set()


async def test_what_a_cancelled_provider_delivers_later_changes_nothing_any_more(ima2_runtime: Any) -> None:
    deaf, sink = Deaf(), RecordingSink()
    async with ima2_runtime(parts=plugin(providers=[deaf], event_sinks=[sink])) as runtime:
        handle = await runtime.studio.submit(REQUEST, Label("j"))
        await deaf.begun.wait()
        assert await handle.cancel()
        await asyncio.wait_for(deaf.delivered.wait(), 5)
        error = await failure(handle)
        await asyncio.sleep(0.05)
        record = await runtime.jobs.store.get("j")
        rows = (await runtime.library.page(_query())).items
        assert runtime.jobs.count == 0
    assert error.code == "GENERATION_CANCELED"
    assert (record.status, len(record.files), len(rows)) == ("canceled", 1, 1)
    assert [event.name for event in sink.events if event.terminal] == ["error"]


def _query() -> Any:
    from ima2.library_api import LibraryQuery

    return LibraryQuery()


async def test_the_work_of_a_clip_that_is_collected_counts_from_its_first_start(
    ima2_runtime: Any, tmp_path: Path
) -> None:
    first, second, storage = FilmProvider(hold="submitted"), FilmProvider(), MemoryStorage()
    environ = {"IMA2_STORAGE": "memory"}
    async with ima2_runtime(parts=plugin(providers=[first], storages=[storage]), environ=environ) as runtime:
        await runtime.studio.submit(VideoRequest("a boat", "film", duration=5), Label("v"))
        await first.held.wait()
        file = runtime.settings.database
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE ima2_jobs SET started_at = started_at - 90000")
    connection.close()
    sink = RecordingSink()
    parts = plugin(providers=[second], storages=[storage], event_sinks=[sink])
    async with ima2_runtime(parts=parts, environ=environ) as runtime:
        record = await runtime.jobs.wait("v")
        (row,) = (await runtime.library.page(_query())).items
    assert [receipt.id for receipt in second.resumed] == ["film-v"]
    assert (record.status, second.asked) == ("completed", [])
    assert 90 <= row.facts["elapsed"] < 120
    assert [event.name for event in sink.events if event.terminal] == ["done"]


class Ordering(Odd):
    """Orders twice, is refused for one, and delivers the other or nothing."""

    marks_orders = True

    def __init__(self, status: int, receipt: bool = False) -> None:
        super().__init__()
        self.refusal, self.receipt = Ima2Error("REFUSED", status, "No."), receipt

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        await job.order()
        if self.receipt:
            yield Receipt("r-1")
        raise self.refusal


@pytest.mark.parametrize(
    ("status", "receipt", "marked"), [(400, False, False), (429, False, False), (502, False, True), (400, True, True)]
)
async def test_an_order_that_was_refused_is_no_order(
    ima2_runtime: Any, status: int, receipt: bool, marked: bool
) -> None:
    async with ima2_runtime(parts=plugin(providers=[Ordering(status, receipt)])) as runtime:
        assert (await failure(await runtime.studio.submit(REQUEST, Label("j")))).code == "REFUSED"
        record = await runtime.jobs.store.get("j")
    assert (record.ordered_at is not None) is marked


async def test_a_provider_that_marks_no_orders_is_marked_before_it_is_asked(ima2_runtime: Any) -> None:
    seen: list[Any] = []

    class Watching(Odd):
        async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
            seen.append((await runtime.jobs.store.get(job.id)).ordered_at)
            yield Artifact(picture())

    class Free(Watching):
        id = "free"
        free = True

    async with ima2_runtime(parts=plugin(providers=[Watching(), Free()])) as runtime:
        await (await runtime.studio.submit(REQUEST)).result()
        await (await runtime.studio.submit(ImageRequest("a boat", "free"))).result()
    assert [one is not None for one in seen] == [True, False]


async def test_the_limit_of_time_and_the_order_are_what_the_job_is_told(ima2_runtime: Any) -> None:
    told: list[float] = []

    class Asking(Odd):
        async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
            told.append(job.deadline)
            yield Artifact(picture())

    import time

    async with ima2_runtime(parts=plugin(providers=[Asking()]), environ={"IMA2_JOB_TIMEOUT_S": "100"}) as runtime:
        await (await runtime.studio.submit(REQUEST)).result()
    assert 90 < told[0] - time.monotonic() <= 100


async def test_the_files_of_a_job_are_named_by_its_label_alone(ima2_runtime: Any) -> None:
    async with ima2_runtime(parts=plugin(providers=[EchoProvider()])) as runtime:
        request = ImageRequest("a boat", "echo", count=2)
        label = Label("j-1", folder="trips", name="{id}-{index}-{hex}")
        first = await (await runtime.studio.submit(request, label)).result()
        record = runtime.jobs.get("j-1")
    keys = [one.key for one in first.kept]
    numbers = {key.removesuffix(".png").rpartition("-")[2] for key in keys}
    assert [key.rpartition("-")[0] for key in keys] == ["trips/j-1-0", "trips/j-1-1"]
    assert len(numbers) == 1
    assert len(numbers.pop()) == 8
    assert tuple(record.files) == tuple(keys)


async def test_a_follower_that_comes_late_hears_the_end_and_one_that_comes_early_all(ima2_runtime: Any) -> None:
    async with ima2_runtime(parts=plugin(providers=[EchoProvider()])) as runtime:
        handle = await runtime.studio.submit(ImageRequest("a boat", "echo", partials=1))
        early = [event async for event in handle.events()]
        late = [event async for event in handle.events()]
    assert [event.name for event in early] == ["phase", "partial", "done"]
    assert [event.name for event in late] == ["done"]
    assert {event.data.get("requestId", handle.id) for event in early} == {handle.id}
    assert handle.data == late[0].data


async def test_a_job_that_is_refused_a_place_gives_back_what_was_set_aside_and_keeps_no_inputs(
    ima2_runtime: Any,
) -> None:
    from ima2 import Policy

    class Budget(Policy):
        id = "budget"
        seen: list[tuple[Any, ...]] = []  # noqa: RUF012

        async def reserve(self, job_id: str, request: Any, label: Label, estimate: float | None) -> None:
            self.seen.append(("reserve", job_id))

        async def settle(self, job_id: str, cost: float | None, *, known: bool) -> None:
            self.seen.append(("settle", job_id, cost, known))

    budget, late, storage = Budget(), Late(0), MemoryStorage()
    parts = plugin(providers=[late, EchoProvider()], policies=[budget], storages=[storage])
    async with ima2_runtime(parts=parts, environ={"IMA2_MAX_JOBS": "1", "IMA2_STORAGE": "memory"}) as runtime:
        first = await runtime.studio.submit(ImageRequest("a", "odd", references=(picture(),)), Label("a"))
        with pytest.raises(Ima2Error) as caught:
            await runtime.studio.submit(ImageRequest("b", "echo", references=(picture(),)), Label("b"))
        held = [one.key async for one in storage.list(".jobs/")]
        await first.cancel()
        await runtime.studio.close()
        left = [one.key async for one in storage.list(".jobs/")]
    assert caught.value.code == "TOO_MANY_JOBS"
    assert budget.seen[:3] == [("reserve", "a"), ("reserve", "b"), ("settle", "b", 0.0, True)]
    assert budget.seen[3] == ("settle", "a", None, True)
    assert (len(held), left) == (1, [])


async def test_a_feature_tells_its_own_events_and_never_an_end(ima2_runtime: Any) -> None:
    sink = RecordingSink()

    async def work(job: Any) -> Mapping[str, Any]:
        job.phase("planning")
        job.tell("step", {"n": 1})
        for name in ("done", "error"):
            with pytest.raises(ValueError, match="ends a job"):
                job.tell(name, {})
        return {"answer": 42}

    async with ima2_runtime(parts=plugin(providers=[EchoProvider()], event_sinks=[sink])) as runtime:
        result = await (await runtime.studio.run(Label("j", "planner"), work)).result()
        record = await runtime.jobs.wait("j")
    assert result.data == {"requestId": "j", "answer": 42}
    assert (record.status, record.phase, record.kind) == ("completed", "planning", "planner")
    told: list[Event] = [event for event in sink.events if event.name in ("step", "done", "error")]
    assert [(event.name, event.data) for event in told] == [
        ("step", {"requestId": "j", "n": 1}),
        ("done", {"requestId": "j", "answer": 42}),
    ]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_what_a_feature_has_asked_for_stops_with_it(ima2_runtime: Any, how: str) -> None:
    stall = StallingProvider()

    async def work(job: Any) -> Mapping[str, Any]:
        await job.submit(ImageRequest("a boat", "stall"), Label("part"))
        await stall.begun.wait()
        if how == "failed":
            raise Ima2Error("PLAN_FAILED", 422, "No.")
        await asyncio.sleep(3600)
        return {}

    async with ima2_runtime(parts=plugin(providers=[stall])) as runtime:
        handle = await runtime.studio.run(Label("whole"), work)
        await stall.begun.wait()
        if how == "cancelled":
            await handle.cancel()
        error = await failure(handle)
        part = await asyncio.wait_for(runtime.jobs.wait("part"), 5)
    assert error.code == ("GENERATION_CANCELED" if how == "cancelled" else "PLAN_FAILED")
    assert (part.status, stall.canceled) == ("canceled", 1)


async def test_a_feature_whose_id_is_taken_is_refused(ima2_runtime: Any) -> None:
    async def work(job: Any) -> Mapping[str, Any]:
        await asyncio.sleep(3600)
        return {}

    async with ima2_runtime(parts=plugin(providers=[EchoProvider()])) as runtime:
        await runtime.studio.run(Label("j"), work)
        with pytest.raises(Ima2Error) as caught:
            await runtime.studio.run(Label("j"), work)
        assert caught.value.code == "REQUEST_ID_IN_USE"
        assert [record.id for record in runtime.jobs.active()] == ["j"]


class Torn(Odd):
    """Delivers one picture that ends early, and one whole."""

    async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Artifact(Picture(picture().data[:-20], "image/png"), 0)
        yield Artifact(picture(), 1)


async def test_what_came_of_a_picture_that_ends_early_is_kept_aside_and_named(ima2_client: Any) -> None:
    async with ima2_client(parts=plugin(providers=[Torn()])) as client:
        answer = (await client.post("/api/generate", json={"prompt": "x", "provider": "odd", "n": 2})).json()
        (aside,) = [one for one in answer["warnings"] if "url" in one]
        kept = await client.get(aside["url"])
    assert (answer["count"], answer["failures"]) == (1, [{"index": 0, "code": "PICTURE_INCOMPLETE"}])
    assert aside["code"] == "PICTURE_INCOMPLETE"
    assert kept.content == picture().data[:-20]


async def test_a_gallery_that_cannot_take_a_picture_is_quoted_and_the_picture_lies_aside(ima2_runtime: Any) -> None:
    class Full(MemoryStorage):
        async def put(self, key: str, data: bytes) -> Any:
            if not key.startswith("."):
                raise Ima2Error("BUCKET_FULL", 507, "The bucket is full.")
            return await super().put(key, data)

    class Odder(Full):
        async def put(self, key: str, data: bytes) -> Any:
            raise ValueError("a boat")

    for storage, reason in ((Full(), "The bucket is full."), (Odder(), "ValueError")):
        parts = plugin(providers=[EchoProvider()], storages=[storage])
        async with ima2_runtime(parts=parts, environ={"IMA2_STORAGE": "memory"}) as runtime:
            result = await (await runtime.studio.submit(ImageRequest("a boat", "echo"))).result()
        (warning,) = [one for one in result.warnings if one["code"] == "STORAGE_FAILED"]
        assert reason in warning["message"]
        assert "a boat" not in warning["message"]
        assert result.kept[0].spooled
        assert warning["url"] == result.kept[0].url
        assert warning["filename"] == result.kept[0].key


async def test_a_picture_taken_out_of_the_gallery_before_its_job_is_over_is_told(ima2_runtime: Any) -> None:
    class Watched(Odd):
        async def odd(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
            yield Artifact(picture(), 0)
            (row,) = (await runtime.library.page(_query())).items
            await runtime.library.trash([row.key])
            yield Artifact(picture(), 1)

    async with ima2_runtime(parts=plugin(providers=[Watched()])) as runtime:
        result = await (await runtime.studio.submit(REQUEST)).result()
        (row,) = (await runtime.library.page(_query())).items
    (warning,) = [one for one in result.warnings if one["code"] == "FILE_GONE"]
    assert (warning["filename"], row.key) == (result.kept[0].key, result.kept[1].key)


async def test_the_address_of_a_clip_is_on_record_before_anything_happens_to_it(ima2_runtime: Any) -> None:
    class Broken(FilmProvider):
        async def videos(self, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
            yield Artifact(Picture(b"no clip", "video/mp4"), url="https://c.example/a.mp4")

    async with ima2_runtime(parts=plugin(providers=[Broken()])) as runtime:
        await failure(await runtime.studio.submit(VideoRequest("a boat", "film"), Label("v")))
        record = await runtime.jobs.wait("v")
    assert record.meta["provider_url"] == "https://c.example/a.mp4"
