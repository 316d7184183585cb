"""What goes wrong at a server is sorted: refused or failed, and whether to try again."""

from __future__ import annotations

import pytest
from tests.unit.openai_compatible.conftest import KEY, Lab
from tests.upstreams.asking import draw, failure, only, told
from tests.upstreams.world import World

import ima2

CASES = {
    "REFUSE": ("SAFETY_REFUSAL", 422, "refused", False),
    "REFUSEWORDS": ("SAFETY_REFUSAL", 422, "refused", False),
    "ERRORIN200": ("SAFETY_REFUSAL", 422, "refused", False),
    "FAIL401": ("COMPATIBLE_KEY_REJECTED", 401, "failed", False),
    "FAIL402": ("USAGE_LIMIT_REACHED", 429, "failed", False),
    "FAIL403": ("COMPATIBLE_KEY_REJECTED", 403, "failed", False),
    "FAIL404": ("COMPATIBLE_UPSTREAM_ERROR", 502, "failed", False),
    "FAIL413": ("INVALID_REQUEST", 413, "failed", False),
    "FAIL429": ("RATE_LIMITED", 429, "failed", True),
    "FAIL500": ("UPSTREAM_5XX", 500, "failed", False),
    "FAIL503": ("UPSTREAM_5XX", 503, "failed", True),
    "HTML502": ("UPSTREAM_5XX", 502, "failed", False),
    "NOMODEL": ("MODEL_UNAVAILABLE", 404, "failed", False),
    "PLAINERROR": ("INVALID_REQUEST", 400, "failed", False),
    "DETAIL": ("INVALID_REQUEST", 422, "failed", False),
    "GARBAGE": ("COMPATIBLE_ANSWER_INVALID", 502, "failed", False),
    "NODATA": ("COMPATIBLE_ANSWER_INVALID", 502, "failed", False),
    "EMPTY": ("EMPTY_RESPONSE", 422, "failed", False),
}


@pytest.mark.parametrize("word", CASES)
async def test_each_failure_has_its_kind(lab: Lab, world: World, word: str) -> None:
    error = await failure(lab(), f"{word} kite")
    details = error.details
    assert (error.code, error.status, details["failureKind"], details["retry"]) == CASES[word]
    assert len(world.calls("/images")) == 1


async def test_how_long_to_wait_is_passed_on(lab: Lab) -> None:
    assert (await failure(lab(), "FAIL429")).retry_after == 7


async def test_the_models_that_work_are_named(lab: Lab) -> None:
    error = await failure(lab(models=["flux-dev", "sdxl"]), "NOMODEL")
    assert error.details["models"] == ["flux-dev", "sdxl"]
    assert "sdxl" in error.text


async def test_no_error_holds_a_key_a_prompt_or_the_servers_words(lab: Lab) -> None:
    for word in CASES:
        words = told(await failure(lab(api_key=KEY), f"{word} secret-boat"))
        assert not any(part in words for part in (KEY, "secret-boat", "safety system", "steps must"))


async def test_a_redirect_is_not_followed(lab: Lab) -> None:
    assert (await failure(lab(), "REDIRECT")).details["networkReason"] == "redirect"


async def test_nobody_there_is_worth_another_try_and_was_not_billed(lab: Lab) -> None:
    error = await failure(lab(base_url="http://127.0.0.1:9/v1"))
    assert (error.code, error.details["retry"]) == ("NETWORK_FAILED", True)
    assert "billed" not in error.text


async def test_a_broken_answer_may_have_been_billed(lab: Lab) -> None:
    error = await failure(lab(), "CUT")
    assert (error.code, error.details["retry"]) == ("NETWORK_FAILED", False)
    assert "billed" in error.text
    assert "billed" not in (await failure(lab(free=True), "CUT")).text


async def test_a_call_ends_in_time(lab: Lab) -> None:
    error = await failure(lab(timeout_s=0.3), "HANG")
    assert (error.code, error.status) == ("NETWORK_TIMEOUT", 504)


async def test_an_answer_beyond_the_limit_is_not_read(lab: Lab) -> None:
    assert (await failure(lab(max_answer_mb=1), "LARGE")).code == "RESPONSE_TOO_LARGE"


@pytest.mark.parametrize(
    ("word", "code"),
    [("NOTBASE64", "PICTURE_INVALID"), ("NOTPICTURE", "PICTURE_INVALID"), ("GONEURL", "COMPATIBLE_UPSTREAM_ERROR")],
)
async def test_a_picture_that_cannot_be_read_says_so(lab: Lab, word: str, code: str) -> None:
    error = only(await draw(lab(), word), ima2.Failed).error
    assert isinstance(error, ima2.Ima2Error)
    assert error.code == code
