"""A ComfyUI that takes pictures: what it was sent, and an answer of the test's choice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.raw import raw_server


@dataclass
class Comfy:
    """``answer`` is its JSON, ``status`` its status; with ``delay`` it takes so many seconds. ``requests`` holds head
    and body of each."""

    answer: Any = field(default_factory=lambda: {"name": "stored.png", "subfolder": "", "type": "input"})
    status: str = "200 OK"
    delay: float = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")
        )
        self.requests.append((head, await reader.readexactly(length)))
        await asyncio.sleep(self.delay)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        lines = (f"HTTP/1.1 {self.status}", f"Content-Length: {len(body)}", "Location: http://127.0.0.1:1/", "", "")
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()


@asynccontextmanager
async def running_comfy(**more: Any) -> AsyncIterator[Comfy]:
    """One that listens on ``port``."""
    comfy = Comfy(**more)
    async with raw_server(comfy.talk) as comfy.port:
        yield comfy
