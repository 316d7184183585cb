"""A local proxy in front of ChatGPT, and when it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.openai.conftest import NOBODY, Oauth, port_of
from tests.upstreams.asking import all_of, draw, failure
from tests.upstreams.world import World, picture

import ima2


async def test_a_proxy_that_answers_is_asked_instead_of_chatgpt(
    oauth: Oauth, proxy: World, backend: World, auth_file: Path
) -> None:
    provider = oauth(backend, proxy_port=port_of(proxy))
    assert all_of(await draw(provider), ima2.Artifact)
    (call,) = proxy.calls("/v1/responses")
    assert not {"authorization", "chatgpt-account-id"} & set(call.headers)
    assert "instructions" not in call.body
    assert backend.seen == []


async def test_a_proxy_works_without_a_login_of_ones_own(oauth: Oauth, proxy: World) -> None:
    provider = oauth(proxy_port=port_of(proxy))
    assert provider.problem() is not None
    assert all_of(await draw(provider), ima2.Artifact)
    assert provider.problem() is None


async def test_another_program_at_the_port_is_no_proxy(oauth: Oauth, backend: World, auth_file: Path) -> None:
    provider = oauth(backend, proxy_port=port_of(backend))
    assert all_of(await draw(provider), ima2.Artifact)
    assert len(backend.calls("/backend-api/codex/responses")) == 1


async def test_a_proxy_said_to_be_there_is_asked_without_looking(oauth: Oauth, proxy: World) -> None:
    provider = oauth(proxy_port=port_of(proxy), assume_proxy=True)
    assert provider.problem() is None
    assert all_of(await draw(provider), ima2.Artifact)


async def test_a_proxy_said_to_be_there_that_is_not_is_never_replaced(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    provider = oauth(backend, proxy_port=NOBODY, assume_proxy=True)
    error = await failure(provider)
    assert (error.code, error.status) == ("OAUTH_UNAVAILABLE", 503)
    assert (await provider.status()).state == "offline"
    assert backend.seen == []


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("FAIL401", "AUTH_API_KEY_INVALID", 401),
        ("EXPIRED", "AUTH_CHATGPT_EXPIRED", 401),
        ("USAGELIMIT", "USAGE_LIMIT_REACHED", 429),
        ("FAIL500", "UPSTREAM_5XX", 500),
        ("CUT", "NETWORK_FAILED", 502),
    ],
)
async def test_failures_come_through_the_proxy_once(
    oauth: Oauth, proxy: World, words: str, code: str, status: int
) -> None:
    error = await failure(oauth(proxy_port=port_of(proxy), assume_proxy=True), f"{words} kite")
    assert (error.code, error.status) == (code, status)
    assert len(proxy.calls("/responses")) == 1


@pytest.mark.parametrize(
    ("words", "code", "listed"),
    [
        ("EMPTY", "EMPTY_RESPONSE", [[], ["web_search_call"]]),
        ("TEXTONLY", "IMAGE_TOOL_NOT_CALLED", [["message"], ["web_search_call", "message"]]),
        ("SEARCHONLY", "WEB_SEARCH_ONLY_RESPONSE", [["web_search_call"], ["web_search_call"]]),
    ],
)
async def test_a_search_explains_an_empty_answer_last_for_a_plain_request_and_first_for_an_edit(
    oauth: Oauth, proxy: World, words: str, code: str, listed: list[list[str]]
) -> None:
    provider = oauth(proxy_port=port_of(proxy), assume_proxy=True)
    source = ima2.Picture(picture(), "image/png")
    for number, fields in enumerate(({}, {"source": source})):
        error = await failure(provider, f"{words} kite", **fields)
        assert error.code == ("WEB_SEARCH_ONLY_RESPONSE" if number else code)
        items = error.details["responseDiagnostics"]["outputItemSummary"]
        assert [item["itemType"] for item in items] == listed[number]


async def test_the_proxys_list_of_models_is_the_status(oauth: Oauth, proxy: World) -> None:
    provider = oauth(proxy_port=port_of(proxy))
    status = await provider.status()
    assert (status.state, status.models) == ("ready", ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini"))
    proxy.state["proxy.down"] = True
    assert (await provider.status()).state == "auth_required"
