"""Who may ask, by which name, from where."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from ima2.errors import Ima2Error
from ima2.network.addresses import is_loopback
from ima2.server.serving import bind
from ima2.testing import EchoProvider, plugin

TOKEN = "open-sesame-and-more"


async def ask(client: Any, method: str = "GET", path: str = "/api/health", **headers: str) -> Any:
    return await client.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize("host", ["localhost", "localhost:3333", "127.0.0.1:9", "[::1]:3333", "LOCALHOST"])
async def test_this_machines_own_names_are_answered(ima2_client: Any, host: str) -> None:
    async with ima2_client() as client:
        assert (await ask(client, host=host)).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "192.168.1.7", "localhost.evil.example:80"]
)
async def test_any_other_name_is_refused(ima2_client: Any, host: str) -> None:
    async with ima2_client() as client:
        answer = await ask(client, host=host)
    assert (answer.status_code, answer.json()["code"]) == (403, "HOST_NOT_ALLOWED")


async def test_a_name_can_be_allowed_by_a_setting(ima2_client: Any) -> None:
    async with ima2_client(environ={"IMA2_ALLOWED_HOSTS": "studio.lan"}) as client:
        assert (await ask(client, host="studio.lan:3333")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://localhost:5173"},
        {"origin": "https://localhost:8443"},
        {"origin": "ftp://localhost"},
        {"sec_fetch_site": "cross-site"},
    ],
)
async def test_another_web_site_may_change_nothing_and_hear_nothing(ima2_client: Any, headers: dict[str, str]) -> None:
    async with ima2_client(echo=plugin(providers=[EchoProvider()])) as client:
        for method, path in (("POST", "/api/generate"), ("DELETE", "/api/inflight/x"), ("GET", "/api/events")):
            answer = await ask(client, method, path, **headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:80"},
        {"origin": "http://127.0.0.1:3333", "host": "localhost:3333"},
        {"origin": "http://[::1]:3333", "host": "127.0.0.1:3333"},
    ],
)
async def test_clients_of_this_machine_and_the_servers_own_page_may(ima2_client: Any, headers: dict[str, str]) -> None:
    async with ima2_client() as client:
        assert (await ask(client, "DELETE", "/api/inflight/x", **headers)).status_code == 200


@pytest.mark.parametrize(
    "environ", [{"IMA2_DEV": "1"}, {"IMA2_ALLOWED_ORIGINS": "http://localhost:5173, https://studio.example"}]
)
async def test_another_site_can_be_allowed(ima2_client: Any, environ: dict[str, str]) -> None:
    async with ima2_client(environ=environ) as client:
        allowed = await ask(client, "DELETE", "/api/inflight/x", origin="http://localhost:5173")
        refused = await ask(client, "DELETE", "/api/inflight/x", origin="http://localhost:5174")
    assert (allowed.status_code, refused.status_code) == (200, 403)


async def test_every_answer_carries_the_protective_headers_and_none_that_invites(ima2_client: Any) -> None:
    async with ima2_client() as client:
        for path in ("/", "/api/health", "/api/nothing"):
            headers = (await ask(client, path=path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers


async def from_elsewhere(client: Any, path: str = "/api/health", method: str = "GET", **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(client._transport.app, client=("192.168.1.20", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
        return await other.request(method, path, **options)


async def test_another_machine_needs_the_token(ima2_client: Any) -> None:
    async with ima2_client(environ={"IMA2_LAN_TOKEN": TOKEN}) as client:
        refused = await from_elsewhere(client)
        wrong = await from_elsewhere(client, headers={"authorization": "Bearer wrong"})
        right = await from_elsewhere(client, headers={"authorization": f"Bearer {TOKEN}"})
        signed_in = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": TOKEN})
        bad = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": "nope"})
        cookie = signed_in.headers["set-cookie"]
        by_cookie = await from_elsewhere(client, headers={"cookie": cookie.partition(";")[0]})
        local = await ask(client)
    assert (refused.status_code, refused.json()["code"]) == (401, "TOKEN_REQUIRED")
    assert (wrong.status_code, bad.status_code) == (401, 401)
    assert (right.status_code, by_cookie.status_code, local.status_code) == (200, 200, 200)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


async def test_the_cookie_is_a_session_that_lasts_over_a_restart_and_ends_with_the_token(ima2_client: Any) -> None:
    async def try_cookie(cookie: str, token: str) -> int:
        async with ima2_client(environ={"IMA2_LAN_TOKEN": token, "IMA2_CONFIG_DIR": folder}) as client:
            return (await from_elsewhere(client, headers={"cookie": cookie})).status_code

    async with ima2_client(environ={"IMA2_LAN_TOKEN": TOKEN}) as client:
        answer = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": TOKEN})
        again = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": TOKEN})
        folder = str(client._transport.app._app.state.runtime.settings.config_dir)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert TOKEN not in cookie
    assert cookie != again.headers["set-cookie"].partition(";")[0]
    head, signature = cookie.rsplit(".", 1)
    until, nonce = head.partition("=")[2].split(".")
    forged = f"ima2_lan={int(until) + 1}.{nonce}.{signature}"
    expired = f"ima2_lan=1.{nonce}.{signature}"
    assert [await try_cookie(one, TOKEN) for one in (cookie, forged, expired, "ima2_lan=", f"ima2_lan={TOKEN}")] == [
        200,
        401,
        401,
        401,
        401,
    ]
    assert await try_cookie(cookie, TOKEN + "-changed") == 401


async def test_guesses_are_limited_by_address_and_disturb_nobody_else(ima2_client: Any) -> None:
    async with ima2_client(environ={"IMA2_LAN_TOKEN": TOKEN}) as client:
        signed_in = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": TOKEN})
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        for number in range(10):
            if number % 2:
                tried = await from_elsewhere(client, "/api/lan/login", "POST", json={"token": f"guess{number}"})
            else:
                tried = await from_elsewhere(client, headers={"authorization": f"Bearer guess{number}"})
            assert tried.status_code == 401
        for headers in ({"authorization": f"Bearer {TOKEN}"}, {"authorization": "Bearer guess"}):
            stopped = await from_elsewhere(client, headers=headers)
            assert (stopped.status_code, stopped.json()["code"]) == (429, "TOO_MANY_GUESSES")
            assert 0 < int(stopped.headers["retry-after"]) <= 60
        assert (await from_elsewhere(client, headers={"cookie": cookie})).status_code == 200
        other = httpx.ASGITransport(client._transport.app, client=("192.168.1.21", 4711))
        async with httpx.AsyncClient(transport=other, base_url="http://localhost") as neighbour:
            right = await neighbour.get("/api/health", headers={"authorization": f"Bearer {TOKEN}"})
    assert right.status_code == 200


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
@pytest.mark.parametrize("environ", [{}, {"IMA2_LAN_TOKEN": TOKEN}], ids=["no token", "token"])
async def test_what_comes_through_a_proxy_is_not_local(ima2_client: Any, environ: dict[str, str], header: str) -> None:
    async with ima2_client(environ=environ) as client:
        refused = await client.get("/api/health", headers={header: "127.0.0.1"})
        shown = await client.get("/api/health", headers={header: "for=::1", "authorization": f"Bearer {TOKEN}"})
    assert (refused.status_code, refused.json()["code"]) == (401, "TOKEN_REQUIRED")
    assert shown.status_code == (200 if environ else 401)


async def test_a_server_can_be_used_by_its_own_address(ima2_client: Any) -> None:
    async with ima2_client(environ={"IMA2_LAN_TOKEN": TOKEN}) as client:
        transport = httpx.ASGITransport(client._transport.app, client=("192.168.1.20", 4711))
        headers = {"authorization": f"Bearer {TOKEN}", "origin": "http://192.168.1.7:3333"}
        async with httpx.AsyncClient(transport=transport, base_url="http://192.168.1.7:3333", headers=headers) as other:
            assert (await other.delete("/api/inflight/x")).status_code == 200
            assert (await other.delete("/api/inflight/x", headers={"host": "evil.example"})).status_code == 403


async def test_a_page_from_another_machine_is_led_to_the_sign_in(ima2_client: Any) -> None:
    async with ima2_client(environ={"IMA2_LAN_TOKEN": TOKEN}) as client:
        answer = await from_elsewhere(client, "/", headers={"accept": "text/html,*/*"})
        form = await from_elsewhere(client, "/lan")
    assert (answer.status_code, answer.headers["location"], form.status_code) == (303, "/lan", 200)


def test_listening_to_other_machines_without_a_token_is_refused(tmp_path: Path, ima2_executable: Path) -> None:
    environ = {
        "IMA2_CONFIG_DIR": str(tmp_path),
        "IMA2_HOST": "0.0.0.0",
        "IMA2_PORT": "0",
        "IMA2_PLUGINS": "local_storage",
    }
    done = subprocess.run([str(ima2_executable), "serve"], env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "IMA2_LAN_TOKEN" in done.stderr


@pytest.mark.parametrize(("token", "length"), [("short", "5"), ("fifteen-letters", "15")])
def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path, ima2_executable: Path, token: str, length: str) -> None:
    environ = {"IMA2_CONFIG_DIR": str(tmp_path), "IMA2_HOST": "0.0.0.0", "IMA2_PORT": "0", "IMA2_LAN_TOKEN": token}
    done = subprocess.run([str(ima2_executable), "serve"], env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert f"has {length} characters; it needs 16" in done.stderr
    assert token not in done.stderr
    assert "Traceback" not in done.stderr


def test_files_and_folders_are_their_owners_only(serve: Any) -> None:
    served = serve()
    name = served.client.post("/api/generate", json={"prompt": "a boat", "provider": "demo"}).json()["filename"]
    paths = [served.home / "sessions.db", served.home / "server.json", served.generated / name]
    paths.append(served.generated / f"{name}.json")
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(served.generated.stat().st_mode) == 0o700


def test_no_prompt_and_no_secret_reaches_the_log(serve: Any) -> None:
    served = serve(
        plugins="local_storage,pillow_thumbs,sse,demo,openai_api",
        OPENAI_API_KEY="sk-very-secret-0123456789",
        IMA2_OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        IMA2_LOG_LEVEL="debug",
    )
    for provider in ("demo", "api"):
        served.client.post("/api/generate", json={"prompt": "my private idea demo:fail=crash", "provider": provider})
    served.client.get("/api/history?requestId=my-private-idea")
    assert served.client.get("/api/plugins").status_code == 200
    assert "private" not in served.log
    assert "sk-very-secret" not in served.log
    assert "/api/generate" in served.log


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.0.2", False),
        ("example.com", False),
    ],
)
def test_loopback_is_recognised(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_a_taken_port_gives_the_next_one() -> None:
    first = bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    second = bind("127.0.0.1", port)
    assert port < second.getsockname()[1] <= port + 20
    first.close()
    second.close()


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(Ima2Error, match="Cannot listen"):
        bind("203.0.113.7", 3333)
