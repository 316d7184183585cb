"""The rules for providers can bark: each is broken by a provider that does the one thing wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

import ima2
from ima2.testing import EchoProvider, FilmProvider, ProviderContract, clip, picture
from ima2.testing import provider_contract as rules

PICTURE, CLIP = picture(), clip(0.5)


class Film(FilmProvider):
    """A provider of clips and words alone."""

    capabilities = replace(FilmProvider.capabilities, text=True)


class TestAProviderOfClipsAlone(ProviderContract):
    @pytest.fixture
    def provider(self) -> ima2.Provider:
        return Film()


class Drawing(EchoProvider):
    """Yields what it is given."""

    def __init__(self, *updates: Any) -> None:
        super().__init__()
        self.updates = updates

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        for update in self.updates:
            yield update() if callable(update) else update


WHOLE, CUT = ima2.Artifact(PICTURE), ima2.Artifact(ima2.Picture(PICTURE.data[:-9], "image/png"))
WRONG = ima2.Artifact(ima2.Picture(PICTURE.data, "image/webp"))
REQUEST = ima2.ImageRequest("a boat", "echo")
RULES = ProviderContract()
NUMBERED, USABLE = (
    RULES.test_its_pictures_are_whole_and_numbered,
    RULES.test_all_that_it_yields_for_pictures_can_be_used,
)
BROKEN: dict[str, tuple[Any, list[Any]]] = {
    "truncated": (NUMBERED, [CUT]),
    "mislabelled": (NUMBERED, [WRONG]),
    "two for one": (NUMBERED, [WHOLE, WHOLE]),
    "mixed": (USABLE, [WHOLE, ima2.Artifact(CLIP)]),
    "unusable": (USABLE, [ima2.Usage(cost=-1), WHOLE]),
    "backwards": (RULES.test_progress_only_goes_forward, [ima2.Progress(0.9), ima2.Progress(0.1), WHOLE]),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_provider_of_pictures_that_breaks_a_rule_is_found(name: str) -> None:
    rule, updates = BROKEN[name]
    with pytest.raises(AssertionError):
        await rule(Drawing(*updates), REQUEST)
    await rule(Drawing(ima2.Progress(0.1), WHOLE), REQUEST)


def slowly() -> Any:
    time.sleep(0.8)
    return WHOLE


async def test_a_provider_that_holds_up_the_loop_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "STEP_S", 0.6)
    with pytest.raises(TimeoutError, match="held up the event loop"):
        await RULES.test_drawing_does_not_hold_up_the_loop(Drawing(slowly), REQUEST)


async def test_a_provider_that_ignores_its_cancellation_is_found() -> None:
    stop = asyncio.Event()

    class Stubborn(EchoProvider):
        async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
            yield ima2.Phase("streaming")
            while not stop.is_set():
                try:
                    await asyncio.wait_for(stop.wait(), 20)
                except asyncio.CancelledError:
                    continue

    with pytest.raises(AssertionError, match="although it was cancelled"):
        await RULES.test_being_cancelled_it_ends_in_time(Stubborn(), REQUEST)
    stop.set()
    await asyncio.sleep(0.1)


class Filming(Film):
    """A provider of clips that breaks a rule when a clip, or its collection, is asked for."""

    def __init__(self, made: list[Any], collected: list[Any]) -> None:
        super().__init__(CLIP)
        self.lists = made, collected

    async def videos(self, request: ima2.VideoRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        for update in self.lists[0]:
            yield update

    async def resume(
        self, receipt: ima2.Receipt, request: ima2.VideoRequest, job: ima2.Job
    ) -> AsyncIterator[ima2.Update]:
        for update in self.lists[1]:
            yield update


ORDER, MADE = ima2.Receipt("order-1"), ima2.Artifact(CLIP)
AGAIN: dict[str, tuple[list[Any], list[Any]]] = {
    "no receipt": ([MADE], [MADE]),
    "the receipt too late": ([MADE, ORDER], [MADE]),
    "ordered again": ([ORDER, MADE], [ima2.Receipt("order-2"), MADE]),
    "nothing collected": ([ORDER, MADE], []),
    "two collected": ([ORDER, MADE], [MADE, MADE]),
}


@pytest.mark.parametrize("name", AGAIN)
async def test_a_provider_that_would_pay_twice_for_a_clip_is_found(name: str) -> None:
    rule = RULES.test_a_clip_that_was_ordered_is_collected_and_not_ordered_again
    request = ima2.VideoRequest("a boat", "film")
    with pytest.raises(AssertionError):
        await rule(Filming(*AGAIN[name]), request)
    await rule(Filming([ORDER, MADE], [ORDER, MADE]), request)


async def test_words_that_are_none_are_found() -> None:
    class Mute(Film):
        async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
            return ima2.TextResult(" ", "mute")

    with pytest.raises(AssertionError):
        await RULES.test_words_are_answered_with_words(Mute(), ima2.TextRequest("hello", "film"))
