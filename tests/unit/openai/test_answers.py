"""What comes back of a call, as it comes."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from tests.unit.openai.conftest import Api
from tests.upstreams.asking import all_of, draw, only
from tests.upstreams.responses_stream import REVISED, USAGE
from tests.upstreams.world import World, picture

import ima2


async def test_a_picture_comes_with_its_caption_after_the_phases_and_before_the_usage(api: Api) -> None:
    updates = await draw(api())
    assert [type(one).__name__ for one in updates] == ["Phase", "Phase", "Artifact", "Usage"]
    assert [one.name for one in all_of(updates, ima2.Phase)] == ["streaming", "decoding"]
    artifact = only(updates, ima2.Artifact)
    assert artifact.picture == ima2.Picture(picture(), "image/png")
    assert artifact.revised_prompt == REVISED
    usage = only(updates, ima2.Usage)
    assert (usage.tokens, usage.searches, usage.cost) == (USAGE, 1, None)


@pytest.mark.parametrize(
    "words", ["CRLF", "ODDLINES", "DRIP", "NOBLANK", "GZIP", "LATEONLY", "JSONANSWER", "GENERATING"]
)
async def test_a_picture_is_found_however_it_travels(api: Api, words: str) -> None:
    updates = await draw(api(), f"{words} kite")
    assert only(updates, ima2.Artifact).picture.data == picture()
    assert only(updates, ima2.Usage).tokens == USAGE


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_the_media_type_is_that_of_the_bytes(api: Api, form: str) -> None:
    artifact = only(await draw(api(), format=form), ima2.Artifact)
    assert artifact.picture.media_type == f"image/{form}"
    assert Image.open(io.BytesIO(artifact.picture.data)).format == form.upper()


async def test_previews_come_before_the_picture_they_stand_for(api: Api) -> None:
    updates = await draw(api(), partials=3)
    partials = all_of(updates, ima2.Partial)
    assert [one.index for one in partials] == [0, 0, 0]
    assert all(one.picture.media_type == "image/png" for one in partials)
    assert updates.index(partials[-1]) < updates.index(only(updates, ima2.Artifact))


async def test_previews_of_a_series_name_the_picture_they_stand_for(api: Api) -> None:
    partials = all_of(await draw(api(), "MULTI2 kite", sequence=2, partials=1), ima2.Partial)
    assert [one.index for one in partials] == [0, 1]


async def test_a_series_comes_one_by_one_in_order(api: Api, openai: World) -> None:
    artifacts = all_of(await draw(api(), "MULTI3 kite", sequence=3), ima2.Artifact)
    assert [one.index for one in artifacts] == [0, 1, 2]
    assert len({one.picture.data for one in artifacts}) == 3
    assert len(openai.calls("/responses")) == 1


async def test_fewer_pictures_than_asked_for_are_no_failure(api: Api) -> None:
    updates = await draw(api(), "MULTI2 kite", sequence=4)
    assert len(all_of(updates, ima2.Artifact)) == 2
    assert all_of(updates, ima2.Notice) == []


async def test_pictures_beyond_those_asked_for_are_counted_not_kept(api: Api) -> None:
    updates = await draw(api(), "MULTI5 kite", sequence=3)
    assert len(all_of(updates, ima2.Artifact)) == 3
    notice = only(updates, ima2.Notice)
    assert (notice.code, dict(notice.details)) == ("EXTRA_IMAGES_IGNORED", {"extraIgnored": 2})


async def test_the_same_picture_twice_is_one(api: Api) -> None:
    updates = await draw(api(), "TWINS kite", sequence=4)
    assert len(all_of(updates, ima2.Artifact)) == 1
    assert all_of(updates, ima2.Notice) == []


async def test_a_series_cut_short_says_so(api: Api) -> None:
    updates = await draw(api(), "MULTI2 INCOMPLETE_max_output_tokens kite", sequence=4)
    assert len(all_of(updates, ima2.Artifact)) == 2
    assert only(updates, ima2.Notice).code == "RESPONSE_INCOMPLETE"


async def test_candidates_are_as_many_calls_with_the_same_body(api: Api, openai: World) -> None:
    updates = await draw(api(), count=3, references=(ima2.Picture(picture(), "image/png"),))
    assert sorted(one.index for one in all_of(updates, ima2.Artifact)) == [0, 1, 2]
    assert len(all_of(updates, ima2.Usage)) == 3
    bodies = [call.body for call in openai.calls("/responses")]
    assert len(bodies) == 3
    assert bodies[0] == bodies[1] == bodies[2]


async def test_a_candidate_that_fails_is_told_by_its_place(api: Api, openai: World) -> None:
    updates = await draw(api(), "FAIL500 kite", count=2)
    failed = all_of(updates, ima2.Failed)
    assert sorted(one.index for one in failed) == [0, 1]
    assert len(openai.calls("/responses")) == 2


async def test_stopping_closes_the_connection_to_the_upstream(api: Api, openai: World) -> None:
    request = ima2.ImageRequest("STALL kite", "api")
    begun = asyncio.Event()

    async def run() -> None:
        async for _ in api().images(request, ima2.Job("job-1")):
            begun.set()

    task = asyncio.create_task(run())
    await asyncio.wait_for(begun.wait(), 5)
    pool = api()._http()._transport._pool  # type: ignore[attr-defined]
    assert len(pool.connections) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.connections == []


async def test_leaving_the_stream_early_closes_it_too(api: Api) -> None:
    provider = api()
    stream = provider.images(ima2.ImageRequest("STALL kite", "api"), ima2.Job("job-1"))
    assert await anext(stream) == ima2.Phase("streaming")
    await stream.aclose()  # type: ignore[attr-defined]
    assert provider._http()._transport._pool.connections == []  # type: ignore[attr-defined]
