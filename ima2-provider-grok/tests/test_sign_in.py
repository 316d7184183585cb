"""Signing in by steps that any client can show, and credentials that are tried before they are stored."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.upstreams import xai, xai_accounts
from tests.upstreams.asking import draw, only
from tests.upstreams.world import World

import ima2
from ima2_provider_grok import issuer
from ima2_provider_grok.settings import GrokSettings


@pytest.fixture
def login_path(tmp_path: Path) -> Path:
    return tmp_path / "progrok" / "auth.json"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port in place of the registered one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    monkeypatch.setattr(issuer, "CALLBACK_PORT", found)
    return found


def state_of(step: ima2.LoginStep) -> str:
    return parse_qs(urlsplit(step.url or "").query)["state"][0]


async def visit(http: httpx.AsyncClient, port: int, path: str, **query: str) -> httpx.Response:
    return await http.get(f"http://127.0.0.1:{port}{path}", params=query)


async def test_a_browser_on_this_machine_comes_back_by_itself(
    grok: Any, http: httpx.AsyncClient, world: World, port: int, login_path: Path
) -> None:
    world.state["xai.code"] = "the-code-123"
    provider = grok()
    steps = provider.login("browser")
    opened = await anext(steps)
    assert (opened.kind, opened.expires_in) == ("open", 300)
    last = asyncio.ensure_future(anext(steps))
    await asyncio.sleep(0)
    assert (await visit(http, port, "/")).status_code == 404
    assert (await visit(http, port, "/callback", code="forged", state="other")).status_code == 400
    assert not last.done()
    page = await visit(http, port, "/callback", code="the-code-123", state=state_of(opened))
    assert page.status_code == 200
    assert "the-code-123" not in page.text
    done = await last
    assert (done.kind, done.account) == ("done", xai_accounts.EMAIL)
    assert json.loads(login_path.read_text())["accessToken"] == "login-1"
    with pytest.raises(StopAsyncIteration):
        await anext(steps)
    with pytest.raises(httpx.ConnectError):
        await visit(http, port, "/callback")
    assert only(await draw(provider), ima2.Artifact)


async def test_a_login_declined_in_the_browser_keeps_the_one_before_it(
    grok: Any, http: httpx.AsyncClient, port: int, sign_in: Any
) -> None:
    path, before = sign_in(), sign_in().read_text()
    steps = grok().login("browser")
    opened = await anext(steps)
    last = asyncio.ensure_future(anext(steps))
    await asyncio.sleep(0)
    await visit(http, port, "/callback", error="access_denied", state=state_of(opened))
    with pytest.raises(ima2.Ima2Error, match="declined"):
        await last
    assert path.read_text() == before


async def test_a_login_that_is_left_frees_its_port(grok: Any, http: httpx.AsyncClient, port: int) -> None:
    steps = grok().login("browser")
    await anext(steps)
    await steps.aclose()
    with pytest.raises(httpx.ConnectError):
        await visit(http, port, "/callback")


async def test_a_taken_port_is_said_with_the_way_round_it(grok: Any, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(ima2.Ima2Error) as caught:
            await anext(grok().login("browser"))
    assert caught.value.code == "GROK_LOGIN_PORT_TAKEN"
    assert "--device" in caught.value.text


async def test_a_browser_elsewhere_is_answered_by_pasting(grok: Any, world: World, port: int) -> None:
    world.state["xai.code"] = "the-code-123"
    steps = grok().login("browser")
    await anext(steps)
    done = await steps.asend("the-code-123")
    assert done.kind == "done"


async def test_a_device_login_shows_its_code_and_ends_signed_in(
    grok: Any, world: World, monkeypatch: pytest.MonkeyPatch, login_path: Path
) -> None:
    monkeypatch.setattr(issuer, "LEAST_INTERVAL", 0.01)
    world.state["xai.device"], world.state["xai.interval"] = ["authorization_pending", "ok"], 0.01
    steps = [step async for step in grok().login("device")]
    assert [step.kind for step in steps] == ["code", "done"]
    assert (steps[0].code, steps[0].url) == ("ABCD-1234", "https://accounts.x.ai/device")
    assert login_path.stat().st_mode & 0o777 == 0o600


async def test_an_unknown_way_to_sign_in_names_those_there_are(grok: Any) -> None:
    with pytest.raises(ima2.Ima2Error, match="browser, device, paste"):
        grok().login("carrier-pigeon")


async def test_only_grok_can_be_signed_in_to(api: Any) -> None:
    assert [one.kind for one in api().credentials] == ["key"]
    with pytest.raises(ima2.Ima2Error):
        api().login("browser")


async def test_a_login_stored_by_another_program_while_ours_is_renewed_stays(
    grok: Any, sign_in: Any, world: World
) -> None:
    """The other program knows no lock."""
    world.state["xai.auth_slow"] = 0.3
    path = sign_in(seconds=-5)
    drawing = asyncio.ensure_future(draw(grok()))
    while not world.calls("xai-auth/token"):
        await asyncio.sleep(0.01)
    xai.tokens(world).add("login-other")
    sign_in(accessToken="login-other", refreshToken="refresh-other")
    assert only(await drawing, ima2.Artifact)
    assert json.loads(path.read_text())["refreshToken"] == "refresh-other"
    assert world.calls("images/")[0].headers["authorization"] == "Bearer login-other"


async def test_a_refresh_token_that_another_program_spent_is_no_end_of_the_login(
    grok: Any, sign_in: Any, world: World
) -> None:
    world.state["xai.auth_slow"], world.state["xai.refresh"] = 0.3, "refresh-other"
    sign_in(seconds=-5)
    drawing = asyncio.ensure_future(draw(grok()))
    while not world.calls("xai-auth/token"):
        await asyncio.sleep(0.01)
    xai.tokens(world).add("login-other")
    sign_in(accessToken="login-other", refreshToken="refresh-other")
    assert only(await drawing, ima2.Artifact)


async def test_signing_out_while_a_login_is_renewed_stays_signed_out(grok: Any, sign_in: Any, world: World) -> None:
    world.state["xai.auth_slow"] = 0.3
    path = sign_in(seconds=-5)
    drawing = asyncio.ensure_future(draw(grok()))
    while not world.calls("xai-auth/token"):
        await asyncio.sleep(0.01)
    path.unlink()
    with pytest.raises(ima2.Ima2Error, match="not signed in"):
        await drawing
    assert not path.exists()


@pytest.mark.parametrize(
    ("key", "state"),
    [(xai.KEY, "ready"), ("xai-wrong", "auth_required"), ("", "auth_required"), ("a\x07", "auth_required")],
)
async def test_a_key_is_tried_before_it_is_stored(api: Any, world: World, key: str, state: str) -> None:
    found = await api(api_key=None).verify({"api_key": key})
    assert found.state == state
    assert key not in (found.reason or "-") or not key
    assert all(call.method == "GET" for call in world.seen)


async def test_a_key_that_cannot_be_tried_is_not_called_wrong(api: Any) -> None:
    found = await api(base_url="http://127.0.0.1:9/v1").verify({"api_key": xai.KEY})
    assert found.state == "offline"


async def test_new_settings_count_for_the_next_job(api: Any, settings: Any, world: World) -> None:
    provider = api(api_key=None)
    assert provider.problem()
    await provider.reconfigure(settings(default_image_model=xai.SECOND))
    assert provider.problem() is None
    assert provider.capabilities.default_model == xai.SECOND
    assert only(await draw(provider), ima2.Artifact).model == xai.SECOND
    with pytest.raises(TypeError):
        await provider.reconfigure(object())


async def test_another_login_file_counts_at_once(grok: Any, settings: Any, sign_in: Any, tmp_path: Path) -> None:
    sign_in()
    provider = grok()
    await provider.reconfigure(settings(auth_file=tmp_path / "none.json"))
    assert (await provider.status()).state == "auth_required"
    assert isinstance(settings(), GrokSettings)


RENEW = """
import asyncio, sys
from pathlib import Path
import httpx
from ima2_provider_grok.issuer import Issuer
from ima2_provider_grok.login_file import LoginFile
from ima2_provider_grok.native import Account
async def main():
    async with httpx.AsyncClient(trust_env=False) as client:
        print(await Account(LoginFile(Path(sys.argv[1])), Issuer(lambda: client, sys.argv[2])).token())
asyncio.run(main())
"""


async def test_four_processes_that_renew_one_login_at_once_use_its_refresh_token_once(
    sign_in: Any, world: World
) -> None:
    world.state["xai.auth_slow"] = 0.5
    path = sign_in(seconds=-5)
    command = [sys.executable, "-c", RENEW, str(path), f"{world.base_url}/xai-auth"]
    pipe = asyncio.subprocess.PIPE
    programs = [await asyncio.create_subprocess_exec(*command, stdout=pipe) for _ in range(4)]
    said = [(await program.communicate())[0].decode().strip() for program in programs]
    assert said == ["login-1"] * 4
    assert len(world.calls("xai-auth/token")) == 1
    assert json.loads(path.read_text())["refreshToken"] == "refresh-1"
