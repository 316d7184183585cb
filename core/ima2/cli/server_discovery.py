"""Finding the running server: the one that was named, else the first that answers."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ima2.cli.client_settings import ClientSettings, client_settings
from ima2.cli.options import remark
from ima2.cli.output import is_quiet
from ima2.client import UNREACHABLE, Client, unreachable
from ima2.errors import Ima2Error
from ima2.files import is_running

PROBE_S = 0.6
PATIENT_S = 5.0
LOCAL_GALLERY = "No server is running; this is the gallery of this machine."
DOING_IT_HERE = "No server is running; doing it here."


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address to try, and what named it."""

    url: str
    source: str


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answered: its address and what it said of its health."""

    base: str
    health: dict[str, Any]


async def find_server(server: str | None = None) -> RunningServer:
    """The server to use, or `Ima2Error` ``SERVER_UNREACHABLE``.

    Says on stderr which one it is when another was passed over.
    """
    found = await seek(server)
    if found is None:
        raise Ima2Error(UNREACHABLE, 0, "No ima2 server is running here.")
    return found


async def seek(server: str | None = None) -> RunningServer | None:
    """As `find_server`, but ``None`` when nobody named a server and none runs."""
    if server:
        return await _check_named(server.rstrip("/"))
    tried = list(candidates())
    alive = _live_address()
    for number, candidate in enumerate(tried):
        found = await probe(candidate.url, PATIENT_S if candidate.url == alive else PROBE_S)
        if found is not None:
            passed = " and ".join(f"{one.url} ({one.source})" for one in tried[:number])
            if passed and not is_quiet():
                remark(f"{passed} did not answer; using {found.base}.")
            return found
    if tried[0].source == "IMA2_SERVER":
        raise unreachable(tried[0].url)
    return None


def connect(base: str) -> Client:
    """A client of the server at an address, to be opened with ``async with``. It calls itself ``cli``."""
    return Client(base, name="cli")


@asynccontextmanager
async def open_client(server: str | None = None) -> AsyncIterator[Client]:
    """A client of the server that `find_server` finds."""
    async with connect((await find_server(server)).base) as client:
        yield client


@asynccontextmanager
async def open_worker(server: str | None, *, index: bool = False, note: str = DOING_IT_HERE) -> AsyncIterator[Client]:
    """A client of the server that `seek` finds, else of this process, which ``note`` says on stderr.

    With ``index`` this process looks through the gallery first.
    """
    found = await seek(server)
    if found is not None:
        async with connect(found.base) as client:
            yield client
        return
    if note and not is_quiet():
        remark(note)
    from ima2.cli import only_plugins
    from ima2.cli.inprocess import open_local

    async with open_local(only_plugins(), index=index) as client:
        yield client


async def ask_server(
    server: str | None, path: str, limit: float, *, needed: bool = False
) -> tuple[dict[str, Any] | None, str | None]:
    """The server's answer and its address; neither where none runs and none is ``needed``."""
    found = await (find_server if needed else seek)(server)
    if found is None:
        return None, None
    async with connect(found.base) as client:
        return await client.ask("GET", path, limit=limit), found.base


def describe_source(base: str | None) -> str:
    """Who gave an answer, for people."""
    return f"As {base} says." if base else "No server is running; this is what is installed here."


def candidates(where: ClientSettings | None = None) -> Iterator[Candidate]:
    """Where a server may be, most wanted first, each address once."""
    where = where or client_settings()
    seen: set[str] = set()
    for url, source in _listed(where):
        if isinstance(url, str) and url.strip() and url.rstrip("/") not in seen:
            seen.add(url.rstrip("/"))
            yield Candidate(url.rstrip("/"), source)


async def probe(base: str, limit: float = PROBE_S) -> RunningServer | None:
    """Whether a server answers there in time. ``localhost`` is tried in both address families."""
    for address in _addresses(base):
        try:
            async with connect(address) as client:
                return RunningServer(address, await client.ask("GET", "/api/health", limit=limit))
        except Ima2Error:
            continue
    return None


def _live_address() -> str | None:
    """The address of a server that wrote itself down and whose process lives: if it is busy, it is waited for."""
    note = read_advertisement(client_settings()) or {}
    backend = note.get("backend")
    url = backend.get("url") if isinstance(backend, dict) else note.get("url")
    pid = note.get("pid")
    lives = isinstance(pid, int) and isinstance(url, str) and is_running(pid)
    return str(url).rstrip("/") if lives else None


def read_advertisement(where: ClientSettings) -> dict[str, Any] | None:
    """What a server wrote of itself in server.json; ``None`` when missing or unreadable."""
    try:
        note = json.loads(where.advertisement.read_bytes())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


async def _check_named(base: str) -> RunningServer:
    """The server a person named. One that refuses to talk is told from one that is not there."""
    failure = unreachable(base)
    for address in _addresses(base):
        try:
            async with connect(address) as client:
                return RunningServer(address, await client.ask("GET", "/api/health", limit=PROBE_S))
        except Ima2Error as error:
            if error.status in {401, 403}:
                failure = error
    raise failure


def _listed(where: ClientSettings) -> Iterator[tuple[Any, str]]:
    yield os.environ.get("IMA2_SERVER"), "IMA2_SERVER"
    note = read_advertisement(where) or {}
    backend = note.get("backend")
    yield (backend.get("url") if isinstance(backend, dict) else None), where.advertisement.name
    yield note.get("url"), where.advertisement.name
    port = note.get("port")
    if isinstance(port, int) and not isinstance(port, bool):
        yield f"http://localhost:{port}", where.advertisement.name
    yield f"http://localhost:{where.port}", "the usual port"


def _addresses(base: str) -> list[str]:
    prefix, rest = "http://localhost", base.removeprefix("http://localhost")
    if not base.startswith(prefix) or rest[:1] not in {"", ":", "/"}:
        return [base]
    return [f"http://127.0.0.1{rest}", f"http://[::1]{rest}"]
