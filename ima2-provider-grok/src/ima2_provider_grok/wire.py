"""Pictures and clips as xAI's JSON carries them, and the reading of its answers."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ima2 import Ima2Error, Json, Link, Picture, Source

FILE_ID = re.compile(r"file[-_][A-Za-z0-9._-]{1,200}")
"""xAI's own id of a file it keeps (docs.x.ai, files)."""


def is_file_id(source: Source) -> bool:
    """Whether a source is a file that xAI keeps, named by its id."""
    return isinstance(source, Link) and FILE_ID.fullmatch(source.url) is not None


async def reference(source: Source) -> dict[str, str]:
    """A source as xAI's object: ``{"file_id"}``, or ``{"url"}`` with its own URL or a ``data:`` URL of its bytes."""
    if isinstance(source, Link):
        return {"file_id" if is_file_id(source) else "url": source.url}
    return {"url": await asyncio.to_thread(_data_url, source)}


def _data_url(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


async def references(sources: Iterable[Source]) -> list[dict[str, str]]:
    """`reference` of each."""
    return [await reference(source) for source in sources]


def file_links(text: Json) -> tuple[Link, ...]:
    """The files named by the option ``fileIds``. Raises 400 ``INVALID_OPTION`` for what is no file id."""
    names = str(text or "").split()
    if not all(FILE_ID.fullmatch(name) for name in names):
        raise Ima2Error("INVALID_OPTION", 400, "fileIds must be file ids of xAI (file_…), separated by spaces.")
    return tuple(Link(name) for name in names)


def link(text: Json, what: str) -> Link:
    """A picture that an option names. Raises 400 ``INVALID_OPTION``: xAI fetches from https addresses only."""
    if isinstance(text, str) and (FILE_ID.fullmatch(text) or text.startswith(("https://", "data:image/"))):
        return Link(text)
    raise Ima2Error("INVALID_OPTION", 400, f"{what} must be an https address or a file id of xAI (file_…).")


def urls(pictures: Iterable[Mapping[str, str]]) -> list[str]:
    """The addresses among `references`. A chat message can look at those, and not at files that xAI keeps."""
    return [one["url"] for one in pictures if "url" in one]


def attachments(urls: Sequence[str]) -> list[Json]:
    """Pictures for a chat message to look at."""
    return [{"type": "image_url", "image_url": {"url": url, "detail": "high"}} for url in urls]


def message_text(answer: Json) -> str:
    """The words of a Responses answer: all text of its messages, parts joined by blank lines."""
    return "\n\n".join(_texts(answer))


def is_refused(answer: Json) -> bool:
    """Whether a Responses answer holds a refusal in place of words (a part of type ``refusal``)."""
    parts = (part for item in objects(answer, "output") for part in objects(item, "content"))
    return any(part.get("type") == "refusal" for part in parts)


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
