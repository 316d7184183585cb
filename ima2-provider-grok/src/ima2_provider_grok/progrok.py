"""A progrok proxy of our own: found a port, started, watched, started again, stopped with all its children."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import socket
from typing import Any

from ima2 import Ima2Error
from ima2_provider_grok.settings import GrokSettings

PORTS_TRIED = 21
READY_SECONDS, STOP_SECONDS = 20.0, 3.0
MAX_RESTARTS = 5
_SECRETS = ("OPENAI_API_KEY", "XAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "VERTEX_SERVICE_ACCOUNT_JSON")
_READY = re.compile(r"http://(?:127\.0\.0\.1|localhost):(\d{1,5})/v1")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NO_LOGIN = re.compile(r"not logged in", re.IGNORECASE)


def is_installed() -> bool:
    """Whether ``progrok`` is on PATH."""
    return shutil.which("progrok") is not None


def free_port(host: str, first: int) -> int:
    """The first port from ``first`` on, of 21, that can be bound. Raises 503 ``PORT_RANGE_EXHAUSTED``."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    last = first + PORTS_TRIED - 1
    text = f"All ports from {first} to {last} are taken, so progrok cannot be started. Free one of them."
    raise Ima2Error("PORT_RANGE_EXHAUSTED", 503, text)


class Progrok:
    """The process. `ready` starts it when needed and gives its base URL; `close` ends it and its process group."""

    def __init__(self, settings: GrokSettings, log: logging.Logger) -> None:
        self._settings, self._log = settings, log
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[str] | None = None

    @property
    def address(self) -> str | None:
        """Its base URL, once it is ready."""
        future = self._ready
        return future.result() if future is not None and future.done() and not future.cancelled() else None

    async def ready(self) -> str:
        """The base URL of the running proxy, as soon as it says it is ready. Raises when it does not come up."""
        if self._watch is None or self._watch.done():
            self._ready = asyncio.get_running_loop().create_future()
            self._watch = asyncio.create_task(self._keep_running())
            self._watch.add_done_callback(lambda task: task.cancelled() or task.exception())
        watch, future = self._watch, self._ready
        if future is None or future.cancelled():
            raise _down("is being restarted")
        waited: set[asyncio.Future[Any]] = {watch, future}
        await asyncio.wait(waited, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self.address:
            return self.address
        if watch.done():
            watch.result()
        raise _down("did not get ready in time")

    async def close(self) -> None:
        """Stop watching, then end the process group: politely first."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._stop()

    async def _keep_running(self) -> None:
        """Start it, and again when it goes down after it was ready; give up when it says that nobody is signed in."""
        for restart in range(MAX_RESTARTS + 1):
            if restart:
                self._ready = asyncio.get_running_loop().create_future()
                await asyncio.sleep(self._settings.restart_delay_ms / 1000 * 2 ** (restart - 1))
            try:
                no_login = await self._run_once()
            finally:
                await self._stop()
            if no_login:
                raise Ima2Error("GROK_AUTH_FAILED", 401, "You are not signed in to Grok. Run `ima2 grok login`.")
            self._log.warning("progrok went down (%d)", restart + 1)
        raise _down("went down too often")

    async def _run_once(self) -> bool:
        """Run it until it ends. Says whether it ended because nobody is signed in."""
        host = self._settings.proxy_host
        port = await asyncio.to_thread(free_port, host, self._settings.proxy_port)
        self._process = await asyncio.create_subprocess_exec(
            shutil.which("progrok") or "progrok",
            "proxy",
            "--host",
            host,
            "--port",
            str(port),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={key: value for key, value in os.environ.items() if key not in _SECRETS},
            start_new_session=True,
        )
        no_login = await self._listen(self._process)
        return await self._process.wait() != 0 and no_login

    async def _listen(self, process: asyncio.subprocess.Process) -> bool:
        """Read what it prints, for its address and for the word that nobody is signed in. Nothing of it is kept."""
        no_login, tail = False, ""
        assert process.stdout is not None
        while chunk := await process.stdout.read(4096):
            tail = _COLOUR.sub("", tail + chunk.decode(errors="replace"))[-8192:]
            no_login = no_login or bool(_NO_LOGIN.search(tail))
            found = _READY.search(tail)
            if found and self._ready is not None and not self._ready.done():
                self._ready.set_result(f"http://{self._settings.proxy_host}:{int(found[1])}/v1")
        return no_login

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            _signal(process.pid, signal.SIGKILL)  # also for grandchildren that outlived it
            await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _down(why: str) -> Ima2Error:
    text = f"The progrok proxy {why}. Run `ima2 grok login` to sign in without it, or start it yourself."
    return Ima2Error("GROK_PROXY_UNAVAILABLE", 503, text)
