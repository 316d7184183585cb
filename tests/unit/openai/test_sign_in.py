"""Signing in to ChatGPT without the codex program."""

from __future__ import annotations

import asyncio
import json
import logging
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.openai.conftest import Client, Oauth, log
from tests.upstreams import chatgpt
from tests.upstreams.asking import all_of, draw, failure
from tests.upstreams.chatgpt_accounts import address_query
from tests.upstreams.world import World

import ima2
from ima2_plugins.openai.auth_file import problem_of
from ima2_plugins.openai.loopback import Callback
from ima2_plugins.openai.oauth_provider import OauthProvider

Steps = AsyncGenerator[ima2.LoginStep, str | None]


def saved(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text())
    return value


async def browse(url: str) -> httpx.Response:
    """What a browser does with an address: it follows every redirect."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        return await browser.get(url)


async def by_browser(provider: OauthProvider, method: str = "browser") -> ima2.LoginStep:
    steps = provider.login(method)
    opening = await anext(steps)
    assert opening.url
    browsing = asyncio.create_task(browse(opening.url))
    done = await anext(steps)
    assert (await browsing).status_code == 200
    with pytest.raises(StopAsyncIteration):
        await anext(steps)
    return done


async def test_in_a_browser_one_signs_in_and_draws_at_once(oauth: Oauth, backend: World, home: Path) -> None:
    provider = oauth(backend)
    assert provider.problem() is not None
    done = await by_browser(provider)
    assert (done.kind, done.account) == ("done", "kite@example.invalid")
    path = home / ".codex" / "auth.json"
    login = saved(path)
    assert (login["auth_mode"], login["OPENAI_API_KEY"]) == ("chatgpt", None)
    assert login["tokens"]["account_id"] == chatgpt.ACCOUNT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert provider.problem() is None
    assert all_of(await draw(provider), ima2.Artifact)


async def test_before_one_signs_in_one_is_told_as_whom(oauth: Oauth, backend: World) -> None:
    steps = oauth(backend).login()
    opening = await anext(steps)
    await steps.aclose()
    assert opening.kind == "open"
    assert "does not offer it" in opening.text
    query = address_query(opening.url or "")
    assert (query["originator"], query["client_id"]) == ("ima2", chatgpt.CLIENT)
    assert query["redirect_uri"].startswith("http://localhost:")
    assert "code" not in opening.text
    assert query["state"] not in repr(opening)


async def test_the_address_one_came_back_to_can_be_pasted(oauth: Oauth, backend: World, home: Path) -> None:
    steps = oauth(backend).login("browser")
    opening = await anext(steps)
    async with httpx.AsyncClient(trust_env=False) as browser:
        back = (await browser.get(opening.url or "")).headers["location"]
    done = await steps.asend(back)
    assert done.kind == "done"
    assert (home / ".codex" / "auth.json").is_file()


async def test_an_address_of_another_sign_in_is_refused(oauth: Oauth, backend: World, home: Path) -> None:
    steps = oauth(backend).login("browser")
    await anext(steps)
    with pytest.raises(ima2.Ima2Error) as caught:
        await steps.asend("http://localhost:1455/auth/callback?code=x&state=other")
    assert caught.value.code == "LOGIN_INVALID"
    assert not (home / ".codex" / "auth.json").exists()


async def test_who_says_no_is_not_signed_in(oauth: Oauth, backend: World, home: Path) -> None:
    backend.state["accounts.denied"] = True
    with pytest.raises(ima2.Ima2Error) as caught:
        await by_browser(oauth(backend))
    assert (caught.value.code, caught.value.upstream_code) == ("LOGIN_DENIED", "access_denied")
    assert not (home / ".codex" / "auth.json").exists()


async def test_a_code_is_shown_and_asked_about_until_it_was_entered(oauth: Oauth, backend: World, home: Path) -> None:
    backend.state["accounts.pending"] = 3
    provider = oauth(backend)
    steps = [step async for step in provider.login("device")]
    assert [step.kind for step in steps] == ["code", "done"]
    assert steps[0].code == "ABCD-12345"
    assert (steps[0].url or "").endswith("/codex/device")
    assert len(backend.calls("/deviceauth/token")) == 4
    assert all_of(await draw(provider), ima2.Artifact)


async def test_signing_in_by_code_can_be_switched_off_for_an_account(oauth: Oauth, backend: World) -> None:
    backend.state["accounts.no_device"] = True
    with pytest.raises(ima2.Ima2Error) as caught:
        await anext(oauth(backend).login("device"))
    assert caught.value.code == "DEVICE_LOGIN_DISABLED"


async def test_another_way_to_sign_in_is_not_known(oauth: Oauth, backend: World) -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        oauth(backend).login("carrier-pigeon")
    assert caught.value.code == "LOGIN_METHOD_UNKNOWN"


async def test_what_else_is_in_the_file_stays(oauth: Oauth, backend: World, auth_file: Path) -> None:
    auth_file.write_text(json.dumps(chatgpt.login(backend, agent={"kept": [1]})))
    await by_browser(oauth(backend))
    assert saved(auth_file)["agent"] == {"kept": [1]}


async def test_no_token_shows_while_signing_in(
    oauth: Oauth, backend: World, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=log.name)
    done = await by_browser(oauth(backend))
    tokens = saved(home / ".codex" / "auth.json")["tokens"].values()
    assert not any(str(token) in repr(done) + caplog.text for token in tokens)


async def test_a_login_that_is_given_up_leaves_no_port_open(oauth: Oauth, backend: World) -> None:
    steps = oauth(backend).login("browser")
    opening = await anext(steps)
    redirect = address_query(opening.url or "")["redirect_uri"]
    await steps.aclose()
    with pytest.raises(httpx.ConnectError):
        await browse(redirect)


async def test_a_stranger_at_the_port_is_turned_away_and_changes_nothing() -> None:
    async with Callback("/auth/callback", (0,), "right") as callback:
        base = f"http://127.0.0.1:{callback.port}"
        assert (await browse(f"{base}/auth/callback?code=x&state=wrong")).status_code == 404
        assert (await browse(f"{base}/?code=x&state=right")).status_code == 404
        assert (await browse(f"{base}/auth/callback?code=good&state=right")).status_code == 200
        assert (await callback.answer(1))["code"] == "good"


async def test_nobody_who_comes_is_told_as_that() -> None:
    async with Callback("/auth/callback", (0,), "right") as callback:
        with pytest.raises(ima2.Ima2Error) as caught:
            await callback.answer(0.05)
    assert caught.value.code == "LOGIN_EXPIRED"


async def test_a_port_in_use_is_passed_over_and_two_are_told() -> None:
    async with Callback("/", (0,), "a") as first:
        async with Callback("/", (first.port, 0), "b") as second:
            assert second.port not in (0, first.port)
        with pytest.raises(ima2.Ima2Error) as caught:
            async with Callback("/", (first.port,), "c"):
                pass
    assert caught.value.code == "LOGIN_PORT_IN_USE"


# -- logins that are elsewhere ---------------------------------------------------------------------


async def test_a_login_in_the_keyring_is_recognised_and_explained(oauth: Oauth, backend: World, home: Path) -> None:
    (home / ".codex" / "config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    provider = oauth(backend)
    await provider.open()
    assert "keyring" in (provider.problem() or "")
    assert "keyring" in (await failure(provider)).text
    assert (await provider.status()).state == "auth_required"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"OPENAI_API_KEY": "sk-1", "tokens": None}, "API key"),
        ({"personal_access_token": "pat"}, "personal access token"),
        ({"agent_identity": {"agent_private_key": "x"}}, "agent"),
        ({"tokens": {"access_token": "x"}}, None),
        ({}, None),
        ([], None),
    ],
)
def test_another_kind_of_login_in_codexs_file_is_explained(home: Path, content: Any, word: str | None) -> None:
    (home / ".codex" / "auth.json").write_text(json.dumps(content))
    problem = problem_of()
    assert word in problem if word and problem else problem is None
    assert "sk-1" not in str(problem)


def test_a_setting_that_is_no_toml_explains_nothing(home: Path) -> None:
    (home / ".codex" / "config.toml").write_text("cli_auth_credentials_store = [")
    assert problem_of() is None


async def test_a_government_account_is_named_as_one(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["chatgpt.claims"] = {"chatgpt_account_is_fedramp": True}
    auth_file.write_text(json.dumps(chatgpt.login(backend)))
    await draw(oauth(backend))
    assert backend.calls("/responses")[0].headers["x-openai-fedramp"] == "true"


async def test_processes_that_renew_at_once_renew_once(
    backend: World, auth_file: Path, client: Client, tmp_path: Path
) -> None:
    script = tmp_path / "renew.py"
    script.write_text(_RENEW)
    backend.state.update({"chatgpt.access": "revoked elsewhere", "chatgpt.slow": 0.5})
    command = [str(script), backend.base_url, saved(auth_file)["tokens"]["access_token"]]
    runs = [await asyncio.create_subprocess_exec(_python(), *command, stdout=-1) for _ in range(3)]
    tokens = {(await run.communicate())[0].decode().strip() for run in runs}
    assert tokens == {backend.state["chatgpt.access"]}
    assert len(backend.calls("/oauth/token")) == 1


def _python() -> str:
    import sys

    return sys.executable


_RENEW = """
import asyncio, logging, sys
import httpx
from ima2_plugins.openai.session import LoginSession
from ima2_plugins.openai.settings import OauthSettings

async def main(base, refused):
    async with httpx.AsyncClient(trust_env=False) as client:
        settings = OauthSettings(auth_url=f"{base}/oauth/token")
        session = LoginSession(settings, lambda: client, logging.getLogger())
        print((await session.renew_after(refused)).access)

asyncio.run(main(*sys.argv[1:]))
"""
