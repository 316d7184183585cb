"""The ChatGPT login itself: who is asked as whom, and how the login is kept alive."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.openai.conftest import Oauth
from tests.upstreams import chatgpt
from tests.upstreams.asking import all_of, draw, failure, only, told
from tests.upstreams.responses_errors import MARKER
from tests.upstreams.responses_stream import REVISED
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai.catalogue import LOGIN_MODELS


def saved(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text())
    return value


async def test_the_backend_gets_the_login_and_an_honest_name(oauth: Oauth, backend: World, auth_file: Path) -> None:
    updates = await draw(oauth(backend))
    artifact = only(updates, ima2.Artifact)
    assert (artifact.picture.data, artifact.revised_prompt) == (picture(), REVISED)
    (call,) = backend.calls("/responses")
    tokens = saved(auth_file)["tokens"]
    assert call.headers["authorization"] == f"Bearer {tokens['access_token']}"
    assert call.headers["chatgpt-account-id"] == chatgpt.ACCOUNT
    assert call.headers["openai-beta"] == "responses=experimental"
    assert call.headers["originator"] == "ima2"
    assert call.headers["user-agent"].startswith("ima2/")
    assert "version" not in call.headers
    assert (call.body["instructions"], call.body["store"], call.body["stream"]) == ("", False, True)
    assert call.body["reasoning"] == {"effort": "medium"}
    assert backend.calls("/oauth/token") == []


async def test_a_series_and_its_previews_come_through_the_login_too(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    updates = await draw(oauth(backend), "MULTI2 kite", sequence=2, partials=1)
    assert [one.index for one in all_of(updates, ima2.Artifact)] == [0, 1]
    assert len(all_of(updates, ima2.Partial)) == 2


async def test_words_come_through_the_login_too(oauth: Oauth, backend: World, auth_file: Path) -> None:
    assert (await oauth(backend).text(ima2.TextRequest("What flies?", "oauth"))).text.startswith("A kite")


async def test_an_account_id_that_is_missing_is_read_from_the_id_token(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    login = saved(auth_file)
    del login["tokens"]["account_id"]
    auth_file.write_text(json.dumps(login))
    assert all_of(await draw(oauth(backend)), ima2.Artifact)


async def test_a_token_near_its_end_is_renewed_first_and_the_rest_of_the_file_survives(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=200, agent={"kept": [1]})))
    auth_file.chmod(0o644)
    before = saved(auth_file)
    await draw(oauth(backend))
    after = saved(auth_file)
    (renewal,) = backend.calls("/oauth/token")
    assert renewal.body == {
        "client_id": chatgpt.CLIENT,
        "grant_type": "refresh_token",
        "refresh_token": before["tokens"]["refresh_token"],
    }
    assert after["tokens"]["access_token"] == backend.state["chatgpt.access"] != before["tokens"]["access_token"]
    assert after["tokens"]["refresh_token"] == backend.state["chatgpt.refresh"] != before["tokens"]["refresh_token"]
    assert (after["auth_mode"], after["OPENAI_API_KEY"], after["agent"]) == ("chatgpt", None, {"kept": [1]})
    assert after["tokens"]["account_id"] == chatgpt.ACCOUNT
    assert after["last_refresh"] > before["last_refresh"]
    assert stat.S_IMODE(auth_file.stat().st_mode) == 0o600


async def test_a_login_without_an_end_is_renewed_after_eight_days(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    login = saved(auth_file)
    backend.state["chatgpt.access"] = login["tokens"]["access_token"] = "opaque-token"
    auth_file.write_text(json.dumps(login))
    await draw(oauth(backend))
    assert len(backend.calls("/oauth/token")) == 1


async def test_a_refused_token_is_renewed_once_and_the_call_sent_again(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    backend.state["chatgpt.access"] = "revoked elsewhere"
    assert all_of(await draw(oauth(backend)), ima2.Artifact)
    assert len(backend.calls("/oauth/token")) == 1
    assert len(backend.calls("/responses")) == 2


async def test_a_login_that_changed_meanwhile_is_used_without_renewal(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    provider = oauth(backend)
    await draw(provider)
    auth_file.write_text(json.dumps(chatgpt.login(backend)))
    assert all_of(await draw(provider), ima2.Artifact)
    assert backend.calls("/oauth/token") == []
    assert len(backend.calls("/responses")) == 2


async def test_many_calls_at_once_renew_once(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state.update({"chatgpt.access": "revoked elsewhere", "chatgpt.slow": 0.2})
    assert len(all_of(await draw(oauth(backend), count=8), ima2.Artifact)) == 8
    assert len(backend.calls("/oauth/token")) == 1


async def test_two_processes_renew_once(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state.update({"chatgpt.access": "revoked elsewhere", "chatgpt.slow": 0.2})
    first, second = oauth(backend), oauth(backend)
    results = await asyncio.gather(draw(first), draw(second))
    assert all(all_of(updates, ima2.Artifact) for updates in results)
    assert len(backend.calls("/oauth/token")) == 1


async def test_a_renewal_outlives_the_job_that_asked_for_it(oauth: Oauth, backend: World, auth_file: Path) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=200)))
    before = saved(auth_file)["tokens"]["refresh_token"]
    backend.state["chatgpt.slow"] = 0.3
    provider = oauth(backend)
    task = asyncio.create_task(draw(provider))
    while not backend.calls("/oauth/token"):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.close()
    assert saved(auth_file)["tokens"]["refresh_token"] == backend.state["chatgpt.refresh"] != before


async def test_what_a_renewal_leaves_out_stays(oauth: Oauth, backend: World, auth_file: Path) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=200)))
    before = saved(auth_file)["tokens"]
    backend.state["chatgpt.omit"] = ("id_token", "refresh_token")
    await draw(oauth(backend))
    after = saved(auth_file)["tokens"]
    assert (after["id_token"], after["refresh_token"]) == (before["id_token"], before["refresh_token"])
    assert after["access_token"] != before["access_token"]


async def test_a_linked_login_file_stays_a_link(oauth: Oauth, backend: World, auth_file: Path) -> None:
    real = auth_file.with_name("real.json")
    auth_file.rename(real)
    auth_file.symlink_to(real)
    backend.state["chatgpt.access"] = "revoked elsewhere"
    await draw(oauth(backend))
    assert auth_file.is_symlink()
    assert saved(real)["tokens"]["access_token"] == backend.state["chatgpt.access"]


@pytest.mark.parametrize("code", ["refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated"])
async def test_a_dead_login_asks_for_a_new_one_and_is_not_tried_again(
    oauth: Oauth, backend: World, auth_file: Path, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = saved(auth_file)["tokens"].values()
    backend.state.update({"chatgpt.access": "revoked elsewhere", "chatgpt.renewal": code})
    provider = oauth(backend)
    error = await failure(provider)
    assert (error.code, error.status) == ("AUTH_CHATGPT_EXPIRED", 401)
    assert "codex login" in error.text
    everything = told(error) + caplog.text
    assert not any(secret in everything for secret in [MARKER, *secrets])
    assert (await failure(provider)).code == "AUTH_CHATGPT_EXPIRED"
    assert (await provider.status()).state == "auth_required"
    assert len(backend.calls("/oauth/token")) == 1
    del backend.state["chatgpt.renewal"]
    auth_file.write_text(json.dumps(chatgpt.login(backend)))
    assert all_of(await draw(provider), ima2.Artifact)


async def test_a_token_that_stays_refused_is_a_dead_login(oauth: Oauth, backend: World, auth_file: Path) -> None:
    error = await failure(oauth(backend), "FAIL401 kite")
    assert (error.code, error.status) == ("AUTH_CHATGPT_EXPIRED", 401)
    expired = await failure(oauth(backend), "EXPIRED kite")
    assert expired.code == "AUTH_CHATGPT_EXPIRED"
    assert len(backend.calls("/oauth/token")) == 2
    assert len(backend.calls("/responses")) == 4


async def test_an_early_renewal_that_fails_does_not_stop_a_token_that_still_works(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=200)))
    backend.state["chatgpt.renewal"] = 503
    assert all_of(await draw(oauth(backend)), ima2.Artifact)
    assert len(backend.calls("/oauth/token")) == 1


async def test_a_sign_in_service_that_is_down_is_told_apart_from_a_dead_login(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=-5)))
    backend.state["chatgpt.renewal"] = 500
    error = await failure(oauth(backend))
    assert (error.code, error.status) == ("OAUTH_UNAVAILABLE", 503)
    assert (await oauth(backend).status()).state == "offline"


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        '{"tokens": {"access_tok',
        "[]",
        '{"OPENAI_API_KEY": "sk-1", "tokens": null}',
        '{"tokens": {"access_token": "a b", "account_id": "x"}}',
        '{"tokens": {"access_token": "abc"}}',
    ],
)
async def test_without_a_usable_login_nothing_is_sent_and_the_way_in_is_named(
    oauth: Oauth, backend: World, home: Path, content: str | None
) -> None:
    if content is not None:
        (home / ".codex" / "auth.json").write_text(content)
    provider = oauth(backend)
    error = await failure(provider)
    assert (error.code, error.status) == ("OAUTH_UNAVAILABLE", 503)
    assert "codex login" in error.text
    assert (await provider.status()).state == "auth_required"
    assert (provider.problem() is None) == (content is not None)
    assert backend.seen == []


async def test_the_codex_folder_comes_before_the_others(oauth: Oauth, backend: World, home: Path) -> None:
    stale = {"tokens": {"access_token": "stale", "account_id": "nobody"}}
    for folder in (home / ".chatgpt-local", home / ".config" / "codex", home / "elsewhere"):
        folder.mkdir(parents=True)
    (home / ".chatgpt-local" / "auth.json").write_text(json.dumps(stale))
    (home / ".codex" / "auth.json").write_text(json.dumps(stale))
    (home / "elsewhere" / "auth.json").write_text(json.dumps(chatgpt.login(backend)))
    assert all_of(await draw(oauth(backend, codex_home=str(home / "elsewhere"))), ima2.Artifact)
    (home / ".codex" / "auth.json").unlink()
    (home / ".chatgpt-local" / "auth.json").unlink()
    os.replace(home / "elsewhere" / "auth.json", home / ".config" / "codex" / "auth.json")
    assert all_of(await draw(oauth(backend)), ima2.Artifact)


async def test_a_renewal_that_cannot_be_kept_is_not_asked_for(oauth: Oauth, backend: World, auth_file: Path) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, lifetime=-5)))
    (auth_file.parent / ".auth.json.ima2.lock").mkdir()
    error = await failure(oauth(backend))
    assert (error.code, error.status) == ("OAUTH_UNAVAILABLE", 503)
    assert backend.calls("/oauth/token") == []


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("USAGELIMIT", "USAGE_LIMIT_REACHED", 429),
        ("HTML403", "OAUTH_UNAVAILABLE", 403),
        ("DETAIL", "INVALID_REQUEST", 400),
        ("FAIL500", "UPSTREAM_5XX", 500),
        ("REFUSE", "SAFETY_REFUSAL", 422),
    ],
)
async def test_failures_of_the_backend_are_told_like_those_of_the_api(
    oauth: Oauth, backend: World, auth_file: Path, caplog: pytest.LogCaptureFixture, words: str, code: str, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await failure(oauth(backend), f"{words} kite")
    assert (error.code, error.status) == (code, status)
    assert len(backend.calls("/responses")) == 1
    secrets = [MARKER, *saved(auth_file)["tokens"].values()]
    assert not any(secret in told(error) + caplog.text for secret in secrets)


async def test_secrets_are_in_no_representation(oauth: Oauth, backend: World, auth_file: Path) -> None:
    provider = oauth(backend)
    tokens = await provider.auth.session.current()
    address = await provider.auth.endpoint()
    shown = repr(tokens) + repr(address) + repr(provider)
    assert not any(secret in shown for secret in saved(auth_file)["tokens"].values())


async def test_a_valid_login_is_ready_and_costs_nothing_to_ask(oauth: Oauth, backend: World, auth_file: Path) -> None:
    provider = oauth(backend)
    assert provider.problem() is None
    status = await provider.status()
    assert (status.state, status.models) == ("ready", tuple(one.id for one in LOGIN_MODELS if one.supported))
    assert backend.seen == []
