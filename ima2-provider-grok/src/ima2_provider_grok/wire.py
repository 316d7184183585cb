"""Pictures and clips as xAI's JSON carries them, and the reading of its answers."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence

from ima2 import Json, Link, Picture, Source

FILE_ID = re.compile(r"file[-_][A-Za-z0-9._-]+")


async def address(source: Source) -> str:
    """A source as a URL: its own, or a ``data:`` URL of its bytes."""
    if isinstance(source, Link):
        return source.url
    return await asyncio.to_thread(_data_url, source)


def _data_url(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


async def addresses(sources: Iterable[Source]) -> list[str]:
    """`address` of each."""
    return [await address(source) for source in sources]


async def clip(source: Source) -> dict[str, str]:
    """The ``video`` object of an edit or extension: by URL, or by xAI's own file id."""
    if isinstance(source, Link) and FILE_ID.fullmatch(source.url):
        return {"file_id": source.url}
    return {"url": await address(source)}


def attached(urls: Sequence[str]) -> list[Json]:
    """Pictures for a chat message to look at."""
    return [{"type": "image_url", "image_url": {"url": url, "detail": "high"}} for url in urls]


def said(answer: Json) -> str:
    """The words of a Responses answer: all text of its messages, parts joined by blank lines."""
    return "\n\n".join(_texts(answer))


def _texts(answer: Json) -> Iterator[str]:
    for item in objects(answer, "output"):
        if item.get("type") == "message":
            for part in objects(item, "content"):
                text = part.get("text")
                if isinstance(text, str) and text.strip():
                    yield text.strip()


def arguments(answer: Json, function: str) -> list[Json]:
    """The arguments of each call of ``function`` in a chat completion; ``None`` for arguments that are not JSON."""
    found: list[Json] = []
    for choice in objects(answer, "choices"):
        message = choice.get("message")
        for call in objects(message, "tool_calls"):
            called = call.get("function")
            if call.get("type") == "function" and isinstance(called, dict) and called.get("name") == function:
                found.append(_parsed(called.get("arguments")))
    return found


def _parsed(text: Json) -> Json:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None


def objects(holder: Json, key: str) -> list[dict[str, Json]]:
    """The objects of the list at ``key``, or nothing."""
    value = holder.get(key) if isinstance(holder, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
