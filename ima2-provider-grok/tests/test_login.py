"""The stored login: read, renewed once for all, never lost; and the ways to get one."""

from __future__ import annotations

import asyncio
import itertools
import json
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.upstreams import xai, xai_accounts
from tests.upstreams.asking import draw, failure, only, told
from tests.upstreams.world import World

import ima2
from ima2_provider_grok.issuer import Device, Issuer
from ima2_provider_grok.login_file import Login, LoginFile
from ima2_provider_grok.native import Account


def issuer(world: World, http: httpx.AsyncClient) -> Issuer:
    return Issuer(lambda: http, f"{world.base_url}/xai-auth")


async def test_a_stored_login_reaches_xai_without_any_proxy(grok: Any, sign_in: Any, world: World) -> None:
    sign_in()
    assert only(await draw(grok()), ima2.Artifact)
    assert world.calls("images/")[0].headers["authorization"] == "Bearer login-0"
    assert not world.calls("xai-auth")


async def test_without_a_login_it_says_what_to_run_and_spends_no_key(grok: Any, world: World) -> None:
    error = await failure(grok())
    assert (error.code, error.status) == ("GROK_AUTH_FAILED", 401)
    assert "ima2 grok login" in error.text
    assert "ima2 grok login" in (grok().problem() or "")
    assert not world.seen


@pytest.mark.parametrize("content", ["", "{", "[]", '{"accessToken": 5}', '{"refreshToken": "r"}'])
async def test_a_file_without_a_token_is_no_login(grok: Any, sign_in: Any, content: str) -> None:
    sign_in().write_text(content)
    assert (await failure(grok())).code == "GROK_AUTH_FAILED"


async def test_a_login_is_renewed_two_minutes_early_and_the_rest_of_the_file_is_kept(
    grok: Any, sign_in: Any, world: World
) -> None:
    path = sign_in(seconds=60, someoneElses={"key": 1})
    path.chmod(0o644)
    await draw(grok())
    content = json.loads(path.read_text())
    assert content["accessToken"] == "login-1"
    assert content["refreshToken"] == "refresh-1"
    assert content["someoneElses"] == {"key": 1}
    assert (content["email"], content["idToken"]) == ("user@example.com", "kept")
    assert 3500 < content["expiresAt"] / 1000 - time.time() < 3700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    form = world.calls("xai-auth/token")[0].body
    assert form == {"grant_type": "refresh_token", "client_id": xai_accounts.CLIENT, "refresh_token": "refresh-0"}
    assert world.calls("images/")[0].headers["authorization"] == "Bearer login-1"


async def test_an_answer_without_a_refresh_token_keeps_the_old_one(grok: Any, sign_in: Any, world: World) -> None:
    world.state["xai.keeps"] = True
    path = sign_in(seconds=-5)
    await draw(grok())
    assert json.loads(path.read_text())["refreshToken"] == "refresh-0"


async def test_ten_jobs_at_once_renew_once(grok: Any, sign_in: Any, world: World) -> None:
    world.state["xai.auth_slow"] = 0.3
    sign_in(seconds=-5)
    provider = grok()
    await asyncio.gather(*(draw(provider) for _ in range(10)))
    assert len(world.calls("xai-auth/token")) == 1


async def test_two_programs_renew_once(sign_in: Any, world: World, http: httpx.AsyncClient) -> None:
    world.state["xai.auth_slow"] = 0.3
    path = sign_in(seconds=-5)
    accounts = [Account(LoginFile(path), issuer(world, http)) for _ in range(2)]
    assert await asyncio.gather(*(account.token() for account in accounts)) == ["login-1", "login-1"]
    assert len(world.calls("xai-auth/token")) == 1


async def test_a_canceled_job_does_not_lose_the_new_login(sign_in: Any, world: World, http: httpx.AsyncClient) -> None:
    world.state["xai.auth_slow"] = 0.3
    path = sign_in(seconds=-5)
    account = Account(LoginFile(path), issuer(world, http))
    task = asyncio.create_task(account.token())
    while not world.calls("xai-auth/token"):
        await asyncio.sleep(0.01)
    task.cancel()
    assert await account.token() == "login-1"
    assert json.loads(path.read_text())["refreshToken"] == "refresh-1"
    assert len(world.calls("xai-auth/token")) == 1


async def test_another_account_counts_at_once(grok: Any, sign_in: Any, world: World) -> None:
    provider = grok()
    sign_in()
    await draw(provider)
    xai.tokens(world).add("login-other")
    sign_in(accessToken="login-other")
    await draw(provider)
    assert [call.headers["authorization"] for call in world.calls("images/")] == [
        "Bearer login-0",
        "Bearer login-other",
    ]


async def test_a_declined_refresh_asks_for_a_login_and_is_not_repeated(grok: Any, sign_in: Any, world: World) -> None:
    world.state["xai.refresh"] = "another"
    sign_in(seconds=-5)
    provider = grok()
    for _ in range(3):
        error = await failure(provider)
        assert (error.code, error.status) == ("GROK_AUTH_FAILED", 401)
        assert "ima2 grok login" in error.text
        assert "refresh-0" not in told(error)
    assert len(world.calls("xai-auth/token")) == 1
    world.state["xai.refresh"] = "refresh-new"
    sign_in(seconds=-5, refreshToken="refresh-new")
    assert only(await draw(provider), ima2.Artifact)


async def test_a_fault_of_the_issuer_is_not_the_end_of_a_login(grok: Any, sign_in: Any, world: World) -> None:
    world.state["xai.auth_status"] = 503
    sign_in(seconds=-5)
    provider = grok()
    assert (await failure(provider)).code == "GROK_NETWORK_FAILED"
    del world.state["xai.auth_status"]
    assert only(await draw(provider), ima2.Artifact)


async def test_a_login_is_never_sent_to_a_foreign_host(grok: Any, sign_in: Any, world: World) -> None:
    for endpoint in (
        "https://evil.example/token",
        "http://x.ai/token",
        "https://x.ai.evil.example/t",
        "https://a@x.ai/t",
    ):
        sign_in(seconds=-5, tokenEndpoint=endpoint)
        error = await failure(grok())
        assert error.code == "GROK_AUTH_FAILED"
    assert not world.seen


async def test_without_an_endpoint_in_the_file_discovery_names_it(grok: Any, sign_in: Any, world: World) -> None:
    sign_in(seconds=-5, tokenEndpoint=None)
    await draw(grok())
    assert world.seen[0].path == "/xai-auth/.well-known/openid-configuration"


async def test_a_foreign_endpoint_in_discovery_is_refused(world: World, http: httpx.AsyncClient) -> None:
    world.state["xai.foreign"] = True
    with pytest.raises(ima2.Ima2Error, match="not xAI's"):
        await issuer(world, http).endpoints()


async def test_a_token_that_is_not_taken_is_renewed_before_asking_again_for_free(
    grok: Any, sign_in: Any, world: World
) -> None:
    sign_in()
    xai.tokens(world).discard("login-0")
    provider = grok()
    assert (await provider.status()).state == "ready"
    assert [call.headers["authorization"] for call in world.calls("models")] == ["Bearer login-0", "Bearer login-1"]


async def test_a_billed_call_that_is_not_authorized_is_not_repeated_but_the_next_one_is_good(
    grok: Any, sign_in: Any, world: World
) -> None:
    sign_in()
    xai.tokens(world).discard("login-0")
    provider = grok()
    assert (await failure(provider)).code == "GROK_AUTH_FAILED"
    assert len(world.calls("responses")) == 1
    assert only(await draw(provider), ima2.Artifact)


async def test_a_folder_that_cannot_be_written_is_said(grok: Any, sign_in: Any, world: World) -> None:
    path: Path = sign_in(seconds=-5)
    path.with_name("auth.json.lock").mkdir()
    error = await failure(grok())
    assert "not writable" in error.text
    assert not world.calls("xai-auth")


def test_a_login_is_written_whole_and_private(tmp_path: Path) -> None:
    file = LoginFile(tmp_path / "new" / "auth.json")
    file.write(Login("a", "r", 5, "https://auth.x.ai/t"))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["auth.json"]
    file.write(Login("b"), fresh=True)
    assert json.loads(file.path.read_text()) == {"accessToken": "b"}
    assert file.delete()
    assert not file.delete()


async def test_a_device_login_waits_until_the_person_agrees(world: World, http: httpx.AsyncClient) -> None:
    world.state["xai.device"] = ["authorization_pending", "slow_down", "authorization_pending", "ok"]
    world.state["xai.interval"] = 0.05
    sign_in = issuer(world, http)
    device = await sign_in.device()
    assert (device.user_code, device.url) == ("ABCD-1234", "https://accounts.x.ai/device")
    login = await sign_in.device_login(device, least=0.2)
    assert (login.access_token, login.refresh_token, login.email) == ("login-1", "refresh-d", xai_accounts.EMAIL)
    times = world.state["xai.token_times"]
    first, second, third = (later - earlier for earlier, later in itertools.pairwise(times))
    assert first >= 0.2
    assert second >= 0.4
    assert third >= 0.4


@pytest.mark.parametrize(
    ("answer", "word"),
    [("access_denied", "declined"), ("expired_token", "ran out"), ("invalid_grant", "did not accept")],
)
async def test_a_device_login_that_fails_says_why(
    world: World, http: httpx.AsyncClient, answer: str, word: str
) -> None:
    world.state["xai.device"], world.state["xai.interval"] = [answer], 0.01
    with pytest.raises(ima2.Ima2Error, match=word) as caught:
        await issuer(world, http).device_login(await issuer(world, http).device(), least=0.01)
    assert caught.value.code == "GROK_AUTH_FAILED"


async def test_a_device_login_ends_with_its_code(world: World, http: httpx.AsyncClient) -> None:
    world.state["xai.device"] = ["authorization_pending"]
    device = Device("device-secret", "X", "https://x.ai", 0.2, 0.05, f"{world.base_url}/xai-auth/token")
    with pytest.raises(ima2.Ima2Error, match="ran out"):
        await issuer(world, http).device_login(device, least=0.05)
