"""A request as the Responses API takes it.

Field names: OpenAI's API reference of ``POST /v1/responses`` and of its ``image_generation`` tool. ``store`` is
always false: what a person draws is not kept by the upstream for our sake.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from ima2 import Ima2Error, ImageRequest, Picture, Source, TextRequest
from ima2_plugins.openai import prompts

_LARGE = 262_144


def data_url(source: Source) -> str:
    """A picture as a ``data:`` URL. A link is refused (400): this upstream is only handed pictures."""
    if not isinstance(source, Picture):
        raise Ima2Error("LINK_UNSUPPORTED", 400, "This provider takes pictures themselves, not links to them.")
    return f"data:{source.media_type};base64,{base64.b64encode(source.data).decode('ascii')}"


def image_tool(request: ImageRequest) -> dict[str, Any]:
    """The hosted tool with what was asked for; a mask makes it an edit of the first picture."""
    tool: dict[str, Any] = {
        "type": "image_generation",
        "quality": request.quality,
        "size": request.size,
        "moderation": request.moderation,
        "output_format": request.format,
    }
    if request.partials:
        tool["partial_images"] = request.partials
    if request.mask is not None:
        tool["action"] = "edit"
        tool["input_image_mask"] = {"image_url": data_url(request.mask)}
    return tool


def tool_choice(request: ImageRequest, *, named: bool) -> str | dict[str, str]:
    """The image tool by name, or ``required``: always that for a series, which takes several calls."""
    return {"type": "image_generation"} if named and not request.sequence else "required"


def image_body(request: ImageRequest, *, search: bool, named: bool, research: str = "") -> dict[str, Any]:
    """One call that makes a picture, an edit or a series. Pictures come first, the source before the references."""
    edit = request.source is not None
    direct = request.options.get("mode") == "direct"
    words = prompts.user(
        request.prompt, edit=edit, series=request.sequence, search=search, direct=direct, research=research
    )
    pictures = ([request.source] if request.source is not None else []) + list(request.references)
    return {
        "model": request.model,
        "input": [
            {"role": "developer", "content": prompts.developer(edit=edit, series=request.sequence, search=search)},
            {"role": "user", "content": _content(words, pictures)},
        ],
        "tools": [{"type": "web_search"}] * search + [image_tool(request)],
        "tool_choice": tool_choice(request, named=named),
        "reasoning": {"effort": str(request.options.get("reasoningEffort"))},
        "stream": True,
        "store": False,
    }


def text_body(request: TextRequest, *, effort: str, search: bool) -> dict[str, Any]:
    """One call that answers in words."""
    system = [{"role": "developer", "content": request.system}] if request.system else []
    body: dict[str, Any] = {
        "model": request.model,
        "input": [*system, {"role": "user", "content": _content(request.prompt, request.pictures)}],
        "reasoning": {"effort": effort},
        "stream": True,
        "store": False,
    }
    if search:
        body["tools"] = [{"type": "web_search"}]
    return body


def _content(words: str, pictures: Iterable[Source]) -> str | list[dict[str, str]]:
    images = [{"type": "input_image", "image_url": data_url(one)} for one in pictures]
    return [*images, {"type": "input_text", "text": words}] if images else words


class Order:
    """A body that is made once, whatever number of identical calls it is sent in.

    ``weight`` is how many bytes of pictures go into it: a heavy one is made in a thread.
    """

    def __init__(self, make: Callable[[], dict[str, Any]], weight: int) -> None:
        self._make = make
        self._weight = weight
        self._made: dict[str, bytes] = {}
        self._lock = asyncio.Lock()

    async def content(self, extra: Mapping[str, Any]) -> bytes:
        """The body as JSON, with the ``extra`` fields that one kind of upstream wants."""
        name = ",".join(extra)
        async with self._lock:
            if name not in self._made:
                heavy = self._weight > _LARGE
                self._made[name] = await asyncio.to_thread(self._encoded, extra) if heavy else self._encoded(extra)
            return self._made[name]

    def _encoded(self, extra: Mapping[str, Any]) -> bytes:
        return orjson.dumps({**self._make(), **extra})


def weight(*sources: Source | None) -> int:
    """How many bytes of pictures these are."""
    return sum(len(one.data) for one in sources if isinstance(one, Picture))
