"""Every way a call can fail, and what a person is told."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

import pytest
from pydantic import SecretStr, ValidationError
from tests.unit.openai.conftest import KEY, NOBODY, Api, Client, log
from tests.upstreams.asking import all_of, failure, told
from tests.upstreams.responses_errors import MARKER
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai.api_provider import ApiProvider
from ima2_plugins.openai.settings import ApiSettings

HTTP = [
    ("FAIL401", "AUTH_API_KEY_INVALID", 401, "invalid_api_key"),
    ("EXPIRED", "AUTH_API_KEY_INVALID", 401, None),
    ("REFUSE", "SAFETY_REFUSAL", 422, "moderation_blocked"),
    ("REFUSEOUT", "SAFETY_REFUSAL", 422, "moderation_blocked"),
    ("BADVALUE", "INVALID_REQUEST", 400, "invalid_value"),
    ("BADMODERATION", "INVALID_REQUEST", 400, "invalid_value"),
    ("TOOLGONE", "OAUTH_IMAGE_CAPABILITY_UNAVAILABLE", 422, "invalid_value"),
    ("FAIL403", "INVALID_REQUEST", 403, "unsupported_country_region_territory"),
    ("HTML403", "NETWORK_FAILED", 403, None),
    ("FAIL413", "INVALID_REQUEST", 413, None),
    ("FAIL429", "RATE_LIMITED", 429, "rate_limit_exceeded"),
    ("QUOTA", "AUTH_API_KEY_INVALID", 429, "insufficient_quota"),
    ("USAGELIMIT", "USAGE_LIMIT_REACHED", 429, None),
    ("NOTINPLAN", "USAGE_LIMIT_REACHED", 429, None),
    ("FAIL500", "UPSTREAM_5XX", 500, "server_error"),
    ("FAIL503", "UPSTREAM_5XX", 503, None),
    ("HTML502", "UPSTREAM_5XX", 502, None),
    ("DETAIL", "INVALID_REQUEST", 400, None),
    ("DETAILS", "INVALID_REQUEST", 422, None),
    ("ODDERROR", "INVALID_REQUEST", 400, None),
    ("NOBODY", "INVALID_REQUEST", 400, None),
    ("REDIRECT", "UPSTREAM_REDIRECT", 502, None),
]
STREAMED = [
    ("STREAMERR", "RESPONSES_STREAM_ERROR", 502, "server_error"),
    ("FLATERR_server_error", "RESPONSES_STREAM_ERROR", 502, "server_error"),
    ("FLATERR_something_new", "RESPONSES_STREAM_ERROR", 502, "something_new"),
    ("FLATERR_rate_limit_exceeded", "RATE_LIMITED", 429, "rate_limit_exceeded"),
    ("FLATERR_moderation_blocked", "SAFETY_REFUSAL", 422, "moderation_blocked"),
    ("FLATERR_image_too_small", "INVALID_REQUEST", 400, "image_too_small"),
    ("USAGEERR", "USAGE_LIMIT_REACHED", 429, None),
    ("FAILED_server_error", "RESPONSES_STREAM_ERROR", 502, "server_error"),
    ("FAILED_vector_store_timeout", "RESPONSES_STREAM_ERROR", 502, "vector_store_timeout"),
    ("FAILED_rate_limit_exceeded", "RATE_LIMITED", 429, "rate_limit_exceeded"),
    ("FAILED_image_content_policy_violation", "SAFETY_REFUSAL", 422, "image_content_policy_violation"),
    ("FAILED_invalid_prompt", "INVALID_REQUEST", 400, "invalid_prompt"),
    ("EMPTY INCOMPLETE_content_filter", "SAFETY_REFUSAL", 422, "content_filter"),
    ("EMPTY INCOMPLETE_max_output_tokens", "IMAGE_TOOL_FAILED", 422, "max_output_tokens"),
    ("TOOLMOD", "SAFETY_REFUSAL", 422, "moderation_blocked"),
    ("REFUSALPART", "SAFETY_REFUSAL", 422, None),
    ("CUT", "NETWORK_FAILED", 502, None),
]
EMPTY = [
    ("EMPTY", "EMPTY_RESPONSE", "No image data returned", None),
    ("EARLY", "EMPTY_RESPONSE", "No image data returned", None),
    ("TEXTONLY", "IMAGE_TOOL_NOT_CALLED", "without calling the image tool", "image_tool_not_called"),
    ("SEARCHONLY", "WEB_SEARCH_ONLY_RESPONSE", "web search but not the image tool", "web_search_only_response"),
    ("TOOLFAIL", "IMAGE_TOOL_FAILED", "image tool call failed", "image_tool_failed"),
    ("NORESULT", "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT", "image tool completed without image data", ""),
    ("BLANKRESULT", "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT", "image tool completed without image data", ""),
    ("NOTBASE64", "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT", "image tool completed without image data", ""),
    ("NOTPICTURE", "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT", "image tool completed without image data", ""),
    ("GARBAGE", "STREAM_PARSE_FAILED", "stream could not be parsed", "stream_parse_failed"),
]
QUIET = {"webSearch": False}


@pytest.mark.parametrize(("words", "code", "status", "upstream"), [*HTTP, *STREAMED])
async def test_each_failure_has_its_own_code_and_is_paid_for_once(
    api: Api, openai: World, caplog: pytest.LogCaptureFixture, words: str, code: str, status: int, upstream: str | None
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await failure(api(), f"{words} kite")
    assert (error.code, error.status, error.upstream_code) == (code, status, upstream)
    assert len(openai.calls("/responses")) == 1
    everything = told(error) + str(error) + caplog.text
    assert MARKER not in everything
    assert KEY not in everything
    assert "kite" not in error.text


@pytest.mark.parametrize(("words", "code", "fragment", "reason"), EMPTY)
async def test_each_answer_without_a_picture_is_named_and_diagnosed(
    api: Api, openai: World, words: str, code: str, fragment: str, reason: str | None
) -> None:
    error = await failure(api(), f"{words} kite", options=QUIET)
    assert (error.code, error.status) == (code, 422)
    assert fragment in error.text
    assert error.details["diagnosticReason"] == (code.lower() if reason == "" else reason)
    assert len(openai.calls("/responses")) == 1


async def test_the_diagnosis_has_every_key_clients_know(api: Api) -> None:
    details = (await failure(api(), "EMPTY kite")).details
    assert set(details) == {
        *("diagnosticReason", "retryKind", "initialEventCount", "initialEventTypes", "referencesDroppedOnRetry"),
        *("developerPromptDroppedOnRetry", "webSearchDroppedOnRetry", "fallbackEventCount", "fallbackEventTypes"),
        *("fallbackImageCallSeen", "fallbackImageResultCount", "errorEventCount", "eventTypes", "webSearchCalls"),
        *("responseDiagnostics", "toolTypes", "toolChoiceKind"),
    }
    assert details["retryKind"] == "none"
    assert not details["referencesDroppedOnRetry"]
    assert details["initialEventTypes"] == details["fallbackEventTypes"] == details["eventTypes"]
    assert details["initialEventCount"] == sum(details["eventTypes"].values()) == 8
    assert details["toolTypes"] == ["web_search", "image_generation"]
    assert details["toolChoiceKind"] == "image_generation"
    facts = details["responseDiagnostics"]
    assert set(facts) == {
        *("eventTypes", "streamStats", "outputItemSummary", "imageCallSeen", "imageCallCompleted", "imageCallFailed"),
        *("imageResultCount", "webSearchCallSeen", "messageOutputSeen", "outputTextChars"),
    }
    assert facts["imageCallSeen"]
    assert facts["streamStats"]["lfBoundaryCount"] == 9
    assert facts["streamStats"]["sawDoneSentinel"]
    assert facts["streamStats"]["bytesRead"] > facts["streamStats"]["maxChunkBytes"] > 0


async def test_the_summary_of_items_holds_sizes_and_labels_but_no_content(api: Api) -> None:
    details = (await failure(api(), "TOOLFAIL kite")).details
    (item,) = details["responseDiagnostics"]["outputItemSummary"]
    assert item == {
        "eventType": "response.output_item.done",
        "itemType": "image_generation_call",
        "status": "failed",
        "hasResult": False,
        "resultChars": 0,
        "revisedPromptChars": 0,
        "hasError": True,
        "errorCode": "server_error",
        "errorType": None,
        "errorParam": None,
    }


async def test_with_a_key_a_search_without_a_picture_is_the_first_suspect(api: Api) -> None:
    for words in ("EMPTY", "TEXTONLY"):
        assert (await failure(api(), f"{words} kite")).code == "WEB_SEARCH_ONLY_RESPONSE"


async def test_an_empty_answer_names_what_may_be_unsupported(api: Api) -> None:
    asked = {"size": "3840x2160", "quality": "high", "model": "gpt-5.5"}
    error = await failure(api(), "EMPTY kite", options=QUIET, **asked)
    assert "size=3840x2160, quality=high, model=gpt-5.5" in error.text
    assert error.details["diagnosticReason"] == "experimental_4k_empty_response"


async def test_a_series_without_pictures_is_an_empty_response_whose_reason_says_more(api: Api) -> None:
    error = await failure(api(), "TEXTONLY kite", sequence=3, options=QUIET)
    assert (error.code, error.status) == ("EMPTY_RESPONSE", 422)
    assert error.details["diagnosticReason"] == "image_tool_not_called"


@pytest.mark.parametrize(
    ("words", "stage", "fragment"),
    [
        ("REFUSE", "input", "request was rejected"),
        ("REFUSEOUT", "output", "generated image"),
        ("REFUSALPART", "input", "request was rejected"),
        ("EMPTY INCOMPLETE_content_filter", "output", "image was filtered"),
    ],
)
async def test_a_refusal_says_at_which_stage(api: Api, words: str, stage: str, fragment: str) -> None:
    error = await failure(api(), f"{words} kite")
    assert error.details["moderationStage"] == stage
    assert fragment in error.text


@pytest.mark.parametrize(
    ("words", "seconds"), [("FAIL429", 2.5), ("FAIL503", 7.0), ("USAGELIMIT", 5400), ("USAGEERR", 5400)]
)
async def test_how_long_to_wait_is_passed_on(api: Api, words: str, seconds: float) -> None:
    assert (await failure(api(), f"{words} kite")).retry_after == seconds


@pytest.mark.parametrize(("words", "code"), [("LATEERR", "RESPONSES_STREAM_ERROR"), ("LATECUT", "NETWORK_FAILED")])
async def test_a_failure_after_a_picture_comes_after_it(api: Api, words: str, code: str) -> None:
    updates: list[ima2.Update] = []

    async def run() -> None:
        stream = api().images(ima2.ImageRequest(f"MULTI2 {words}", "api", sequence=2), ima2.Job("j"))
        while True:
            updates.append(await anext(stream))

    with pytest.raises(ima2.Ima2Error) as caught:
        await run()
    assert caught.value.code == code
    assert [one.picture.data for one in all_of(updates, ima2.Artifact)] == [picture()]


@pytest.mark.parametrize("words", ["HANG", "STALL"])
async def test_an_answer_that_takes_too_long_is_a_504(api: Api, openai: World, words: str) -> None:
    error = await failure(api(generation_timeout_ms=300), f"{words} kite")
    assert (error.code, error.status) == ("RESPONSES_IMAGE_TIMEOUT", 504)
    assert len(openai.calls("/responses")) == 1


async def test_a_call_ends_with_its_job(api: Api) -> None:
    job = ima2.Job("job-1")
    job.deadline -= 899.7
    with pytest.raises(ima2.Ima2Error) as caught:
        _ = [one async for one in api().images(ima2.ImageRequest("HANG kite", "api"), job)]
    assert caught.value.code == "RESPONSES_IMAGE_TIMEOUT"


async def test_nobody_there_is_a_network_failure(api: Api) -> None:
    error = await failure(api(base_url=f"http://127.0.0.1:{NOBODY}/v1"))
    assert (error.code, error.status) == ("NETWORK_FAILED", 502)


async def test_a_connection_that_dies_after_the_request_was_sent_is_not_tried_again(client: Client) -> None:
    with dying() as (port, seen):
        settings = ApiSettings(api_key=SecretStr(KEY), base_url=f"http://127.0.0.1:{port()}/v1")
        error = await failure(ApiProvider(settings, client, log))
        assert error.code == "NETWORK_FAILED"
        assert len(seen) == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "API_KEY_REQUIRED"),
        (" ", "API_KEY_REQUIRED"),
        ("sk-a\nb", "AUTH_API_KEY_INVALID"),
        ("sk-\u00e9\u00e9", "AUTH_API_KEY_INVALID"),
        ("sk-a\x00", "AUTH_API_KEY_INVALID"),
    ],
)
async def test_without_a_usable_key_nothing_is_sent(api: Api, openai: World, key: str | None, code: str) -> None:
    provider = api(api_key=None if key is None else SecretStr(key))
    error = await failure(provider)
    assert (error.code, error.status) == (code, 401)
    assert provider.problem() == error.text
    assert (await provider.status()).state == "auth_required"
    assert openai.seen == []


async def test_a_link_is_refused_before_anything_is_sent(api: Api, openai: World) -> None:
    error = await failure(api(), references=(ima2.Link("https://example.invalid/a.png"),))
    assert (error.code, error.status) == ("LINK_UNSUPPORTED", 400)
    assert openai.seen == []


@pytest.mark.parametrize(
    ("words", "code"), [("WORDLESS", "EMPTY_RESPONSE"), ("REFUSALPART", "SAFETY_REFUSAL"), ("FAIL429", "RATE_LIMITED")]
)
async def test_a_call_for_words_fails_the_same_way(api: Api, words: str, code: str) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await api().text(ima2.TextRequest(f"{words} kite", "api"))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "url", ["http://api.example.invalid/v1", "ftp://127.0.0.1/", "https://u:p@h.invalid", "https://h.invalid/?k=1", ""]
)
def test_keys_only_travel_to_safe_addresses(url: str) -> None:
    with pytest.raises(ValidationError):
        ApiSettings(base_url=url)


async def test_status_lists_the_models_or_says_what_is_wrong(api: Api) -> None:
    ready = await api().status()
    assert (ready.state, ready.models) == ("ready", ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini"))
    assert (await api(api_key=SecretStr("wrong")).status()).state == "auth_required"
    assert (await api(base_url=f"http://127.0.0.1:{NOBODY}/v1").status()).state == "offline"


class dying:  # noqa: N801 - used as a function
    """A server that reads each request and hangs up without an answer."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._seen: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> tuple[Callable[[], int], list[bytes]]:
        self._thread.start()
        return (lambda: int(self._listener.getsockname()[1])), self._seen

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._seen.append(connection.recv(65_536))
