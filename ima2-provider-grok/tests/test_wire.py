"""Grok behind the HTTP wire: what its declarations let through, and how its answers read to a client."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.upstreams import xai
from tests.upstreams.asking import KITE
from tests.upstreams.world import World, picture
from tests.upstreams.xai_clips import BASE, GENERAL

from ima2.testing import plugin

PNG = base64.b64encode(picture()).decode()
BODY = {"prompt": KITE, "provider": "grok-api"}
FIRST, RETIRED = "grok-imagine-image", "grok-imagine-image-quality"


@pytest.fixture
async def client(ima2_client: Any, api: Any) -> Any:
    async with ima2_client(grok=plugin(providers=[api()])) as opened:
        yield opened


async def post(client: Any, path: str, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.post(path, json={**BODY, **fields})).json()
    return answer


async def film(client: Any, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of one clip."""
    text = (await client.post("/api/video/generate", json={**BODY, **fields})).text
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


async def test_a_size_grok_has_not_is_taken_echoed_and_told_without_a_warning(client: Any, world: World) -> None:
    answer = await post(client, "/api/generate", size="grok:5:4:8k")
    assert (answer["size"], answer["warnings"]) == ("grok:5:4:8k", [])
    (adjusted,) = answer["adjustments"]
    assert (adjusted["field"], adjusted["used"]) == ("size", "grok:auto:1k")
    assert world.calls("images/")[0].body["aspect_ratio"] == "auto"


async def test_a_size_grok_has_needs_no_adjustment(client: Any) -> None:
    answer = await post(client, "/api/generate", size="grok:19.5:9:2k")
    assert answer["size"] == "grok:19.5:9:2k"
    assert "adjustments" not in answer


async def test_an_edit_of_quality_high_names_the_quality_model(client: Any, world: World) -> None:
    world.state["xai.serves"] = {RETIRED: RETIRED}
    answer = await post(client, "/api/edit", image=f"data:image/png;base64,{PNG}", quality="high")
    assert answer["model"] == RETIRED


@pytest.mark.parametrize("mode", ["direct", "auto"])
async def test_the_prompt_mode_is_told_as_asked(client: Any, mode: str) -> None:
    assert (await post(client, "/api/generate", mode=mode))["promptMode"] == mode


async def test_five_references_go_to_the_second_generation_and_three_to_the_first(client: Any, world: World) -> None:
    five = [f"data:image/png;base64,{PNG}"] * 5
    refused = await post(client, "/api/generate", references=five)
    assert refused["code"] == "GROK_REF_TOO_MANY"
    assert not world.seen
    await post(client, "/api/generate", model=xai.SECOND, references=five)
    assert len(world.calls("images/edits")[0].body["images"]) == 5


async def test_the_model_that_served_the_size_and_the_cost_stand_in_the_answer(client: Any, world: World) -> None:
    world.state["xai.serves"] = {FIRST: xai.SECOND}
    answer = await post(client, "/api/generate")
    assert (answer["model"], answer["effectiveModel"]) == (FIRST, xai.SECOND)
    assert answer["used"]["size"] == "256x192"
    assert answer["cost"] == pytest.approx(0.0061 + 0.0012 + 0.02)
    assert [one["code"] for one in answer["warnings"]] == ["MODEL_DIFFERS"]


async def test_what_one_model_of_clips_makes_is_taken_for_it_alone(client: Any, world: World) -> None:
    (refused,) = await film(client, model=BASE, resolution="1080p")
    assert (refused[0], refused[1]["code"]) == ("error", "INVALID_VIDEO_RESOLUTION")
    assert not world.seen
    events = await film(client, model=GENERAL, resolution="1080p")
    assert events[-1][0] == "done"
    assert events[-1][1]["video"]["resolution"] == "1080p"
    assert events[-1][1]["video"]["xaiVideoRequestId"] == "vid-1"
    assert next(data for name, data in events if name == "submitted")["xaiVideoRequestId"] == "vid-1"


async def test_an_unknown_model_is_sent_only_where_the_body_says_so(client: Any, world: World) -> None:
    assert (await post(client, "/api/generate", model="grok-next"))["code"] == "INVALID_GROK_IMAGE_MODEL"
    assert not world.seen
    await post(client, "/api/generate", model="grok-next", allowUnknownModel=True)
    assert world.calls("images/")[0].body["model"] == "grok-next"
