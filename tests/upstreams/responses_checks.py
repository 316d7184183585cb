"""What OpenAI's API refuses in a body of ``POST /v1/responses``."""

from __future__ import annotations

import base64
import binascii
import io
import re
from typing import Any

from PIL import Image
from starlette.responses import Response

from tests.upstreams.responses_errors import bad_value

MODELS = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini")
NEWER = ("gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6-sol", "gpt-6.1-sol", "gpt-6.2-sol", "gpt-7-sol")
_FIELDS = frozenset(
    {
        *("model", "input", "tools", "tool_choice", "reasoning", "stream", "store", "instructions", "text", "include"),
        *("max_output_tokens", "parallel_tool_calls", "temperature", "top_p", "metadata", "user"),
    }
)
_TOOL: dict[str, Any] = {
    "type": {"image_generation"},
    "quality": {"low", "medium", "high", "xhigh", "max", "auto"},
    "complexity": {"low", "medium", "high"},
    "moderation": {"auto", "low"},
    "partial_images": {0, 1, 2, 3},
    "background": {"transparent", "opaque", "auto"},
    "output_format": {"png", "webp", "jpeg"},
    "output_compression": set(range(101)),
    "input_fidelity": {"high", "low"},
    "action": {"auto", "generate", "edit"},
    "size": re.compile(r"auto|[0-9]{2,4}x[0-9]{2,4}"),
    "input_image_mask": dict,
    "model": str,
}


def words_of(body: dict[str, Any]) -> str:
    """What the user said, without pictures and without what developers said."""
    said: list[str] = []
    for message in body.get("input") or []:
        if message.get("role") != "user":
            continue
        content = message.get("content")
        said += [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return " ".join(said)


def pictures_of(body: dict[str, Any]) -> list[str]:
    """The addresses of the input pictures, in order."""
    contents = [message.get("content") for message in body.get("input") or []]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [part["image_url"] for part in parts if part.get("type") == "input_image"]


def image_tool(body: dict[str, Any]) -> dict[str, Any] | None:
    """The image tool of a body, if it has one."""
    return next((tool for tool in body.get("tools") or [] if tool.get("type") == "image_generation"), None)


def refused(body: Any) -> Response | None:
    """The error answer to a body that is not right."""
    if not isinstance(body, dict):
        return bad_value("body", "Not an object.", "invalid_type")
    for name in body:
        if name not in _FIELDS:
            return bad_value(name, f"Unknown parameter: '{name}'.", "unknown_parameter")
    if body.get("model") not in (*MODELS, *NEWER):
        return bad_value("model", "The requested model does not exist.", "model_not_found")
    effort = (body.get("reasoning") or {}).get("effort", "low")
    newer = ("minimal", "max") if body["model"] in NEWER else ()
    if effort not in ("none", "low", "medium", "high", "xhigh", *newer):
        return bad_value("reasoning.effort", "Invalid value.")
    if not words_of(body):
        return bad_value("input", "Missing required parameter.", "missing_required_parameter")
    return _tools(body) or _input(body)


def _tools(body: dict[str, Any]) -> Response | None:
    kinds = [tool.get("type") for tool in body.get("tools") or []]
    choice = body.get("tool_choice", "auto")
    if isinstance(choice, dict) and choice.get("type") not in kinds:
        return bad_value("tool_choice", f"Tool choice '{choice.get('type')}' not found in 'tools' parameter.")
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        return bad_value("tool_choice", "Invalid value.")
    for name, value in (image_tool(body) or {}).items():
        rule = _TOOL.get(name)
        if rule is None:
            return bad_value(f"tools[0].{name}", f"Unknown parameter: '{name}'.", "unknown_parameter")
        if isinstance(rule, set) and value not in rule:
            return bad_value(f"tools[0].{name}", "Invalid value.")
        if isinstance(rule, re.Pattern) and not rule.fullmatch(str(value)):
            return bad_value(f"tools[0].{name}", "Invalid size.")
    return None


def _input(body: dict[str, Any]) -> Response | None:
    sizes = []
    for number, url in enumerate(pictures_of(body)):
        image = opened(url)
        if image is None:
            return bad_value(f"input[1].content[{number}].image_url", "Invalid image.", "invalid_base64_image")
        sizes.append(image.size)
    mask = (image_tool(body) or {}).get("input_image_mask")
    if mask is None:
        return None
    image = opened(mask.get("image_url", ""))
    if image is None or "A" not in image.getbands():
        return bad_value("tools[0].input_image_mask", "The mask needs an alpha channel.")
    if not sizes or image.size != sizes[0]:
        return bad_value("tools[0].input_image_mask", "The mask and the image differ in size.")
    return None


def opened(url: str) -> Image.Image | None:
    """The picture of a ``data:`` URL, ``None`` when there is none in it."""
    match = re.fullmatch(r"data:image/(png|jpeg|webp);base64,([A-Za-z0-9+/]+=*)", url)
    try:
        return Image.open(io.BytesIO(base64.b64decode(match[2], validate=True))) if match else None
    except (binascii.Error, OSError):
        return None
