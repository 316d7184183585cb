"""The prompt builder: what reaches the model of words, and what comes back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.upstreams.world import base64_picture

import ima2
import ima2_plugins.prompts as plugin
from ima2.testing import plugin as made_of

URL = "/api/prompt-builder/chat"
FINISHED = """\
Brief Intent Summary:
A fox at dawn.

Final Prompt - Korean:
새벽의 여우

Final Prompt - English:
A fox at dawn,
in fog.

Notes:
Lens left open."""
PARTS = {
    "intentSummary": "A fox at dawn.",
    "finalPrompt": {"ko": "새벽의 여우", "en": "A fox at dawn,\nin fog."},
    "notes": "Lens left open.",
}


class Words(ima2.Provider):
    """Has words only; answers what it is told to, or fails."""

    id = "words"
    title = "Words"
    capabilities = ima2.Capabilities(models=(ima2.Model("words-1"),), default_model="words-1", text=True, media=())

    def __init__(self) -> None:
        self.asked: list[ima2.TextRequest] = []
        self.answer: str | Exception = "Which fox?"
        self.missing: str | None = None

    def problem(self) -> str | None:
        return self.missing

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return ima2.TextResult(self.answer, request.model or "words-1", {"total_tokens": 3})


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
async def client(ima2_client: Any, words: Words) -> AsyncIterator[Any]:
    async with ima2_client(prompts=plugin, words=made_of(providers=[words])) as client:
        yield client


def said(*texts: str, **more: Any) -> dict[str, Any]:
    roles = ["user" if number % 2 == (len(texts) - 1) % 2 else "assistant" for number in range(len(texts))]
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, texts, strict=True)], **more}


async def ask(client: Any, body: dict[str, Any]) -> Any:
    answer = await client.post(URL, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_whoever_has_words_and_is_ready_answers_and_is_named(client: Any, words: Words) -> None:
    answer = await ask(client, said("a fox", "Which one?", "a red one"))
    assert answer["message"] == {"role": "assistant", "content": "Which fox?"}
    assert (answer["provider"], answer["model"], answer["usage"]) == ("words", "words-1", {"total_tokens": 3})
    assert (answer["structured"], answer["warnings"]) == (None, [])
    (asked,) = words.asked
    assert [(one.role, one.text) for one in asked.messages] == [("user", "a fox"), ("assistant", "Which one?")]
    assert asked.prompt == "a red one"
    for heading in ("Brief Intent Summary:", "Final Prompt - Korean:", "Final Prompt - English:", "Notes:"):
        assert f"\n{heading}\n" in asked.system


async def test_a_model_of_ima2_gen_that_is_not_here_is_replaced_and_that_is_told(client: Any, words: Words) -> None:
    answer = await ask(client, said("a fox", model="gpt-5.5"))
    assert words.asked[0].model == ""
    assert [one["code"] for one in answer["warnings"]] == ["MODEL_SUBSTITUTED"]
    assert (await ask(client, said("a fox", model="words-1")))["warnings"] == []


async def test_the_page_s_context_and_attachments_reach_the_model(client: Any, words: Words) -> None:
    picture = {"kind": "image", "name": "a.png", "dataUrl": f"data:image/png;base64,{base64_picture()}"}
    note = {"kind": "text", "name": "n.txt", "text": "eleven foxes"}
    body = said("go on")
    body["messages"][0]["attachments"] = [picture, note, {"kind": "image", "dataUrl": "data:image/png;base64,eA=="}, 7]
    body["context"] = {
        "currentPrompt": "one fox",
        "insertedPrompts": [{"name": "Light", "text": "low sun"}, 3],
        "settings": {"size": "1024x1024", "odd": {"a": 1}},
        "currentResultPrompt": "",
    }
    answer = await ask(client, body)
    (asked,) = words.asked
    assert [isinstance(one, ima2.Picture) for one in asked.pictures] == [True]
    for piece in ("go on", "eleven foxes", "one fox", "low sun", "size: 1024x1024"):
        assert piece in asked.prompt
    assert [one["code"] for one in answer["warnings"]] == ["ATTACHMENT_LEFT_OUT"]


async def test_what_is_too_much_is_cut_and_told(client: Any, words: Words) -> None:
    answer = await ask(client, said(*["hello"] * 30, "x" * 20_000))
    assert (len(words.asked[0].messages), len(words.asked[0].prompt)) == (23, 16_000)
    assert [one["code"] for one in answer["warnings"]] == ["MESSAGES_LEFT_OUT", "TEXT_CUT"]


async def test_a_finished_prompt_is_also_given_in_parts(client: Any, words: Words) -> None:
    words.answer = FINISHED
    answer = await ask(client, said("finish it"))
    assert (answer["message"]["content"], answer["structured"]) == (FINISHED, PARTS)
    words.answer = FINISHED.replace("Notes:", "**Notes:**")
    assert (await ask(client, said("finish it")))["structured"] == PARTS


async def test_parts_can_be_asked_for_by_a_schema(client: Any, words: Words) -> None:
    words.answer = json.dumps(PARTS)
    answer = await ask(client, said("finish it", structured=True))
    assert answer["structured"] == PARTS
    assert answer["message"]["content"] == FINISHED
    assert words.asked[0].schema is not None
    words.answer = "{}"
    broken = await client.post(URL, json=said("finish it", structured=True))
    assert (broken.status_code, broken.json()["error"]["code"]) == (502, "PROMPT_BUILDER_STREAM_ERROR")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "PROMPT_BUILDER_BAD_MESSAGES"),
        ({"messages": [7]}, "PROMPT_BUILDER_BAD_MESSAGES"),
        ({"messages": [{"role": "system", "content": "x"}]}, "PROMPT_BUILDER_BAD_MESSAGES"),
        ({"messages": []}, "PROMPT_BUILDER_EMPTY_MESSAGE"),
        ({"messages": [{"role": "user", "content": " "}]}, "PROMPT_BUILDER_EMPTY_MESSAGE"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "PROMPT_BUILDER_EMPTY_MESSAGE"),
        ({"messages": [], "model": "gpt-1"}, "PROMPT_BUILDER_BAD_MODEL"),
    ],
)
async def test_a_conversation_that_is_none_is_refused(client: Any, words: Words, body: Any, code: str) -> None:
    answer = await client.post(URL, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert words.asked == []


async def test_no_body_at_all_is_a_plain_refusal(client: Any) -> None:
    answer = await client.post(URL, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "PROMPT_BUILDER_BAD_MESSAGES")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ima2.Ima2Error("WORDS_DOWN", 502, "down"), 502, "PROMPT_BUILDER_UPSTREAM_FAILED"),
        (ima2.Ima2Error("WORDS_TIMEOUT", 504, "late"), 504, "PROMPT_BUILDER_TIMEOUT"),
        (ima2.Ima2Error("WORDS_EMPTY_RESPONSE", 502, "empty"), 502, "PROMPT_BUILDER_EMPTY_RESPONSE"),
        (ima2.Ima2Error("SAFETY_REFUSAL", 422, "no"), 422, "SAFETY_REFUSAL"),
        (ima2.Ima2Error("WORDS_RATE_LIMITED", 429, "wait"), 429, "WORDS_RATE_LIMITED"),
        (RuntimeError("a fox at dawn"), 502, "PROMPT_BUILDER_UPSTREAM_FAILED"),
    ],
)
async def test_a_failure_of_the_model_is_told_and_quotes_nobody(
    client: Any, words: Words, failure: Exception, status: int, code: str
) -> None:
    words.answer = failure
    answer = await client.post(URL, json=said("a fox at dawn"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "fox" not in answer.text


async def test_where_nobody_is_ready_the_answer_says_who_could_be(client: Any, words: Words) -> None:
    words.missing = "No key."
    answer = await client.post(URL, json=said("a fox"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "OAUTH_UNAVAILABLE")
    assert "Words" in answer.json()["error"]["message"]


async def test_capabilities_say_that_there_is_a_prompt_builder_as_long_as_there_is(
    client: Any, ima2_client: Any, tmp_path: Any
) -> None:
    block = (await client.get("/api/capabilities")).json()["promptBuilder"]
    assert (block["available"], block["route"]) == (True, URL)
    async with ima2_client(environ={"IMA2_CONFIG_DIR": str(tmp_path / "other")}) as without:
        assert "promptBuilder" not in (await without.get("/api/capabilities")).json()
        assert (await without.get("/api/prompts")).status_code == 404
