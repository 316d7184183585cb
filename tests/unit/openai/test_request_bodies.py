"""What is sent, field by field."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image
from tests.unit.openai.conftest import KEY, Api
from tests.upstreams.asking import KITE, draw
from tests.upstreams.responses_checks import image_tool, pictures_of, words_of
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai import prompts

ALLOWED = {"model", "input", "tools", "tool_choice", "reasoning", "stream", "store"}


def sent(world: World) -> dict[str, Any]:
    (call,) = world.calls("/responses")
    body: dict[str, Any] = call.body
    return body


def png(seed: int = 0) -> ima2.Picture:
    return ima2.Picture(picture(seed=seed), "image/png")


def mask() -> ima2.Picture:
    out = io.BytesIO()
    Image.new("RGBA", (256, 192), (0, 0, 0, 0)).save(out, "PNG")
    return ima2.Picture(out.getvalue(), "image/png")


async def test_a_plain_request_carries_what_was_asked_for_and_is_not_stored(api: Api, openai: World) -> None:
    await draw(api(), size="1536x1024", quality="high", moderation="auto", format="webp", model="gpt-5.5")
    body = sent(openai)
    assert set(body) == ALLOWED
    assert (body["model"], body["stream"], body["store"]) == ("gpt-5.5", True, False)
    assert body["reasoning"] == {"effort": "low"}
    assert body["tool_choice"] == {"type": "image_generation"}
    assert [tool["type"] for tool in body["tools"]] == ["web_search", "image_generation"]
    assert image_tool(body) == {
        "type": "image_generation",
        "quality": "high",
        "size": "1536x1024",
        "moderation": "auto",
        "output_format": "webp",
        "model": "gpt-image-2",
    }
    assert [message["role"] for message in body["input"]] == ["developer", "user"]
    assert isinstance(body["input"][1]["content"], str)
    assert KITE in words_of(body)


async def test_the_key_and_an_honest_user_agent_are_the_only_things_told_about_the_caller(
    api: Api, openai: World
) -> None:
    await draw(api())
    (call,) = openai.calls("/responses")
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.headers["accept"] == "text/event-stream"
    assert call.headers["user-agent"] == "ima2/test"
    assert not {"openai-organization", "originator", "version"} & set(call.headers)


async def test_the_default_model_effort_and_search_come_from_the_settings(api: Api, openai: World) -> None:
    await draw(api(default_model="gpt-5.4", reasoning_effort="xhigh", allow_web_search=False))
    body = sent(openai)
    assert (body["model"], body["reasoning"]["effort"]) == ("gpt-5.4", "xhigh")
    assert [tool["type"] for tool in body["tools"]] == ["image_generation"]


async def test_a_search_the_settings_forbid_is_left_out_and_said_so(api: Api, openai: World) -> None:
    updates = await draw(api(allow_web_search=False), options={"webSearch": True})
    assert [one.code for one in updates if isinstance(one, ima2.Notice)] == ["WEB_SEARCH_DISABLED"]
    assert len(sent(openai)["tools"]) == 1


async def test_a_request_can_do_without_search(api: Api, openai: World) -> None:
    await draw(api(), options={"webSearch": False, "reasoningEffort": "high"})
    body = sent(openai)
    assert [tool["type"] for tool in body["tools"]] == ["image_generation"]
    assert body["reasoning"]["effort"] == "high"
    assert prompts.SEARCH not in body["input"][0]["content"]
    assert prompts.RESEARCH not in words_of(body)


async def test_references_come_first_in_their_order_and_as_they_are(api: Api, openai: World) -> None:
    jpeg = ima2.Picture(picture(fmt="JPEG"), "image/jpeg")
    references = (png(1), jpeg, png(2))
    await draw(api(), references=references)
    body = sent(openai)
    content = body["input"][1]["content"]
    assert [part["type"] for part in content] == ["input_image"] * 3 + ["input_text"]
    urls = pictures_of(body)
    assert [url.partition(";")[0] for url in urls] == ["data:image/png", "data:image/jpeg", "data:image/png"]
    assert [base64.b64decode(url.partition(",")[2]) for url in urls] == [one.data for one in references]


async def test_an_edit_sends_the_source_before_the_references(api: Api, openai: World) -> None:
    await draw(api(), source=png(5), references=(png(6),))
    body = sent(openai)
    assert [base64.b64decode(url.partition(",")[2]) for url in pictures_of(body)] == [png(5).data, png(6).data]
    assert prompts.EDIT in body["input"][0]["content"]
    assert "action" not in (image_tool(body) or {})


async def test_a_mask_is_the_tools_own_and_makes_it_an_edit(api: Api, openai: World) -> None:
    await draw(api(), source=png(), mask=mask())
    body = sent(openai)
    tool = image_tool(body) or {}
    assert tool["action"] == "edit"
    assert base64.b64decode(tool["input_image_mask"]["image_url"].partition(",")[2]) == mask().data
    assert len(pictures_of(body)) == 1


async def test_previews_are_asked_for_only_when_wanted(api: Api, openai: World) -> None:
    await draw(api(), partials=2)
    assert (image_tool(sent(openai)) or {})["partial_images"] == 2


async def test_a_series_requires_a_tool_without_naming_it_and_says_the_most(api: Api, openai: World) -> None:
    await draw(api(), "MULTI3 kite", sequence=3)
    body = sent(openai)
    assert body["tool_choice"] == "required"
    assert prompts.SERIES.format(count=3) in body["input"][0]["content"]


async def test_naming_the_tool_can_be_switched_off(api: Api, openai: World) -> None:
    await draw(api(force_image_tool_choice=False))
    assert sent(openai)["tool_choice"] == "required"


async def test_direct_mode_asks_for_the_prompt_word_for_word(api: Api, openai: World) -> None:
    await draw(api(research_suffix="Look it up."), options={"mode": "direct"})
    words = words_of(sent(openai))
    assert "exactly this description" in words
    assert "word for word" in words
    assert "Look it up." not in words


async def test_the_reminder_about_searches_is_a_setting(api: Api, openai: World) -> None:
    await draw(api(research_suffix="Look it up."))
    words = words_of(sent(openai))
    assert "Look it up." in words
    assert prompts.RESEARCH not in words


async def test_words_are_asked_for_without_the_image_tool(api: Api, openai: World) -> None:
    request = ima2.TextRequest("What is this?", "api", system="Be brief.", pictures=(png(),))
    result = await api().text(request)
    body = sent(openai)
    assert "tools" not in body
    assert body["input"][0] == {"role": "developer", "content": "Be brief."}
    assert len(pictures_of(body)) == 1
    assert (result.text, result.model) == ("A kite is a toy that flies. — It needs wind.", "gpt-5.4-mini")
    assert result.usage is not None
    assert result.usage["total_tokens"] == 368


def test_the_prompts_claim_no_rights_and_forbid_no_refusal() -> None:
    told = " ".join(
        [
            prompts.developer(edit=True, series=4, search=True),
            prompts.user("x", edit=False, series=0, search=True, direct=True),
        ]
    ).lower()
    for word in ("authori", "never refuse", "consent", "bypass", "uncensored", "policy"):
        assert word not in told
