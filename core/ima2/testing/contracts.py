"""What every part of a kind must do, as test classes to inherit.

An inherited test may be switched off only by marking it ``xfail`` with a reason in the subclass; a test
of each suite sees to that.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ima2.contracts import EventSink, Storage, Thumbnailer
from ima2.errors import Ima2Error
from ima2.media.sniff import media_type_of, size_of
from ima2.models import Event, Picture
from ima2.testing.fakes import picture
from ima2.testing.provider_contract import SLUG, ProviderContract
from ima2.testing.suite import Suite

__all__ = ["ProviderContract", "SinkContract", "StorageContract", "ThumbnailerContract"]


class StorageContract(Suite):
    """Override the fixture ``storage`` with an empty one."""

    @pytest.fixture
    def storage(self) -> Storage:
        pytest.fail("override the fixture `storage`")

    @pytest.fixture
    async def opened(self, storage: Storage) -> Any:
        await storage.open()
        yield storage
        await storage.close()

    @pytest.mark.asyncio
    async def test_what_is_put_can_be_read_whole_and_in_part(self, opened: Storage) -> None:
        stored = await opened.put("a.png", b"0123456789")
        assert (stored.key, stored.size) == ("a.png", 10)
        assert await opened.get("a.png") == b"0123456789"
        assert await opened.get("a.png", 2, 5) == b"234"
        assert await opened.get("a.png", 8) == b"89"
        assert b"".join([piece async for piece in opened.stream("a.png", 1, 9)]) == b"12345678"

    @pytest.mark.asyncio
    async def test_putting_again_replaces(self, opened: Storage) -> None:
        await opened.put("a.png", b"old")
        await opened.put("a.png", b"new and longer")
        assert await opened.get("a.png") == b"new and longer"
        assert (await opened.stat("a.png")).size == 14

    @pytest.mark.asyncio
    async def test_a_list_holds_everything_below_a_prefix(self, opened: Storage) -> None:
        for key in ("a.png", "set/b.png", "set/c.png"):
            await opened.put(key, b"x")
        assert sorted([one.key async for one in opened.list()]) == ["a.png", "set/b.png", "set/c.png"]
        assert sorted([one.key async for one in opened.list("set/")]) == ["set/b.png", "set/c.png"]

    @pytest.mark.asyncio
    async def test_moving_renames_and_never_overwrites(self, opened: Storage) -> None:
        await opened.put("a.png", b"a")
        await opened.put("b.png", b"b")
        with pytest.raises(FileExistsError):
            await opened.move("a.png", "b.png")
        await opened.move("a.png", ".trash/a.png")
        assert await opened.get(".trash/a.png") == b"a"
        assert await opened.get("b.png") == b"b"

    @pytest.mark.asyncio
    async def test_what_is_missing_is_a_key_error(self, opened: Storage) -> None:
        await opened.put("a.png", b"a")
        await opened.delete("a.png")
        for call in (opened.get("a.png"), opened.stat("a.png"), opened.delete("a.png"), opened.move("a.png", "b.png")):
            with pytest.raises(KeyError):
                await call

    @pytest.mark.asyncio
    @pytest.mark.parametrize("key", ["../a.png", "/etc/passwd", "a/../../b", "a\x00.png", "", "a//b", "..", "a\\b"])
    async def test_a_name_that_is_no_key_reaches_nothing(self, opened: Storage, key: str) -> None:
        with pytest.raises(KeyError):
            await opened.put(key, b"x")
        with pytest.raises(KeyError):
            await opened.get(key)

    @pytest.mark.asyncio
    async def test_readers_see_an_object_whole_while_it_is_replaced(self, opened: Storage) -> None:
        whole = {b"a" * 200_000, b"b" * 200_000}
        await opened.put("a.png", b"a" * 200_000)

        async def write() -> None:
            for turn in range(10):
                await opened.put("a.png", (b"b" if turn % 2 == 0 else b"a") * 200_000)

        writing = asyncio.create_task(write())
        while not writing.done():
            assert await opened.get("a.png") in whole
            await asyncio.sleep(0)  # a storage in memory never waits by itself
        await writing


class ThumbnailerContract(Suite):
    """Override the fixture ``thumbnailer``."""

    @pytest.fixture
    def thumbnailer(self) -> Thumbnailer:
        pytest.fail("override the fixture `thumbnailer`")

    @pytest.mark.asyncio
    async def test_it_makes_a_jpeg_no_wider_than_asked(self, thumbnailer: Thumbnailer) -> None:
        for media_type in self._pictures(thumbnailer):
            small = await thumbnailer.thumbnail(picture(800, 400, media_type), 320)
            assert media_type_of(small) == "image/jpeg"
            assert size_of(small) == (320, 160)

    @pytest.mark.asyncio
    async def test_it_never_enlarges(self, thumbnailer: Thumbnailer) -> None:
        for media_type in self._pictures(thumbnailer):
            assert size_of(await thumbnailer.thumbnail(picture(40, 30, media_type), 320)) == (40, 30)

    @pytest.mark.asyncio
    async def test_what_is_no_picture_is_refused(self, thumbnailer: Thumbnailer) -> None:
        for media_type in thumbnailer.media_types:
            with pytest.raises(Ima2Error) as caught:
                await thumbnailer.thumbnail(Picture(b"this is certainly no picture" * 10, media_type))
            assert caught.value.code == "IMAGE_INVALID"

    @pytest.mark.asyncio
    async def test_it_may_be_closed_twice(self, thumbnailer: Thumbnailer) -> None:
        await thumbnailer.open()
        await thumbnailer.close()
        await thumbnailer.close()

    @staticmethod
    def _pictures(thumbnailer: Thumbnailer) -> list[str]:
        return [name for name in thumbnailer.media_types if name.startswith("image/")]


class SinkContract(Suite):
    """Override the fixture ``sink``."""

    @pytest.fixture
    def sink(self) -> EventSink:
        pytest.fail("override the fixture `sink`")

    def test_its_id_is_a_slug(self, sink: EventSink) -> None:
        assert SLUG.fullmatch(sink.id)

    @pytest.mark.asyncio
    async def test_it_takes_every_kind_of_event(self, sink: EventSink) -> None:
        await sink.open()
        small = picture()
        events = [
            Event("phase", "job-1", {"requestId": "job-1", "phase": "streaming"}),
            Event("partial", "job-1", {"requestId": "job-1", "image": small, "index": 0}),
            Event("progress", "job-1", {"requestId": "job-1", "progress": 0.5}),
            Event("done", "job-1", {"requestId": "job-1", "images": [{"image": small, "filename": "a.png"}]}, True),
            Event("error", "job-2", {"requestId": "job-2", "error": "no", "code": "NO", "status": 500}, True),
        ]
        async with asyncio.timeout(5):
            for event in events:
                await sink.handle(event)
        await sink.close()

    @pytest.mark.asyncio
    async def test_it_may_be_closed_twice(self, sink: EventSink) -> None:
        await sink.open()
        await sink.close()
        await sink.close()
