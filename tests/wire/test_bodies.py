"""What a body may say, on every route that draws: the same codes, in the shape that route's clients read."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.testing import EchoProvider
from tests.wire.painter import ASK, PNG, Painter, frames, parts

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"model": "chalk"}, "IMAGE_MODEL_UNSUPPORTED"),
    ({"model": "lead"}, "INVALID_IMAGE_MODEL"),
    ({"reasoningEffort": "extreme"}, "INVALID_REASONING_EFFORT"),
    ({"reasoningEffort": 3}, "INVALID_REASONING_EFFORT"),
    ({"options": {"seed": 100}}, "INVALID_SEED"),
    ({"options": {"sed": 1}}, "UNKNOWN_OPTION"),
    ({"options": [1]}, "INVALID_OPTIONS"),
    ({"options": {"mode": "dream"}}, "INVALID_OPTION"),
    ({"prompt": "x" * 32_001}, "PROMPT_TOO_LONG"),
    ({"prompt": 7}, "INVALID_PROMPT"),
    ({"prompt": "a\x00b"}, "INVALID_PROMPT"),
    ({"size": "15x1024"}, "INVALID_SIZE"),
    ({"size": "4097x1024"}, "INVALID_SIZE"),
    ({"size": "large"}, "INVALID_SIZE"),
    ({"moderation": "none"}, "INVALID_MODERATION"),
    ({"moderation": 1}, "INVALID_MODERATION"),
    ({"references": PNG}, "REF_NOT_ARRAY"),
    ({"references": [PNG] * 6}, "REF_TOO_MANY"),
    ({"references": [PNG] * 4}, "PAINTER_REF_TOO_MANY"),
    ({"references": [1]}, "REF_NOT_STRING"),
    ({"references": ["data:image/png;base64,"]}, "REF_EMPTY"),
    ({"references": ["not base64!"]}, "REF_NOT_BASE64"),
    ({"references": ["AAAAAAAA"]}, "REF_NOT_IMAGE"),
    ({"partials": 4}, "INVALID_PARTIALS"),
    ({"partials": -1}, "INVALID_PARTIALS"),
    ({"requestId": "a b"}, "INVALID_REQUEST_ID"),
    ({"requestId": "x" * 129}, "INVALID_REQUEST_ID"),
    ({"sessionId": "s" * 161}, "INVALID_SESSION_ID"),
    ({"clientNodeId": 5}, "INVALID_NODE_ID"),
    ({"composerPrompt": 5}, "INVALID_COMPOSER"),
    ({"provider": "nobody"}, "UNKNOWN_PROVIDER"),
    ({"provider": 5}, "UNKNOWN_PROVIDER"),
]


async def test_what_is_wrong_is_refused_over_http_before_anything_is_asked(ima2_client: Any) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        for wrong, code in REFUSALS:
            answer = await client.post("/api/generate", json={**ASK, **wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, code), wrong
            assert answer.json()["error"]
            in_background = await client.post("/api/generate", json={**ASK, **wrong, "async": True})
            assert (in_background.status_code, in_background.json()["code"]) == (400, code), wrong
        listed = (await client.get("/api/inflight?includeTerminal=1")).json()
    assert painter.asked == []
    assert listed == {"jobs": [], "terminalJobs": []}


async def test_a_sequence_refuses_as_the_one_frame_of_a_stream_and_in_the_background_over_http(
    ima2_client: Any,
) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        for wrong, code in REFUSALS:
            body = {**ASK, "requestId": "mm-1", **wrong}
            answer = await client.post("/api/generate/multimode", json=body)
            [(name, data)] = frames(answer)
            assert (answer.status_code, name, data["code"], data["status"]) == (200, "error", code, 400), wrong
            assert isinstance(data["error"], str)
            assert data["requestId"] == body["requestId"] or len(body["requestId"]) > 128
            in_background = await client.post("/api/generate/multimode", json={**body, "async": True})
            assert (in_background.status_code, in_background.json()["code"]) == (400, code), wrong
            assert in_background.json()["status"] == 400
    assert painter.asked == []


JUST_RIGHT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"size": "1024x1024", "quality": "medium", "format": "png", "moderation": "low", "model": "oil"}),
    ({"size": "16x16"}, {"size": "16x16"}),
    ({"size": "4096x4096"}, {"size": "4096x4096"}),
    ({"size": "auto"}, {"size": "auto"}),
    ({"size": "grok:16:9:2k"}, {"size": "grok:16:9:2k"}),
    ({"size": ""}, {"size": "1024x1024"}),
    ({"size": None}, {"size": "1024x1024"}),
    ({"quality": "high", "model": "ink"}, {"quality": "high", "model": "ink"}),
    ({"moderation": "auto"}, {"moderation": "auto"}),
    ({"format": "jpg"}, {"format": "jpeg"}),
    ({"references": [PNG] * 3}, {}),
    ({"prompt": "x" * 32_000}, {}),
    ({"requestId": "A-z.0_9:" * 16}, {}),
    ({"sessionId": "s" * 160}, {}),
]


async def test_what_is_just_within_is_taken_and_told_as_it_took_effect(ima2_client: Any) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        for fields, told in JUST_RIGHT:
            answer = (await client.post("/api/generate", json={**ASK, **fields})).json()
            assert {name: answer[name] for name in told} == told, fields
            assert {name: getattr(painter.asked[-1], name) for name in told} == told, fields
            assert answer["requestId"] == fields.get("requestId", answer["requestId"])


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({}, ("medium", True, "auto")),
        ({"reasoningEffort": "high"}, ("high", True, "auto")),
        ({"reasoningEffort": ""}, ("medium", True, "auto")),
        ({"webSearchEnabled": False}, ("medium", False, "auto")),
        ({"webSearchEnabled": 0}, ("medium", True, "auto")),
        ({"webSearchEnabled": None}, ("medium", True, "auto")),
        ({"mode": "direct"}, ("medium", True, "direct")),
        ({"mode": "dream"}, ("medium", True, "auto")),
        ({"options": {"mode": "direct", "reasoningEffort": "low"}, "reasoningEffort": "high"}, ("low", True, "direct")),
    ],
)
async def test_efforts_search_and_mode_are_asked_and_told_as_chosen(
    ima2_client: Any, fields: dict[str, Any], chosen: tuple[Any, ...]
) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        answer = (await client.post("/api/generate", json={**ASK, **fields})).json()
    options = painter.asked[0].options
    assert (options["reasoningEffort"], options["webSearch"], options["mode"]) == chosen
    assert (answer["reasoningEffort"], answer["webSearchEnabled"], answer["promptMode"]) == chosen


async def test_what_the_provider_does_not_know_is_left_out_and_told(ima2_client: Any) -> None:
    echo = EchoProvider()
    async with ima2_client(parts=parts(echo)) as client:
        asked = {"prompt": "x", "provider": "echo", "reasoningEffort": "high", "providerUrl": "https://a.example/b.png"}
        answer = (await client.post("/api/generate", json=asked)).json()
    assert [(one["code"], one.get("field"), one.get("reason")) for one in answer["warnings"]] == [
        ("OPTION_IGNORED", "reasoningEffort", "provider-has-no-such-option"),
        ("PROVIDER_URL_IGNORED", "providerUrl", "provider-takes-no-urls"),
        ("ECHOED", None, None),
    ]
    assert (answer["reasoningEffort"], answer["webSearchEnabled"]) == ("none", False)
    assert echo.asked[0].references == ()


@pytest.mark.parametrize(
    ("url", "links"),
    [
        ("https://a.example/b.png", 1),
        ("http://a.example/b.png", 1),
        ("https://a.example/" + "b" * 3982, 1),
        ("https://a.example/" + "b" * 3983, 0),
        ("ftp://a.example/b.png", 0),
        (7, 0),
    ],
    ids=["https", "http", "just short enough", "too long", "ftp", "a number"],
)
async def test_an_address_is_the_first_reference_of_a_provider_that_takes_addresses(
    ima2_client: Any, url: Any, links: int
) -> None:
    painter = Painter(links=True)
    async with ima2_client(parts=parts(painter)) as client:
        answer = (await client.post("/api/generate", json={**ASK, "providerUrl": url, "references": [PNG]})).json()
    assert len(painter.asked[0].references) == links + 1
    assert getattr(painter.asked[0].references[0], "url", None) == (url if links else None)
    ignored = [one["code"] for one in answer["warnings"]]
    assert ignored == ([] if links or not str(url).startswith("http") else ["PROVIDER_URL_IGNORED"])


async def test_an_address_counts_among_the_references(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter(links=True))) as client:
        body = {**ASK, "providerUrl": "https://a.example/b.png", "references": [PNG] * 3}
        assert (await client.post("/api/generate", json=body)).json()["code"] == "PAINTER_REF_TOO_MANY"


async def test_a_quality_that_does_not_exist_is_the_middle_one_and_a_warning(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        answer = (await client.post("/api/generate", json={**ASK, "quality": "best"})).json()
    assert answer["quality"] == "medium"
    assert answer["warnings"] == [
        {"code": "QUALITY_DEFAULTED", "field": "quality", "normalizedTo": "medium", "reason": "invalid-quality"}
    ]


async def test_a_body_that_is_no_object_is_refused_in_words(ima2_client: Any) -> None:
    async with ima2_client(parts=parts(Painter())) as client:
        for path in ("/api/generate", "/api/edit", "/api/generate/multimode"):
            codes = [
                (await client.post(path, content=sent, headers={"content-type": kind})).json()["code"]
                for sent, kind in ((b"{", "application/json"), (b"[]", "application/json"), (b"a=b", "text/plain"))
            ]
            assert codes == ["INVALID_JSON", "INVALID_BODY", "INVALID_BODY"]
