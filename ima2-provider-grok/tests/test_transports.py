"""Which way ``grok`` takes, and the progrok it may start: a real process that stands in for it."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.upstreams.asking import KITE, draw, failure, only
from tests.upstreams.world import World

import ima2
from ima2_provider_grok.progrok import free_port

PROGRAM = """#!{python}
import http.server, json, os, subprocess, sys, time
sys.path[:] = [p for p in sys.path if p]
port = int(sys.argv[sys.argv.index("--port") + 1])
folder = {folder!r}
mode = open(os.path.join(folder, "mode")).read()
with open(os.path.join(folder, "starts"), "a") as traces:
    traces.write(json.dumps([os.getpid(), sys.argv[1:], sorted(os.environ)]) + "\\n")
if mode == "no-login":
    print("Error: not logged in. Run progrok login", file=sys.stderr, flush=True); sys.exit(1)
if mode == "dies":
    sys.exit(3)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"data": [{{"id": "grok-imagine-image"}}]}}).encode()
        self.send_response(200); self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
if mode == "child":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open(os.path.join(folder, "child"), "w").write(str(child.pid))
if mode == "stubborn":
    import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = http.server.HTTPServer(("127.0.0.1", port), Handler)
sys.stdout.write("\\x1b[4mproxy on http://127.0"); sys.stdout.flush(); time.sleep(0.05)
sys.stdout.write(f".0.1:{{port}}/v1\\x1b[0m\\n"); sys.stdout.flush()
if mode == "crash":
    open(os.path.join(folder, "mode"), "w").write("good")
    server.handle_request(); os._exit(7)
server.serve_forever()
"""


@pytest.fixture
def install(tmp_path: Path) -> Any:
    """Puts a ``progrok`` on PATH that behaves in a given way; gives the folder where it leaves its traces."""

    def write(mode: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "mode").write_text(mode)
        program = folder / "progrok"
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        return folder

    return write


def starts(folder: Path) -> list[Any]:
    import json

    return [json.loads(line) for line in (folder / "starts").read_text().splitlines()]


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def port_of(world: World) -> int:
    return int(world.base_url.rpartition(":")[2])


async def test_a_promised_proxy_is_used_without_any_secret(grok: Any, sign_in: Any, proxy: World, world: World) -> None:
    sign_in()
    provider = grok(no_proxy=True, proxy_port=port_of(proxy))
    assert only(await draw(provider), ima2.Artifact)
    assert provider.problem() is None
    assert not world.seen
    assert not proxy.calls("/health")
    assert all("authorization" not in call.headers for call in proxy.seen)


async def test_a_proxy_that_answers_is_used_before_the_stored_login(
    grok: Any, sign_in: Any, proxy: World, world: World
) -> None:
    sign_in()
    assert only(await draw(grok(proxy_port=port_of(proxy))), ima2.Artifact)
    assert proxy.calls("/health")
    assert not world.seen


async def test_another_program_on_that_port_is_not_taken_for_a_proxy(grok: Any, sign_in: Any, world: World) -> None:
    sign_in()
    assert only(await draw(grok(proxy_port=port_of(world))), ima2.Artifact)
    assert world.calls("images/")[0].path.startswith("/xai/v1/")


async def test_a_promised_proxy_that_is_down_is_an_error_and_no_reason_to_go_elsewhere(
    grok: Any, sign_in: Any, world: World
) -> None:
    sign_in()
    error = await failure(grok(no_proxy=True, proxy_port=9))
    assert error.code == "GROK_SEARCH_NETWORK_FAILED"
    assert not world.seen


async def test_progrok_is_not_started_when_there_is_a_login(grok: Any, sign_in: Any, install: Any) -> None:
    folder = install("good")
    sign_in()
    await draw(grok())
    assert not (folder / "starts").exists()


async def test_progrok_is_started_on_a_free_port_without_our_keys_and_stopped_with_its_children(
    grok: Any, install: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XAI_API_KEY", "xai-secret")
    folder = install("child")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        provider = grok(proxy_port=first)
        assert provider.problem() is None
        assert (await provider.status()).state == "auth_required"
        assert not (folder / "starts").exists()
        connection = await provider._transport.connect()
        port = int(connection.base_url.split(":")[2].partition("/")[0])
        assert first < port <= first + 20
        assert (await provider.status()).state == "ready"
        assert provider.runtime() == {"configuredPort": first, "actualPort": port, "url": connection.base_url}
        ((pid, arguments, environment),) = starts(folder)
        assert arguments == ["proxy", "--host", "127.0.0.1", "--port", str(port)]
        assert "XAI_API_KEY" not in environment
        child = int((folder / "child").read_text())
        assert is_alive(pid)
        assert is_alive(child)
        await provider.close()
        await asyncio.sleep(0.1)
        assert not is_alive(pid)
        assert not is_alive(child)
        await provider.close()


async def test_progrok_is_started_once_for_many_jobs(grok: Any, install: Any) -> None:
    folder = install("good")
    provider = grok(proxy_port=28645)
    connections = await asyncio.gather(*(provider._transport.connect() for _ in range(5)))
    assert len({one.base_url for one in connections}) == 1
    assert len(starts(folder)) == 1


async def test_progrok_that_goes_down_is_started_again(grok: Any, install: Any) -> None:
    folder = install("crash")
    provider = grok(proxy_port=28745, restart_delay_ms=10)
    await provider._transport.connect()
    await provider.status()
    until = time.monotonic() + 10
    while len(starts(folder)) < 2 and time.monotonic() < until:
        await asyncio.sleep(0.02)
    await provider._transport.connect()
    assert len(starts(folder)) == 2
    assert (await provider.status()).state == "ready"


async def test_progrok_that_nobody_is_signed_in_to_is_not_started_again(grok: Any, install: Any) -> None:
    folder = install("no-login")
    error = await failure(grok(proxy_port=28845, restart_delay_ms=1), KITE)
    assert (error.code, error.status) == ("GROK_AUTH_FAILED", 401)
    assert "ima2 grok login" in error.text
    assert "progrok login" not in error.text
    assert len(starts(folder)) == 1


async def test_progrok_that_always_dies_is_given_up(grok: Any, install: Any) -> None:
    folder = install("dies")
    error = await failure(grok(proxy_port=28945, restart_delay_ms=1))
    assert (error.code, error.status) == ("GROK_PROXY_UNAVAILABLE", 503)
    assert len(starts(folder)) == 6


async def test_progrok_that_will_not_stop_is_ended(grok: Any, install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2_provider_grok.progrok.STOP_SECONDS", 0.2)
    folder = install("stubborn")
    provider = grok(proxy_port=29045)
    await provider._transport.connect()
    await provider.close()
    assert not is_alive(starts(folder)[0][0])


def test_ports_are_tried_to_the_end_of_the_range() -> None:
    taken = []
    try:
        for port in range(29145, 29166):
            taken.append(socket.socket())
            taken[-1].bind(("127.0.0.1", port))
            taken[-1].listen()
        with pytest.raises(ima2.Ima2Error) as caught:
            free_port("127.0.0.1", 29145)
        assert (caught.value.code, caught.value.status) == ("PORT_RANGE_EXHAUSTED", 503)
    finally:
        for one in taken:
            one.close()
    assert free_port("127.0.0.1", 29145) == 29145
