"""What every part of a kind must do, as test classes to inherit.

An inherited test may be switched off only by marking it ``xfail`` with a reason in the subclass; a test
of each suite sees to that.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest

from ima2.capabilities import ProviderStatus
from ima2.contracts import EventSink, Job, Provider, Storage, Thumbnailer
from ima2.errors import Ima2Error
from ima2.media.sniff import media_type_of, size_of
from ima2.models import Artifact, Event, ImageRequest, Picture, Progress, Update, VideoRequest
from ima2.testing.fakes import picture

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")


class _Suite:
    def test_no_inherited_test_is_switched_off_in_silence(self) -> None:
        """A subclass may replace a test only to mark it as an expected failure, with a reason."""
        for name in dir(type(self)):
            if not name.startswith("test_"):
                continue
            homes = [kind for kind in type(self).__mro__ if name in vars(kind)]
            if len(homes) > 1 and homes[-1].__module__ == __name__:
                marks = getattr(getattr(type(self), name), "pytestmark", [])
                excused = any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
                assert excused, f"{name} is replaced without an xfail that gives a reason"


class ProviderContract(_Suite):
    """Override the fixture ``provider``; it may talk to a fake upstream, never to a real one.

    ``image_request`` is what it is asked for, ``secrets`` are texts that must never show.
    """

    @pytest.fixture
    def provider(self) -> Provider:
        pytest.fail("override the fixture `provider`")

    @pytest.fixture
    def image_request(self, provider: Provider) -> ImageRequest:
        able = provider.capabilities
        defaults = {option.name: option.default for option in able.options}
        return ImageRequest("a small boat", provider.id, able.default_model, able.default_size, options=defaults)

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return ()

    def test_its_id_is_a_slug_and_it_has_a_title(self, provider: Provider) -> None:
        assert SLUG.fullmatch(provider.id)
        assert provider.title.strip()

    def test_its_capabilities_agree_with_each_other(self, provider: Provider) -> None:
        able = provider.capabilities
        models = {model.id: model for model in able.models}
        assert able.media
        assert not able.models or models[able.default_model].supported
        assert able.max_count >= 1
        assert set(able.formats) <= {"png", "jpeg", "webp"}
        assert len({option.name for option in able.options}) == len(able.options)
        assert all(not option.values or option.default in option.values for option in able.options)
        assert ("video" in able.media) == (able.video is not None)

    def test_its_problem_is_one_sentence_or_none(self, provider: Provider) -> None:
        problem = provider.problem()
        assert problem is None or (problem.strip() and "\n" not in problem)

    def test_no_secret_shows(self, provider: Provider, secrets: tuple[str, ...]) -> None:
        shown = repr(provider) + str(provider.problem()) + repr(provider.about()) + repr(provider.runtime())
        assert not [secret for secret in secrets if secret in shown]

    @pytest.mark.asyncio
    async def test_its_pictures_are_whole_and_numbered(self, provider: Provider, image_request: ImageRequest) -> None:
        self._skip_without(provider, "image")
        artifacts = [one for one in await _all(provider, image_request) if isinstance(one, Artifact)]
        assert [one.index for one in artifacts] == [0]
        for one in artifacts:
            assert media_type_of(one.picture.data) == one.picture.media_type
            assert size_of(one.picture.data) is not None

    @pytest.mark.asyncio
    async def test_progress_only_goes_forward(self, provider: Provider, image_request: ImageRequest) -> None:
        self._skip_without(provider, "image")
        steps = [one.fraction for one in await _all(provider, image_request) if isinstance(one, Progress)]
        known = [step for step in steps if step is not None]
        assert known == sorted(known)
        assert all(0 <= step <= 1 for step in known)

    @pytest.mark.asyncio
    async def test_stopping_half_way_leaves_nothing_running(
        self, provider: Provider, image_request: ImageRequest
    ) -> None:
        self._skip_without(provider, "image")
        before = asyncio.all_tasks()
        updates = cast(AsyncGenerator[Update, None], provider.images(image_request, Job("contract")))
        async for _ in updates:
            break
        await updates.aclose()
        await asyncio.sleep(0.05)
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        assert not left, f"still running: {left}"

    @pytest.mark.asyncio
    async def test_a_medium_it_does_not_offer_is_refused(self, provider: Provider) -> None:
        if "video" in provider.capabilities.media:
            pytest.skip("it offers video")
        with pytest.raises(Ima2Error) as caught:
            async for _ in provider.videos(VideoRequest("a boat", provider.id), Job("contract")):
                pass
        assert caught.value.status == 400

    @pytest.mark.asyncio
    async def test_its_status_comes_in_time(self, provider: Provider) -> None:
        async with asyncio.timeout(10):
            assert isinstance(await provider.status(), ProviderStatus)

    @pytest.mark.asyncio
    async def test_it_may_be_closed_twice(self, provider: Provider) -> None:
        await provider.open()
        await provider.close()
        await provider.close()

    def _skip_without(self, provider: Provider, medium: Any) -> None:
        if medium not in provider.capabilities.media:
            pytest.skip(f"it offers no {medium}")


class StorageContract(_Suite):
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


class ThumbnailerContract(_Suite):
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


class SinkContract(_Suite):
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


async def _all(provider: Provider, request: ImageRequest) -> list[Update]:
    async with asyncio.timeout(60):
        return [update async for update in provider.images(request, Job("contract"))]
