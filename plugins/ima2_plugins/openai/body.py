"""A request as the Responses API and ChatGPT's endpoints for pictures take it.

Field names: OpenAI's API reference of ``POST /v1/responses`` and of its ``image_generation`` tool (openai 3.57.0);
``/codex/images``: openai/codex, July 2026. ``store`` is always false: what a person draws is not kept by the upstream
for our sake.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from ima2 import Ima2Error, ImageRequest, Picture, Source, TextRequest
from ima2_plugins.openai import prompts
from ima2_plugins.openai.fallbacks import Attempt

_LARGE = 262_144
IMAGES_MODEL = "gpt-image-2"
"""What ``/codex/images`` draws with, and the only name that is known there."""
IMAGES_INPUTS = 5
"""How many input pictures one call of ``/codex/images/edits`` takes."""
_TOOL_FIELDS = {"background": "background", "inputFidelity": "input_fidelity", "complexity": "complexity"}


def data_url(source: Source) -> str:
    """A picture as a ``data:`` URL. A link is refused (400): this upstream is only handed pictures."""
    if not isinstance(source, Picture):
        raise Ima2Error("LINK_UNSUPPORTED", 400, "This provider takes pictures themselves, not links to them.")
    return f"data:{source.media_type};base64,{base64.b64encode(source.data).decode('ascii')}"


def image_tool(request: ImageRequest, drawing: str = "") -> dict[str, Any]:
    """The hosted tool with what was asked for; a mask makes it an edit of the first picture."""
    tool: dict[str, Any] = {
        "type": "image_generation",
        "quality": request.quality,
        "size": request.size,
        "moderation": request.moderation,
        "output_format": request.format,
    }
    if drawing:
        tool["model"] = drawing
    for name, field in _TOOL_FIELDS.items():
        if (value := request.options.get(name)) and value != "auto":
            tool[field] = value
    if (compression := request.options.get("compression")) is not None:
        tool["output_compression"] = compression
    if request.partials:
        tool["partial_images"] = request.partials
    if request.mask is not None:
        tool["action"] = "edit"
        tool["input_image_mask"] = {"image_url": data_url(request.mask)}
    return tool


def input_pictures(request: ImageRequest) -> list[Source]:
    """The input pictures in their order: the source before the references."""
    return ([request.source] if request.source is not None else []) + list(request.references)


def image_body(request: ImageRequest, attempt: Attempt, *, search: bool, research: str = "") -> dict[str, Any]:
    """One call that makes a picture, an edit or a series. Pictures come first, words last."""
    edit = request.source is not None
    direct = request.options.get("mode") == "direct"
    words = prompts.user(
        request.prompt, edit=edit, series=request.sequence, search=search, direct=direct, research=research
    )
    named = attempt.choice == "named"
    return {
        "model": attempt.model,
        "input": [
            {"role": "developer", "content": prompts.developer(edit=edit, series=request.sequence, search=search)},
            {"role": "user", "content": _content(words, input_pictures(request))},
        ],
        "tools": [{"type": "web_search"}] * search + [image_tool(request, attempt.drawing)],
        "tool_choice": {"type": "image_generation"} if named else attempt.choice,
        "reasoning": {"effort": str(request.options.get("reasoningEffort"))},
        "stream": True,
        "store": False,
    }


def images_body(request: ImageRequest) -> dict[str, Any]:
    """One call of ``/codex/images``: the prompt as it stands, for one picture."""
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "model": IMAGES_MODEL,
        "quality": request.quality,
        "size": request.size,
    }
    if (background := request.options.get("background")) and background != "auto":
        body["background"] = background
    if pictures := input_pictures(request):
        body["images"] = [{"image_url": data_url(one)} for one in pictures]
    return body


def text_body(request: TextRequest, *, model: str, effort: str, search: bool) -> dict[str, Any]:
    """One call that answers in words, after the earlier turns; a schema makes the answer a JSON document."""
    system = [{"role": "developer", "content": request.system}] if request.system else []
    turns = [{"role": one.role, "content": one.text} for one in request.messages]
    body: dict[str, Any] = {
        "model": model,
        "input": [*system, *turns, {"role": "user", "content": _content(request.prompt, request.pictures)}],
        "reasoning": {"effort": effort},
        "stream": True,
        "store": False,
    }
    if search:
        body["tools"] = [{"type": "web_search"}]
    if request.schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": dict(request.schema), "strict": True}
        body["text"] = {"format": form}
    return body


def _content(words: str, pictures: Iterable[Source]) -> str | list[dict[str, str]]:
    images = [{"type": "input_image", "image_url": data_url(one)} for one in pictures]
    return [*images, {"type": "input_text", "text": words}] if images else words


class RequestBody:
    """A body that is encoded once per attempt, whatever number of identical calls it is sent in.

    ``weight`` is how many bytes of pictures go into it: a heavy one is encoded in a thread.
    """

    def __init__(self, make: Callable[[Attempt], dict[str, Any]], weight: int) -> None:
        self._make = make
        self._weight = weight
        self._encoded: dict[tuple[Attempt, str], bytes] = {}
        self._lock = asyncio.Lock()

    async def content(self, attempt: Attempt, extra: Mapping[str, Any]) -> bytes:
        """The body as JSON, with the ``extra`` fields that one kind of upstream wants."""
        name = (attempt, ",".join(extra))
        async with self._lock:
            if name not in self._encoded:
                heavy = self._weight > _LARGE
                encoded = self._encode(attempt, extra)
                self._encoded[name] = await asyncio.to_thread(encoded) if heavy else encoded()
            return self._encoded[name]

    def _encode(self, attempt: Attempt, extra: Mapping[str, Any]) -> Callable[[], bytes]:
        return lambda: orjson.dumps({**self._make(attempt), **extra})


def weight(*sources: Source | None) -> int:
    """How many bytes of pictures these are."""
    return sum(len(one.data) for one in sources if isinstance(one, Picture))
