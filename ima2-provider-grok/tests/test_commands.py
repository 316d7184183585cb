"""``ima2 grok``, as a person types it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
from click.testing import CliRunner, Result
from tests.upstreams import xai, xai_accounts
from tests.upstreams.world import World

from ima2 import Ima2Error
from ima2_provider_grok.commands import grok
from ima2_provider_grok.pasting import code_of


@pytest.fixture
def cli(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line with the fakes as upstreams."""
    environ = {
        "IMA2_CONFIG_DIR": str(tmp_path / "ima2"),
        "IMA2_XAI_BASE_URL": f"{world.base_url}/xai/v1",
        "IMA2_XAI_AUTH_URL": f"{world.base_url}/xai-auth",
        "IMA2_PROGROK_AUTH_FILE": str(tmp_path / "progrok" / "auth.json"),
        "IMA2_GROK_PROXY_PORT": "9",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def run(*args: str, typed: str = "") -> Result:
        return CliRunner().invoke(grok, list(args), input=typed)

    return run


def test_the_help_names_what_scripts_look_for(cli: Any) -> None:
    text = cli("--help").output
    assert "--manual-paste" in text
    assert "IMA2_NO_GROK_PROXY=1" in text
    for line in (text, cli("login", "--help").output):
        assert "device-code" not in line


def test_login_asks_for_the_pasted_code_and_keeps_the_login(cli: Any, world: World, tmp_path: Path) -> None:
    world.state["xai.code"] = "the-code-123"
    done = cli("login", typed="the-code-123\n")
    assert done.exit_code == 0, done.output
    assert f"✓ Signed in to Grok as {xai_accounts.EMAIL}." in done.output
    url = re.search(r"https?://\S+/authorize\?\S+", done.output)
    assert url
    query = parse_qs(urlsplit(url[0]).query)
    verifier = world.calls("xai-auth/token")[0].body["code_verifier"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert query["code_challenge"] == [challenge]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["http://127.0.0.1:56121/callback"]
    assert query["client_id"] == [xai_accounts.CLIENT]
    content = json.loads((tmp_path / "progrok" / "auth.json").read_text())
    assert content["accessToken"] == "login-1"
    assert content["tokenEndpoint"] == f"{world.base_url}/xai-auth/token"
    assert "login-1" not in done.output


def test_a_code_that_is_not_good_is_said_and_nothing_is_kept(cli: Any, world: World, tmp_path: Path) -> None:
    world.state["xai.code"] = "the-code-123"
    done = cli("login", "--manual-paste", typed="another-code\n")
    assert isinstance(done.exception, Ima2Error)
    assert done.exception.code == "GROK_AUTH_FAILED"
    assert not (tmp_path / "progrok").exists()
    done = cli("login", typed="http://127.0.0.1:56121/callback?code=the-code-123&state=forged\n")
    assert isinstance(done.exception, Ima2Error)
    assert "another login" in done.exception.text


@pytest.mark.parametrize("flag", ["--device", "--device-code"])
def test_login_by_device_shows_a_code_and_waits(
    cli: Any, world: World, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    world.state["xai.interval"] = 0.01
    monkeypatch.setattr("ima2_provider_grok.issuer.LEAST_INTERVAL", 0.05)
    done = cli("login", flag)
    assert done.exit_code == 0, done.output
    assert "ABCD-1234" in done.output
    assert "https://accounts.x.ai/device" in done.output


def test_a_flag_that_is_gone_does_not_break_old_scripts(cli: Any, world: World) -> None:
    world.state["xai.code"] = "the-code-123"
    assert cli("login", "--browser", typed="the-code-123\n").exit_code == 0


def test_status_and_logout(cli: Any, sign_in: Any) -> None:
    assert "Not signed in" in cli("status").output
    assert cli("status").exit_code == 0
    path = sign_in()
    done = cli("status")
    assert "Signed in to Grok as user@example.com" in done.output
    assert "renewed by itself" in done.output
    assert "login-0" not in done.output
    assert "Signed out" in cli("logout").output
    assert not path.exists()
    assert "were not signed in" in cli("logout").output


def test_models_are_listed_for_who_is_signed_in(cli: Any, sign_in: Any) -> None:
    done = cli("models")
    assert done.exit_code == 1
    assert "ima2 grok login" in done.output
    sign_in()
    assert cli("models").output.split() == list(xai.MODELS)
    detail = cli("models", "--detail").output
    assert "grok-imagine-video  video  $0.05 per second at 480p" in detail


def test_the_proxy_is_progroks_own_and_its_exit_code_too(cli: Any, tmp_path: Path) -> None:
    assert cli("proxy").exit_code == 1
    assert "ima2 grok login" in cli("proxy").output
    program = tmp_path / "bin" / "progrok"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit 7\n')
    program.chmod(0o755)
    assert cli("proxy", "--port", "18700").exit_code == 7
    assert (tmp_path / "asked").read_text() == "proxy --host 127.0.0.1 --port 18700\n"


@pytest.mark.parametrize(
    "pasted",
    [
        "a-code",
        " 'a-code' ",
        "http://127.0.0.1:56121/callback?state=s&code=a-code",
        "?code=a-code&state=s",
        "code=a-code&state=s#x",
    ],
)
def test_an_address_its_query_or_the_code_can_be_pasted(pasted: str) -> None:
    assert code_of(pasted, "s") == "a-code"


@pytest.mark.parametrize(
    "pasted", ["", "a b c", "?code=&state=s", "?error=access_denied&state=s", "?code=a-code", "<x>"]
)
def test_anything_else_is_refused_with_a_reason(pasted: str) -> None:
    with pytest.raises(ValueError, match=r"\w+\."):
        code_of(pasted, "s")


def test_a_browser_on_this_machine_can_sign_in(cli: Any, world: World, tmp_path: Path, monkeypatch: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr("ima2_provider_grok.issuer.CALLBACK_PORT", port)
    world.state["xai.code"] = "the-code-123"
    shown: list[str] = []
    echo = click.echo

    def watch(message: Any = None, **more: Any) -> None:
        """Shows it, and opens the page that is shown as a browser would."""
        echo(message, **more)
        if "/authorize?" in str(message):
            shown.append(str(message).strip())
            state = parse_qs(urlsplit(shown[-1]).query)["state"][0]
            address = f"http://127.0.0.1:{port}/callback?code=the-code-123&state={state}"
            threading.Thread(target=urllib.request.urlopen, args=(address,)).start()

    monkeypatch.setattr("ima2_provider_grok.commands.click.echo", watch)
    done = cli("login", "--local-browser")
    assert done.exit_code == 0, done.output
    assert len(shown) == 1
    assert f"✓ Signed in to Grok as {xai_accounts.EMAIL}." in done.output
    assert json.loads((tmp_path / "progrok" / "auth.json").read_text())["accessToken"] == "login-1"
