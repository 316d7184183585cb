"""Asking a runtime for clips over the wire, and looking at what came of it."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson

from ima2.testing import picture

PNG = base64.b64encode(picture().data).decode()
BODY = {"prompt": "a red kite over dunes", "requestId": "v"}


def told(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def film(client: Any, **fields: Any) -> dict[str, Any]:
    """The last event's data of one direct request."""
    return told(await client.post("/api/video/generate", json={**BODY, **fields}))[-1][1]


async def sidecar(client: Any, filename: str) -> dict[str, Any]:
    value: dict[str, Any] = orjson.loads(await client.runtime.library.storage.get(f"{filename}.json"))
    return value


async def ended(client: Any) -> dict[str, Any]:
    """The newest job that has ended."""
    listed = await client.get("/api/inflight?kind=video&includeTerminal=1")
    job: dict[str, Any] = listed.json()["terminalJobs"][0]
    return job
