"""Every way Google can fail, and what a user is told. Nothing is sent twice, nothing secret gets out."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import pytest
from tests.upstreams.asking import failure, told
from tests.upstreams.gemini_answers import MARKER
from tests.upstreams.world import World

from ima2_provider_gemini import exchange
from ima2_provider_gemini.provider import GeminiProvider

KEY = "AIzaTest-key-0123456789"
ROWS = [
    ("FAIL400", "GEMINI_API_BAD_REQUEST", 400, "INVALID_ARGUMENT"),
    ("BADKEY", "GEMINI_API_BAD_REQUEST", 400, "INVALID_ARGUMENT"),
    ("FAIL401", "GEMINI_API_UPSTREAM_ERROR", 502, "UNAUTHENTICATED"),
    ("FAIL403", "GEMINI_API_BAD_REQUEST", 403, "PERMISSION_DENIED"),
    ("FAIL404", "GEMINI_API_UPSTREAM_ERROR", 502, "NOT_FOUND"),
    ("FAIL429", "GEMINI_API_RATE_LIMITED", 429, "RESOURCE_EXHAUSTED"),
    ("FAIL500", "GEMINI_API_UPSTREAM_ERROR", 502, "INTERNAL"),
    ("FAIL503", "GEMINI_API_UPSTREAM_ERROR", 502, "UNAVAILABLE"),
    ("HTML502", "GEMINI_API_UPSTREAM_ERROR", 502, None),
    ("REDIRECT", "GEMINI_API_UPSTREAM_ERROR", 502, None),
    ("SAFETY", "GEMINI_API_SAFETY_BLOCKED", 400, "SAFETY"),
    *[
        (f"REASON_{reason}", "GEMINI_API_SAFETY_BLOCKED", 400, reason)
        for reason in (
            "IMAGE_SAFETY",
            "PROHIBITED_CONTENT",
            "IMAGE_PROHIBITED_CONTENT",
            "BLOCKLIST",
            "SPII",
            "RECITATION",
            "IMAGE_RECITATION",
        )
    ],
    *[
        (f"REASON_{reason}", "GEMINI_API_NO_IMAGE", 502, reason)
        for reason in ("NO_IMAGE", "IMAGE_OTHER", "MAX_TOKENS", "OTHER", "MALFORMED_FUNCTION_CALL")
    ],
    ("BLOCK", "GEMINI_API_SAFETY_BLOCKED", 400, "PROHIBITED_CONTENT"),
    ("EMPTY", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOPARTS", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOCANDIDATES", "GEMINI_API_NO_IMAGE", 502, None),
    ("ODD", "GEMINI_API_NO_IMAGE", 502, "_redacted"),
    ("NOTPICTURE", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOTBASE64", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOTJSON", "GEMINI_API_NETWORK_FAILED", 502, None),
    ("CUT", "GEMINI_API_NETWORK_FAILED", 502, None),
]


@pytest.mark.parametrize(("word", "code", "status", "upstream"), ROWS)
async def test_a_failure_has_its_code_is_asked_once_and_leaks_nothing(
    provider: GeminiProvider,
    world: World,
    caplog: pytest.LogCaptureFixture,
    word: str,
    code: str,
    status: int,
    upstream: str | None,
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await failure(provider, f"a secret-kite {word}")
    assert (error.code, error.status, error.upstream_code) == (code, status, upstream)
    assert len(world.calls(":generateContent")) == 1
    said = told(error) + caplog.text
    assert not any(secret in said for secret in (KEY, MARKER, "secret-kite"))
    assert error.text.endswith(".")


async def test_the_time_to_wait_is_passed_on(provider: GeminiProvider) -> None:
    assert (await failure(provider, "FAIL429")).retry_after == 31.0


@pytest.mark.parametrize(("word", "fragment"), [("BLOCK", "prompt was rejected"), ("SAFETY", "image was filtered")])
async def test_a_block_says_whether_the_prompt_or_the_picture_was_meant(
    provider: GeminiProvider, word: str, fragment: str
) -> None:
    assert fragment in (await failure(provider, word)).text


async def test_a_bad_key_is_called_a_bad_key(make: Callable[..., GeminiProvider]) -> None:
    error = await failure(make(api_key="AIzaSomebodyElse"), "a kite")
    assert (error.code, error.status) == ("GEMINI_API_BAD_REQUEST", 400)
    assert "key" in error.text


async def test_too_slow_is_a_timeout_and_not_the_network(make: Callable[..., GeminiProvider]) -> None:
    error = await failure(make(generation_timeout_ms=200), "HANG")
    assert (error.code, error.status) == ("GENERATION_TIMEOUT", 504)


async def test_nobody_there_is_the_network(make: Callable[..., GeminiProvider]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = await failure(make(base_url=address), "a kite")
    assert (error.code, error.status, error.upstream_type) == ("GEMINI_API_NETWORK_FAILED", 502, "ConnectError")
    assert address not in told(error)


async def test_an_endless_answer_is_cut_off(provider: GeminiProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_ANSWER", 3_000_000)
    assert (await failure(provider, "HUGE")).code == "GEMINI_API_UPSTREAM_ERROR"
