"""What every provider must do, as a test class to inherit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, cast

import pytest

from ima2.capabilities import ProviderStatus
from ima2.contracts import Job, Provider
from ima2.errors import Ima2Error
from ima2.kernel.guard import attempt
from ima2.media.completeness import is_complete
from ima2.media.sniff import media_type_of, size_of
from ima2.models import (
    Artifact,
    Failed,
    ImageRequest,
    Progress,
    Receipt,
    TextRequest,
    TextResult,
    Update,
    VideoRequest,
)
from ima2.studio.answers import INVALID, Answers
from ima2.testing.fakes import picture
from ima2.testing.suite import Suite

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*")
STEP_S = 2.0
"""How long a provider may hold up the event loop between two of its awaits, in seconds."""
Start = Callable[[], AsyncIterator[Update]]


class ProviderContract(Suite):
    """Override the fixture ``provider``; it may talk to a fake upstream, never to a real one.

    ``image_request``, ``video_request`` and ``text_request`` are what it is asked for, ``secrets`` are texts that must
    never show. Rules of media that it does not offer are skipped.
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
    def video_request(self, provider: Provider) -> VideoRequest:
        able, video = provider.capabilities, provider.capabilities.video
        if video is None:
            pytest.skip("it offers no video")
        mode = "text" if "text" in video.modes else video.modes[0]
        return VideoRequest(
            "a small boat in the rain",
            provider.id,
            (video.models.get(mode) or (able.default_video_model,))[0],
            mode,
            video.durations.get(mode, (5, 5))[0],
            video.resolutions[0] if video.resolutions else "",
            video.aspect_ratios[0] if video.aspect_ratios else "auto",
            source=picture(640, 360) if mode == "image" else None,
            options={option.name: option.default for option in able.options if "video" in option.media},
        )

    @pytest.fixture
    def text_request(self, provider: Provider) -> TextRequest:
        return TextRequest("Name three boats.", provider.id)

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return ()

    # -- what it says of itself ------------------------------------------------------------------

    def test_its_id_is_a_slug_and_it_has_a_title(self, provider: Provider) -> None:
        assert SLUG.fullmatch(provider.id)
        assert provider.title.strip()

    def test_its_capabilities_agree_with_each_other(self, provider: Provider) -> None:
        able = provider.capabilities
        models = {model.id: model for model in able.models}
        defaults = {"image": able.default_model, "video": able.default_video_model}
        assert able.media or able.text
        for medium in able.media:
            named = [model for model in able.models if model.media == medium]
            assert not named or models[defaults[medium]].supported
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

    # -- pictures --------------------------------------------------------------------------------

    @pytest.mark.asyncio
    async def test_its_pictures_are_whole_and_numbered(self, provider: Provider, image_request: ImageRequest) -> None:
        artifacts = _of(Artifact, await _all(self._images(provider, image_request)))
        assert [one.index for one in artifacts] == [0]
        for one in artifacts:
            assert media_type_of(one.picture.data) == one.picture.media_type
            assert size_of(one.picture.data) is not None
            assert is_complete(one.picture.data, one.picture.media_type), "the picture ends early"

    @pytest.mark.asyncio
    async def test_progress_only_goes_forward(self, provider: Provider, image_request: ImageRequest) -> None:
        _check_progress(await _all(self._images(provider, image_request)))

    @pytest.mark.asyncio
    async def test_all_that_it_yields_for_pictures_can_be_used(
        self, provider: Provider, image_request: ImageRequest
    ) -> None:
        _check_answers(provider, image_request, await _all(self._images(provider, image_request)))

    @pytest.mark.asyncio
    async def test_stopping_half_way_leaves_nothing_running(
        self, provider: Provider, image_request: ImageRequest
    ) -> None:
        await _stop_half_way(self._images(provider, image_request))

    @pytest.mark.asyncio
    async def test_being_cancelled_it_ends_in_time(self, provider: Provider, image_request: ImageRequest) -> None:
        await _cancel_half_way(self._images(provider, image_request))

    @pytest.mark.asyncio
    async def test_drawing_does_not_hold_up_the_loop(self, provider: Provider, image_request: ImageRequest) -> None:
        await _check_steps(self._images(provider, image_request))

    @pytest.mark.asyncio
    async def test_pictures_that_were_ordered_are_collected_and_not_ordered_again(
        self, provider: Provider, image_request: ImageRequest
    ) -> None:
        if type(provider).resume_images is Provider.resume_images:
            pytest.skip("it collects no pictures")
        receipts = _of(Receipt, await _all(self._images(provider, image_request)))
        if not receipts:
            pytest.skip("this request gave no receipt")
        job = Job("contract", receipt=receipts[-1])
        updates = await _all(lambda: provider.resume_images(receipts[-1], image_request, job))
        assert len(_of(Artifact, updates)) == 1
        assert {one.id for one in _of(Receipt, updates)} <= {receipts[-1].id}

    # -- clips -----------------------------------------------------------------------------------

    @pytest.mark.asyncio
    async def test_a_medium_it_does_not_offer_is_refused(self, provider: Provider) -> None:
        refused = []
        if "video" not in provider.capabilities.media:
            refused.append(lambda: provider.videos(VideoRequest("a boat", provider.id), Job("contract")))
        if "image" not in provider.capabilities.media:
            refused.append(lambda: provider.images(ImageRequest("a boat", provider.id), Job("contract")))
        for start in refused:
            with pytest.raises(Ima2Error) as caught:
                await _all(start)
            assert caught.value.status == 400

    @pytest.mark.asyncio
    async def test_its_clip_is_whole_and_comes_once(self, provider: Provider, video_request: VideoRequest) -> None:
        updates = await _all(lambda: provider.videos(video_request, Job("contract")))
        (clip,) = _of(Artifact, updates)
        assert media_type_of(clip.picture.data) == clip.picture.media_type
        assert clip.picture.media_type.startswith("video/")
        assert is_complete(clip.picture.data, clip.picture.media_type), "the clip ends early"
        _check_progress(updates)
        _check_answers(provider, video_request, updates)

    @pytest.mark.asyncio
    async def test_a_clip_that_was_ordered_is_collected_and_not_ordered_again(
        self, provider: Provider, video_request: VideoRequest
    ) -> None:
        if type(provider).resume is Provider.resume:
            pytest.skip("it collects no clips")
        updates = await _all(lambda: provider.videos(video_request, Job("contract")))
        kinds = [type(update) for update in updates]
        assert Receipt in kinds, "without a receipt nothing can be collected"
        assert kinds.index(Receipt) < kinds.index(Artifact), "the receipt comes before the clip"
        receipt = _of(Receipt, updates)[-1]
        again = await _all(lambda: provider.resume(receipt, video_request, Job("contract", receipt=receipt)))
        assert len(_of(Artifact, again)) == 1
        assert {one.id for one in _of(Receipt, again)} <= {receipt.id}
        _check_answers(provider, video_request, again)

    @pytest.mark.asyncio
    async def test_stopping_a_clip_half_way_leaves_nothing_running(
        self, provider: Provider, video_request: VideoRequest
    ) -> None:
        await _stop_half_way(lambda: provider.videos(video_request, Job("contract")))
        await _cancel_half_way(lambda: provider.videos(video_request, Job("contract")))

    # -- words, and the rest ---------------------------------------------------------------------

    @pytest.mark.asyncio
    async def test_words_are_answered_with_words(self, provider: Provider, text_request: TextRequest) -> None:
        if not provider.capabilities.text:
            with pytest.raises(Ima2Error) as caught:
                await provider.text(text_request)
            assert caught.value.status == 400
            return
        async with asyncio.timeout(60):
            answer = await provider.text(text_request)
        assert isinstance(answer, TextResult)
        assert answer.text.strip()

    @pytest.mark.asyncio
    async def test_its_status_comes_in_time(self, provider: Provider) -> None:
        async with asyncio.timeout(10):
            assert isinstance(await provider.status(), ProviderStatus)

    @pytest.mark.asyncio
    async def test_it_may_be_closed_twice(self, provider: Provider) -> None:
        await provider.open()
        await provider.close()
        await provider.close()

    @staticmethod
    def _images(provider: Provider, request: ImageRequest) -> Start:
        if "image" not in provider.capabilities.media:
            pytest.skip("it offers no image")
        return lambda: provider.images(request, Job("contract"))


async def _all(start: Start) -> list[Update]:
    async with asyncio.timeout(60):
        return [update async for update in start()]


def _of(kind: type[Any], updates: list[Update]) -> list[Any]:
    return [one for one in updates if isinstance(one, kind)]


def _check_progress(updates: list[Update]) -> None:
    steps = [one.fraction for one in _of(Progress, updates) if one.fraction is not None]
    assert steps == sorted(steps)
    assert all(0 <= step <= 1 for step in steps)


def _check_answers(provider: Provider, request: ImageRequest | VideoRequest, updates: list[Update]) -> None:
    """As the kernel does with every update of every job."""
    answers = Answers(provider, request)
    checked = [answers.check(update) for update in updates]
    broken = [one.error for one in checked if isinstance(one, Failed) and getattr(one.error, "code", "") == INVALID]
    assert [notice.text for notice in answers.notices] + [str(error) for error in broken] == []


async def _stop_half_way(start: Start) -> None:
    before = asyncio.all_tasks()
    updates = cast(AsyncGenerator[Update, None], start())
    async for _ in updates:
        break
    await updates.aclose()
    await _check_left(before)


async def _cancel_half_way(start: Start) -> None:
    before, begun = asyncio.all_tasks(), asyncio.Event()

    async def read() -> None:
        async for _ in start():
            begun.set()

    task = asyncio.create_task(read())
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({task, waiting}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done, "it goes on although it was cancelled"
    await _check_left(before)


async def _check_left(before: set[asyncio.Task[Any]]) -> None:
    await asyncio.sleep(0.05)
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left, f"still running: {left}"


async def _check_steps(start: Start) -> None:
    """Each step between two awaits is short; the guard measures them as it does with opening."""

    async def read() -> None:
        async for _ in start():
            pass

    error = await attempt("the provider", read, 60, longest=STEP_S)
    if error is not None:
        raise error
