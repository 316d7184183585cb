"""Style sheets: stored, put before what is asked in their session, and read from words and pictures."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from tests.unit.graph.saving import node, save

import ima2
import ima2_plugins.graph
from ima2.testing import EchoProvider, picture, plugin
from ima2_plugins.graph.style_sheet import prefix_of, tidy

SHEET = {"palette": ["teal", "sand"], "medium": "gouache.", "subject_details": "a heron", "negative": ["text"]}
WORDS = "Keep this style throughout. Medium: gouache. Palette: teal, sand. Subject: a heron. Avoid: text."


class Writer(EchoProvider):
    """Answers in words, with what it is given."""

    id = "writer"

    def __init__(self, answer: str = "") -> None:
        super().__init__()
        self.answer = answer
        self.questions: list[ima2.TextRequest] = []

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        self.questions.append(request)
        return ima2.TextResult(self.answer, "writer-1")


async def generate(client: httpx.AsyncClient, session: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    body = {"prompt": "a boat", "provider": "echo", "sessionId": session, **more}
    answer = (await client.post("/api/generate", json=body)).json()
    item = (await client.get("/api/history?limit=1")).json()["items"][0]
    return answer, item


async def test_what_is_asked_in_a_session_is_made_in_its_style_and_kept_as_it_was_asked(
    client: Any, session: str
) -> None:
    await client.put(f"/api/sessions/{session}/style-sheet", json={"styleSheet": SHEET, "enabled": True})
    _, item = await generate(client, session)
    assert (item["prompt"], item["userPrompt"]) == (f"{WORDS}\n\na boat", "a boat")
    facts = (await client.runtime.library.get(item["filename"])).facts
    assert facts["style_sheet_applied"] is True


@pytest.mark.parametrize("other", ["s_unknown", ""])
async def test_other_requests_stay_as_they_are(client: httpx.AsyncClient, session: str, other: str) -> None:
    await client.put(f"/api/sessions/{session}/style-sheet", json={"styleSheet": SHEET, "enabled": True})
    assert (await generate(client, other))[1]["prompt"] == "a boat"


async def test_a_sheet_that_is_off_or_gone_changes_nothing(client: httpx.AsyncClient, session: str) -> None:
    path = f"/api/sessions/{session}/style-sheet"
    await client.put(path, json={"styleSheet": SHEET})
    assert (await generate(client, session))[1]["prompt"] == "a boat"
    await client.patch(f"{path}/enabled", json={"enabled": True})
    await client.put(path, json={"styleSheet": None})
    assert (await generate(client, session))[1]["prompt"] == "a boat"


async def test_a_bare_sheet_is_one_too(client: httpx.AsyncClient, session: str) -> None:
    path = f"/api/sessions/{session}/style-sheet"
    assert (await client.put(path, json={**SHEET, "enabled": True})).json() == {"ok": True}
    assert (await client.get(path)).json() == {"styleSheet": SHEET, "enabled": True}
    refused = await client.put(path, json={"enabled": True})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_SHEET")


async def test_a_sheet_is_read_from_the_prompts_of_the_session_and_stored(ima2_client: Any) -> None:
    writer = Writer(f"```json\n{json.dumps({**SHEET, 'mood': 'calm', 'palette': [str(i) for i in range(9)]})}\n```")
    async with ima2_client(graph=ima2_plugins.graph, words=plugin(providers=[writer])) as client:
        session = (await client.post("/api/sessions")).json()["session"]["id"]
        path = f"/api/sessions/{session}/style-sheet"
        nobody = await client.post(f"{path}/extract", json={})
        assert (nobody.status_code, nobody.json()["error"]["code"]) == (400, "STYLE_SHEET_BAD_INPUT")
        await save(
            client, session, 0, [node("a", prompt="a heron"), node("b", prompt="a heron"), node("c", prompt=" reeds")]
        )
        url = f"data:image/png;base64,{base64.b64encode(picture().data).decode()}"
        sheet = (await client.post(f"{path}/extract", json={"referenceDataUrl": url})).json()["styleSheet"]
        assert (sheet["mood"], sheet["palette"]) == ("calm", ["0", "1", "2", "3", "4", "5"])
        assert (await client.get(path)).json() == {"styleSheet": sheet, "enabled": False}
    (question,) = writer.questions
    assert (question.prompt, len(question.pictures)) == ("a heron\nreeds", 1)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (" ", "STYLE_SHEET_EMPTY"),
        ("a heron", "STYLE_SHEET_PARSE"),
        ("[1]", "STYLE_SHEET_SHAPE"),
        ('{"mood": 5}', "STYLE_SHEET_SHAPE"),
    ],
)
async def test_an_answer_that_is_no_sheet_is_told_and_not_stored(ima2_client: Any, answer: str, code: str) -> None:
    async with ima2_client(graph=ima2_plugins.graph, words=plugin(providers=[Writer(answer)])) as client:
        session = (await client.post("/api/sessions")).json()["session"]["id"]
        path = f"/api/sessions/{session}/style-sheet"
        told = await client.post(f"{path}/extract", json={"prompt": "a heron"})
        assert (told.status_code, told.json()["error"]["code"]) == (422, code)
        assert (await client.get(path)).json()["styleSheet"] is None


async def test_without_anybody_who_has_words_there_is_no_style_to_read(client: httpx.AsyncClient, session: str) -> None:
    told = await client.post(f"/api/sessions/{session}/style-sheet/extract", json={"prompt": "a heron"})
    assert (told.status_code, told.json()["error"]["code"]) == (400, "STYLE_SHEET_NO_KEY")


@pytest.mark.parametrize("url", ["data:image/png;base64,!!", "https://host/a.png", 5, "data:image/png;base64,AAAA"])
async def test_a_reference_that_is_no_picture_is_refused(client: httpx.AsyncClient, session: str, url: object) -> None:
    body = {"prompt": "a heron", "referenceDataUrl": url}
    told = await client.post(f"/api/sessions/{session}/style-sheet/extract", json=body)
    assert (told.status_code, told.json()["error"]["code"]) == (400, "STYLE_SHEET_BAD_INPUT")


def test_the_words_of_a_sheet_skip_what_is_odd_and_keep_to_their_limit() -> None:
    assert prefix_of(SHEET, 4000) == WORDS
    assert prefix_of({"palette": "teal", "mood": 5, "other": "x"}, 4000) == ""
    assert len(prefix_of({"mood": "calm " * 900}, 100)) == 100
    assert tidy({"mood": "x" * 900, "negative": list("abcdef")})["negative"] == ["a", "b", "c", "d"]


async def test_clips_of_a_session_keep_to_its_style_too(client: Any, session: str) -> None:
    await client.put(f"/api/sessions/{session}/style-sheet", json={**SHEET, "enabled": True})
    policy = client.runtime.registry.policies["style-sheet"]
    asked = ima2.VideoRequest("a boat sails", "echo")
    assert (await policy.rewrite(asked, ima2.Label(session_id=session))).prompt == f"{WORDS}\n\na boat sails"
    assert await policy.rewrite(asked, ima2.Label()) == asked
