"""What answers hold: pictures in any wrapping, refusals, what was used, and answers that are no good."""

from __future__ import annotations

import asyncio
import datetime
import resource
import time
from typing import Any

import pytest
from tests.upstreams import xai
from tests.upstreams.asking import KITE, all_of, draw, failure, only, told, until_failure
from tests.upstreams.world import World, picture

import ima2
from ima2_provider_grok import failures

PNG = ima2.Picture(picture(), "image/png")


@pytest.mark.parametrize("words", ["inline", "dataurl", "wrapped"])
async def test_a_picture_inside_the_answer_is_taken_in_any_wrapping(api: Any, words: str) -> None:
    made = only(await draw(api(), f"{KITE} draw:{words}"), ima2.Artifact)
    assert made.picture == ima2.Picture(picture(fmt="JPEG"), "image/jpeg")


async def test_a_picture_inside_the_answer_that_ends_early_is_a_failure_that_keeps_what_came(api: Any) -> None:
    error = await failure(api(), f"{KITE} draw:half")
    assert isinstance(error, ima2.MediaError)
    assert error.code == "PICTURE_INCOMPLETE"
    assert error.data == picture(fmt="JPEG")[:-40]


async def test_a_block_reason_in_place_of_a_picture_is_a_refusal_and_its_cost_is_told(api: Any) -> None:
    request = ima2.ImageRequest(f"{KITE} draw:blockreason", "grok-api")
    seen, error = await until_failure(api().images(request, ima2.Job("job-1")))
    assert (error.code, error.status) == ("SAFETY_REFUSAL", 422)
    assert error.upstream_code == "moderated_output"
    assert all_of(seen, ima2.Usage)[-1].cost == 0.02


async def test_a_second_picture_that_nobody_ordered_is_mentioned(api: Any) -> None:
    updates = await draw(api(), f"{KITE} draw:twice")
    assert only(updates, ima2.Artifact)
    assert (only(updates, ima2.Notice).code, only(updates, ima2.Notice).details) == (
        "EXTRA_IMAGES_IGNORED",
        {"extraIgnored": 1},
    )


async def test_size_and_format_are_told_by_the_bytes(api: Any) -> None:
    made = only(await draw(api(), size="2048x2048"), ima2.Artifact)
    assert made.used == {"size": "256x192", "format": "jpeg"}


@pytest.mark.parametrize("step", ["search", "plan", "draw"])
async def test_an_answer_without_end_is_given_up_without_filling_memory_or_holding_others_up(
    api: Any, step: str
) -> None:
    """A gigabyte that arrives as a megabyte. The bound on memory is far above what is read of it."""
    before, longest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - began)

    watching = asyncio.create_task(watch())
    error = await failure(api(), f"{KITE} {step}:huge")
    watching.cancel()
    stage = {"search": "GROK_SEARCH", "plan": "GROK_PLANNER", "draw": "GROK"}[step]
    assert error.code == f"{stage}_NETWORK_FAILED"
    assert "MiB" in error.text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10
    assert longest < 5


async def test_an_error_inside_a_success_says_what_it_is(api: Any) -> None:
    error = await failure(api(), f"{KITE} draw:quota200")
    assert (error.code, error.status) == ("GROK_RATE_LIMITED", 429)
    assert xai.MARKER not in told(error)


async def test_a_country_that_is_not_served_is_named_as_the_reason(api: Any) -> None:
    error = await failure(api(), f"{KITE} draw:place")
    assert "country or region" in error.text


async def test_an_address_that_leads_elsewhere_is_not_followed(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} draw:redirected")
    assert error.code == "GROK_UPSTREAM_ERROR"
    assert "leads elsewhere" in error.text


async def test_a_date_to_wait_for_becomes_seconds(api: Any) -> None:
    error = await failure(api(), f"{KITE} draw:late")
    expected = (
        datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC) - datetime.datetime.now(datetime.UTC)
    ).total_seconds()
    assert error.retry_after == pytest.approx(expected, abs=60)
    assert failures.retry_after({"retry-after": "soon"}) is None
    assert failures.retry_after({"retry-after": "Fri, 01 Jan 2021 00:00:00 GMT"}) == 0


async def test_the_second_generation_takes_five_inputs_a_quality_and_further_ratios(api: Any, world: World) -> None:
    await draw(api(), model=xai.SECOND, quality="low", size="grok:21:9:2k", references=(PNG,) * 5)
    body = world.calls("images/edits")[0].body
    assert (body["quality"], body["aspect_ratio"], body["resolution"], len(body["images"])) == ("low", "21:9", "2k", 5)
    error = await failure(api(), model=xai.SECOND, references=(PNG,) * 6)
    assert (error.code, "at most 5" in error.text) == ("GROK_REF_TOO_MANY", True)


@pytest.mark.parametrize(("asked", "sent"), [("auto", None), ("low", "low"), ("medium", "medium"), ("high", "medium")])
async def test_a_quality_the_second_generation_has_not_is_told(
    api: Any, world: World, asked: str, sent: str | None
) -> None:
    updates = await draw(api(), model=xai.SECOND, quality=asked)
    assert world.calls("images/")[0].body.get("quality") == sent
    told_of = [(one.code, one.details["to"]) for one in all_of(updates, ima2.Notice)]
    assert told_of == ([("QUALITY_DIFFERS", "medium")] if asked == "high" else [])


async def test_a_size_grok_has_not_is_used_as_another_and_says_so(api: Any, world: World) -> None:
    updates = await draw(api(), size="grok:5:4:8k")
    body = world.calls("images/")[0].body
    assert (body["aspect_ratio"], body["resolution"]) == ("auto", "1k")
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["used"]) == ("SIZE_ADJUSTED", "grok:auto:1k")


async def test_files_that_xai_keeps_are_named_by_their_id(api: Any, world: World) -> None:
    await draw(api(), options={"fileIds": "file_abc file-def"})
    body = world.calls("images/edits")[0].body
    assert body["images"] == [{"file_id": "file_abc"}, {"file_id": "file-def"}]
    content = world.calls("completions")[0].body["messages"][1]["content"]
    assert [part["type"] for part in content] == ["text"]
    assert (await failure(api(), options={"fileIds": "https://x.example"})).code == "INVALID_OPTION"


@pytest.mark.parametrize("fields", [{}, {"source": PNG, "plain": True, "count": 3}, {"sequence": 2}])
async def test_a_job_is_marked_as_ordered_once_before_anything_billed_is_sent(
    api: Any, world: World, fields: dict[str, Any]
) -> None:
    sent_before: list[int] = []

    async def mark() -> None:
        await asyncio.sleep(0.05)
        sent_before.append(len(world.seen))

    provider = api()
    assert provider.marks_orders
    job = ima2.Job("job-1", on_order=mark)
    request = ima2.ImageRequest(KITE, provider.id, **fields)
    [update async for update in provider.images(request, job)]
    assert sent_before == [0]
    assert len(world.seen) > 1


async def test_an_order_that_cannot_be_marked_is_not_placed(api: Any, world: World) -> None:
    async def mark() -> None:
        raise ima2.Ima2Error("DATABASE_BUSY", 503, "The database is busy.")

    request = ima2.ImageRequest(KITE, "grok-api")
    _, error = await until_failure(api().images(request, ima2.Job("job-1", on_order=mark)))
    assert error.code == "DATABASE_BUSY"
    assert not world.seen


async def test_collecting_a_clip_marks_nothing(api: Any, world: World) -> None:
    marks: list[int] = []

    async def mark() -> None:
        marks.append(1)

    request = ima2.VideoRequest(KITE, "grok-api")
    updates = [update async for update in api().videos(request, ima2.Job("job-1", on_order=mark))]
    assert marks == [1]
    job = ima2.Job("job-1", on_order=mark, receipt=only(updates, ima2.Receipt))
    [update async for update in api().videos(request, job)]
    assert marks == [1]
