"""A request for pictures as OpenAI's endpoints for pictures take it.

Field names: ``image_generate_params`` and ``image_edit_params`` of openai 3.57.0.
"""

from __future__ import annotations

from typing import Any

from ima2 import Ima2Error, ImageRequest, Picture, Source
from ima2_plugins.openai_compatible.settings import Server

GENERATIONS, EDITS = "/images/generations", "/images/edits"
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def endpoint(request: ImageRequest) -> str:
    """Where a request goes: input pictures make it an edit."""
    return EDITS if inputs(request) else GENERATIONS


def inputs(request: ImageRequest) -> list[Source]:
    """The input pictures in their order: the source before the references."""
    return ([request.source] if request.source is not None else []) + list(request.references)


def fields(request: ImageRequest, server: Server, count: int) -> dict[str, Any]:
    """What both endpoints take. What the settings add never replaces what was asked for."""
    asked: dict[str, Any] = {"prompt": request.prompt, "n": count}
    if request.model:
        asked["model"] = request.model
    if request.size != "auto":
        asked["size"] = request.size
    if server.qualities and request.quality:
        asked["quality"] = request.quality
    if server.formats and request.format:
        asked["output_format"] = request.format
    if server.moderation and not inputs(request):
        asked["moderation"] = request.moderation
    if wanted := response_format(request.model, server):
        asked["response_format"] = wanted
    return {**server.extra, **asked}


def response_format(model: str, server: Server) -> str:
    """How pictures are to come; empty: as they come. OpenAI's newer models know no such field."""
    if server.response_format == "auto":
        return "" if model.rpartition("/")[2].startswith(("gpt-image", "chatgpt-image")) else "b64_json"
    return "" if server.response_format == "none" else server.response_format


def content(request: ImageRequest, server: Server, count: int) -> dict[str, Any]:
    """The body, as what httpx takes: JSON, or a form with files for an edit."""
    body = fields(request, server, count)
    pictures = inputs(request)
    if not pictures:
        return {"json": body}
    name = "image" if len(pictures) == 1 else "image[]"
    files = [(name, _file(f"image-{place}", one)) for place, one in enumerate(pictures, 1)]
    if request.mask is not None:
        files.append(("mask", _file("mask", request.mask)))
    return {"data": {key: _form_value(value) for key, value in body.items()}, "files": files}


def _file(stem: str, source: Source) -> tuple[str, bytes, str]:
    if not isinstance(source, Picture):
        raise Ima2Error("LINK_UNSUPPORTED", 400, "This provider takes pictures themselves, not links to them.")
    return f"{stem}.{_ENDINGS.get(source.media_type, 'bin')}", source.data, source.media_type


def _form_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
