"""Words: earlier turns, JSON by a schema, and the login that is made for words alone."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.openai.conftest import Api, Oauth
from tests.unit.openai.test_sign_in import browse, by_browser
from tests.upstreams.asking import all_of, draw
from tests.upstreams.chatgpt_accounts import address_query
from tests.upstreams.world import World

import ima2

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


def request(prompt: str = "What flies?", provider: str = "oauth", **fields: Any) -> ima2.TextRequest:
    return ima2.TextRequest(prompt, provider, **fields)


async def test_earlier_turns_come_before_the_prompt_in_their_order(api: Api, openai: World) -> None:
    turns = (ima2.Message("user", "Hello"), ima2.Message("assistant", "Good day"))
    await api().text(request(provider="api", system="Be brief.", messages=turns))
    (call,) = openai.calls("/responses")
    assert call.body["input"] == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Good day"},
        {"role": "user", "content": "What flies?"},
    ]


async def test_a_schema_is_followed_strictly(api: Api, openai: World) -> None:
    result = await api().text(request("SCHEMA What flies?", "api", schema=SCHEMA))
    assert json.loads(result.text) == {"title": "A kite"}
    (call,) = openai.calls("/responses")
    assert call.body["text"] == {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}}


async def test_an_answer_that_is_no_json_is_not_passed_on_as_one(api: Api) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await api().text(request("PLAIN What flies?", "api", schema=SCHEMA))
    assert (caught.value.code, caught.value.status) == ("ANSWER_INVALID", 502)


async def test_the_model_that_answered_is_named(api: Api) -> None:
    result = await api().text(request("USEDmodel_gpt-6-sol What flies?", "api"))
    assert result.model == "gpt-6-sol"
    same = await api().text(request("USEDmodel_gpt-5.4-mini-2026-03-05 What flies?", "api"))
    assert same.model == "gpt-5.4-mini"


# -- “Sign in with ChatGPT” ------------------------------------------------------------------------


async def test_who_signed_in_for_words_is_answered_on_the_public_api(
    oauth: Oauth, backend: World, auth_file: Path, home: Path
) -> None:
    provider = oauth(backend)
    done = await by_browser(provider, "words")
    assert (done.kind, done.account) == ("done", "kite@example.invalid")
    assert (await provider.text(request())).text.startswith("A kite")
    (call,) = backend.calls("/responses")
    assert call.path == "/siwc/v1/responses"
    assert (call.body["store"], call.body["stream"]) == (False, True)
    path = home / "ima2" / "chatgpt-words.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "id_token" not in path.read_text()


async def test_pictures_keep_to_the_login_that_draws(oauth: Oauth, backend: World, auth_file: Path) -> None:
    provider = oauth(backend)
    await by_browser(provider, "words")
    assert all_of(await draw(provider), ima2.Artifact)
    assert [call.path for call in backend.calls("/responses")] == ["/backend-api/codex/responses"]


async def test_without_it_words_come_by_the_login_that_draws(oauth: Oauth, backend: World, auth_file: Path) -> None:
    await oauth(backend).text(request())
    assert backend.calls("/responses")[0].path == "/backend-api/codex/responses"


async def test_the_client_that_was_issued_is_kept_for_the_next_time(oauth: Oauth, backend: World) -> None:
    provider = oauth(backend)
    await by_browser(provider, "words")
    await by_browser(provider, "words")
    first, second = (address for address in _queries(backend))
    assert (first, second) == ("dynamic_agent_client", "issued_client_1")


def _queries(world: World) -> list[str]:
    return list(world.state["accounts.clients"])


@pytest.mark.parametrize("spoilt", ["signature", "nonce", "audience", "issuer", "expired", "algorithm"])
async def test_an_id_token_that_is_not_right_signs_nobody_in(
    oauth: Oauth, backend: World, home: Path, spoilt: str
) -> None:
    backend.state["accounts.spoil"] = spoilt
    with pytest.raises(ima2.Ima2Error) as caught:
        await by_browser(oauth(backend), "words")
    assert caught.value.code == "LOGIN_FAILED"
    assert not (home / "ima2" / "chatgpt-words.json").exists()


async def test_tokens_rotate_and_are_renewed_once_for_many_calls(oauth: Oauth, backend: World, home: Path) -> None:
    backend.state["words.lifetime"] = 60
    provider = oauth(backend)
    await by_browser(provider, "words")
    before = _login(home)
    backend.state["words.lifetime"] = 3600
    await asyncio.gather(*(provider.text(request()) for _ in range(4)))
    after = _login(home)
    assert after["refresh_token"] == backend.state["words.refresh"] != before["refresh_token"]
    assert len(backend.calls("/accounts/oauth/token")) == 2


async def test_a_refused_token_is_renewed_and_the_words_asked_for_again(oauth: Oauth, backend: World) -> None:
    provider = oauth(backend)
    await by_browser(provider, "words")
    backend.state["words.access"] = "revoked elsewhere"
    assert (await provider.text(request())).text.startswith("A kite")
    assert len(backend.calls("/siwc/v1/responses")) == 2


async def test_no_token_is_renewed_before_it_may_be(oauth: Oauth, backend: World, home: Path) -> None:
    backend.state.update({"words.lifetime": 60, "accounts.early": 3600})
    provider = oauth(backend)
    await by_browser(provider, "words")
    assert (await provider.text(request())).text
    assert len(backend.calls("/accounts/oauth/token")) == 1
    login = _login(home)
    (home / "ima2" / "chatgpt-words.json").write_text(json.dumps({**login, "expires_at": time.time() - 1}))
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(request())
    assert caught.value.code == "AUTH_CHATGPT_EXPIRED"
    assert len(backend.calls("/accounts/oauth/token")) == 1


async def test_a_login_that_died_says_so(oauth: Oauth, backend: World, home: Path) -> None:
    provider = oauth(backend)
    await by_browser(provider, "words")
    backend.state.update({"words.access": "revoked elsewhere", "words.refresh": "rotated elsewhere"})
    with pytest.raises(ima2.Ima2Error) as caught:
        await provider.text(request())
    assert (caught.value.code, caught.value.status) == ("AUTH_CHATGPT_EXPIRED", 401)
    assert "OPENAI_API_KEY" not in caught.value.text


async def test_it_asks_for_words_and_for_nothing_else(oauth: Oauth, backend: World) -> None:
    steps = oauth(backend).login("words")
    opening = await anext(steps)
    query = address_query(opening.url or "")
    await steps.aclose()
    assert query["scope"].split() == [
        *("openid", "profile", "email", "offline_access", "resource.invoke", "chatgpt.tokens.use.direct"),
    ]
    assert (query["agent_name_hint"], query["resource"]) == ("ima2", f"{backend.base_url}/siwc/v1")
    assert query["ext_agent_host_id"].startswith("urn:uuid:")
    assert "not for pictures" in opening.text
    assert (await browse(f"{backend.base_url}/keys.json")).status_code == 200


def _login(home: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((home / "ima2" / "chatgpt-words.json").read_text())
    return value
