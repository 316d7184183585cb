"""Each way a picture can fail: its code, its status, and what never gets out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams import xai
from tests.upstreams.asking import KITE, failure, told
from tests.upstreams.world import World

import ima2
from ima2_provider_grok.failures import labels

EACH_STEP = [
    (400, "BAD_REQUEST", 400),
    (404, "BAD_REQUEST", 404),
    (422, "BAD_REQUEST", 422),
    (429, "GROK_RATE_LIMITED", 429),
    (401, "GROK_AUTH_FAILED", 502),
    (403, "GROK_AUTH_FAILED", 502),
    (500, "GROK_UPSTREAM_ERROR", 502),
    (503, "GROK_UPSTREAM_ERROR", 502),
]


@pytest.mark.parametrize(("upstream", "code", "status"), EACH_STEP)
@pytest.mark.parametrize(("step", "stage"), [("search", "_SEARCH"), ("plan", "_PLANNER"), ("draw", "")])
async def test_each_refusal_of_each_step_has_its_code(
    api: Any, step: str, stage: str, upstream: int, code: str, status: int
) -> None:
    error = await failure(api(), f"{KITE} {step}:fail{upstream}")
    assert (error.code, error.status) == (f"GROK{stage}_BAD_REQUEST" if code == "BAD_REQUEST" else code, status)
    assert xai.MARKER not in told(error)
    assert KITE not in error.text
    assert error.upstream_code == ("Unauthenticated" if upstream == 401 else None)
    assert "sk-secret" not in told(error)


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("search:nomessage", "GROK_SEARCH_EMPTY_RESPONSE", 502),
        ("search:blank", "GROK_SEARCH_EMPTY_RESPONSE", 502),
        ("search:notjson", "GROK_SEARCH_NETWORK_FAILED", 502),
        ("search:moderated", "GROK_SEARCH_BAD_REQUEST", 400),
        ("search:html", "GROK_UPSTREAM_ERROR", 502),
        ("plan:notool", "GROK_PLANNER_EMPTY_TOOL_CALL", 502),
        ("plan:wrongname", "GROK_PLANNER_EMPTY_TOOL_CALL", 502),
        ("plan:badjson", "GROK_PLANNER_INVALID_TOOL_ARGS", 502),
        ("plan:blank", "GROK_PLANNER_INVALID_TOOL_ARGS", 502),
        ("plan:notjson", "GROK_PLANNER_NETWORK_FAILED", 502),
        ("draw:empty", "GROK_EMPTY_RESPONSE", 502),
        ("draw:nourl", "GROK_EMPTY_RESPONSE", 502),
        ("draw:notjson", "GROK_NETWORK_FAILED", 502),
        ("draw:html", "GROK_UPSTREAM_ERROR", 502),
        ("draw:moderated", "SAFETY_REFUSAL", 422),
        ("draw:blocked", "SAFETY_REFUSAL", 422),
        ("draw:wrongkey", "GROK_AUTH_FAILED", 502),
        ("draw:badinline", "GROK_IMAGE_DOWNLOAD_FAILED", 502),
    ],
)
async def test_each_useless_answer_has_its_code(api: Any, words: str, code: str, status: int) -> None:
    error = await failure(api(), f"{KITE} {words}")
    assert (error.code, error.status) == (code, status)
    assert xai.MARKER not in told(error)


@pytest.mark.parametrize(
    ("words", "code", "limit"),
    [
        ("search:hang", "GROK_SEARCH_TIMEOUT", "planner_timeout_ms"),
        ("plan:hang", "GROK_PLANNER_TIMEOUT", "planner_timeout_ms"),
        ("draw:hang", "GENERATION_TIMEOUT", "generation_timeout_ms"),
        ("media:hang", "GROK_IMAGE_TIMEOUT", "image_download_timeout_ms"),
    ],
)
async def test_each_step_has_a_time_limit_of_its_own(api: Any, words: str, code: str, limit: str) -> None:
    error = await failure(api(**{limit: 300}), f"{KITE} {words}")
    assert (error.code, error.status) == (code, 504)


async def test_a_safety_refusal_says_at_which_end(api: Any) -> None:
    error = await failure(api(), f"{KITE} draw:moderated")
    assert error.details == {"failureKind": "refused", "retry": False, "moderationStage": "output"}


@pytest.mark.parametrize(
    "words", ["draw:fail429", "draw:fail503", "draw:hang", "draw:empty", "plan:notool", "draw:html"]
)
async def test_only_what_cost_nothing_is_advised_to_be_tried_again(api: Any, words: str) -> None:
    error = await failure(api(generation_timeout_ms=300), f"{KITE} {words}")
    assert error.details["failureKind"] == "failed"
    assert ("Try again" in error.text) is error.details["retry"] is (words == "draw:fail429")


@pytest.mark.parametrize("step", ["search", "plan", "draw"])
async def test_nothing_that_is_billed_is_sent_twice(api: Any, world: World, step: str) -> None:
    await failure(api(), f"{KITE} {step}:fail503")
    path = {"search": "responses", "plan": "completions", "draw": "images/"}[step]
    assert len(world.calls(path)) == 1


async def test_without_a_network_each_step_says_so(api: Any) -> None:
    error = await failure(api(base_url="http://127.0.0.1:9/v1"))
    assert (error.code, error.status) == ("GROK_SEARCH_NETWORK_FAILED", 502)
    assert error.details["retry"] is True
    png = ima2.Picture(b"\x89PNG\r\n\x1a\n", "image/png")
    error = await failure(api(base_url="http://127.0.0.1:9/v1"), source=png, plain=True)
    assert (error.code, error.status) == ("GROK_NETWORK_FAILED", 502)


async def test_without_a_key_grok_api_refuses_and_takes_no_other_way(api: Any, world: World, sign_in: Any) -> None:
    sign_in()
    for key in (None, "", "  "):
        error = await failure(api(api_key=key))
        assert (error.code, error.status) == ("API_KEY_REQUIRED", 401)
    assert not world.seen
    assert "XAI_API_KEY" in (api(api_key=None).problem() or "")


async def test_a_key_with_odd_characters_is_refused_before_it_is_sent(api: Any, world: World) -> None:
    error = await failure(api(api_key="xai-\x07bell"))
    assert (error.code, error.status) == ("AUTH_API_KEY_INVALID", 401)
    assert "bell" not in told(error)
    assert not world.seen


def test_both_shapes_of_errors_are_understood() -> None:
    assert labels({"error": {"message": "no token", "type": "auth_error"}}) == (None, "auth_error", "no token")
    assert labels({"code": "c", "error": "words"}) == ("c", None, "c words")
    assert labels("<html>") == (None, None, "")
