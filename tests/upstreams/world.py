"""What the fakes share: pictures to answer with, the requests they have seen, and how to run them."""

from __future__ import annotations

import asyncio
import base64
import io
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route


@lru_cache
def picture(width: int = 256, height: int = 192, fmt: str = "PNG", seed: int = 0) -> bytes:
    """A small picture that differs by seed."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((20 + seed % 90, 20, 110 + seed % 90, 110), fill=(40 * seed % 256, 90, 160))
    out = io.BytesIO()
    image.save(out, fmt)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as a fake received it. Authorization is kept, so that a test can check who was asked as whom."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class World:
    """One run of the fakes: settings of their behaviour and a memory of what they were sent."""

    delay: float = 0.0
    """Seconds each answer takes."""
    seen: list[Seen] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    """Whatever a fake has to remember (polls, tokens). Keys begin with the fake's name."""
    base_url: str = ""

    async def note(self, request: Request) -> Any:
        """Remember a request; returns its JSON body, its form, or its bytes."""
        raw = await request.body()
        kind = request.headers.get("content-type", "")
        body: Any = raw
        if "json" in kind and raw:
            body = await request.json()
        elif "form" in kind and raw:
            body = dict(parse_qsl(raw.decode()))
        self.seen.append(Seen(request.method, request.url.path, dict(request.headers), body))
        del self.seen[:-500]
        return body

    def calls(self, part: str) -> list[Seen]:
        """The requests whose path contains ``part``, oldest first."""
        return [one for one in self.seen if part in one.path]

    async def wait(self, words: str) -> None:
        """Take as long as the prompt's words ask: HANG (until cut off), SLOW (1.5 s), else the world's delay."""
        await asyncio.sleep(3600 if "HANG" in words else 1.5 if "SLOW" in words else self.delay)


def base64_picture(**options: Any) -> str:
    """`picture` as base64 text."""
    return base64.b64encode(picture(**options)).decode()


def application(world: World, routes: Sequence[BaseRoute]) -> Starlette:
    """The fakes as one application, with ``GET /_seen`` for a person who wants to look."""

    async def seen(_: Request) -> JSONResponse:
        return JSONResponse([{"method": one.method, "path": one.path} for one in world.seen])

    return Starlette(routes=[*routes, Route("/_seen", seen)])


@contextmanager
def running(world: World, routes: Sequence[BaseRoute], *, port: int = 0) -> Iterator[World]:
    """Serve the routes on a loopback port (a free one by default) in a thread; ``world.base_url`` says where."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    world.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        application(world, routes), log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        yield world
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()
