"""A style sheet read from words and a picture, by whichever provider answers in words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

import ima2
from ima2_plugins.graph.style_sheet import LISTS, TEXTS, tidy

LONGEST_PROMPT = 4000
LONGEST_PICTURE = 7_340_032
"""Characters of base64."""
_DATA_URL = re.compile(r"data:image/[a-z.+-]+;base64,", re.IGNORECASE)
_NO_WORDS = frozenset({"TEXT_UNSUPPORTED", "TEXT_NOT_READY"})
SYSTEM = (
    "You describe the visual style that a series of pictures shares, so that further pictures match it. Answer with "
    "one JSON object and nothing else. It has exactly these keys: palette (3 to 6 names of colours), composition (one "
    "sentence), mood (2 to 4 adjectives), medium (a short phrase), subject_details (one sentence with what makes the "
    "subject recognisable) and negative (0 to 4 things to avoid). Keep every entry below 120 characters."
)
_TEXT = {"type": "string"}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(TEXTS, _TEXT),
        **{name: {"type": "array", "items": _TEXT} for name in LISTS},
    },
    "required": [*TEXTS, *LISTS],
    "additionalProperties": False,
}


async def extract(studio: ima2.Studio, prompt: str, picture: ima2.Picture | None, model: str) -> dict[str, Any]:
    """The style of a prompt and a picture. 400 ``STYLE_SHEET_NO_KEY`` where nobody answers in words, 422
    ``STYLE_SHEET_EMPTY``, ``STYLE_SHEET_PARSE`` and ``STYLE_SHEET_SHAPE`` for what is no sheet."""
    asked = ima2.TextRequest(
        prompt[:LONGEST_PROMPT],
        "",
        system=SYSTEM,
        model=model,
        pictures=(picture,) if picture else (),
        schema=SCHEMA,
    )
    try:
        answer = await studio.text(asked)
    except ima2.Ima2Error as error:
        if error.code in _NO_WORDS:
            raise ima2.Ima2Error(
                "STYLE_SHEET_NO_KEY", 400, f"{error.text} A style is read with one of those."
            ) from None
        raise
    return tidy(_object(answer.text))


def picture_of(value: object) -> ima2.Picture | None:
    """The picture in a data URL; ``None`` where there is none. 400 ``STYLE_SHEET_BAD_INPUT``."""
    if value is None or value == "":
        return None
    bad = ima2.Ima2Error("STYLE_SHEET_BAD_INPUT", 400, "referenceDataUrl must be a data URL of a PNG, JPEG or WebP.")
    if not isinstance(value, str) or len(value) > LONGEST_PICTURE or not (head := _DATA_URL.match(value)):
        raise bad
    try:
        data = base64.b64decode(value[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise bad from None
    media_type = ima2.media_type_of(data)
    if media_type is None or not media_type.startswith("image/"):
        raise bad
    return ima2.Picture(data, media_type)


def words_of(nodes: list[dict[str, Any]]) -> str:
    """The prompts of a graph's nodes, each once."""
    prompts = (node["data"].get("prompt") for node in nodes)
    return "\n".join(dict.fromkeys(one.strip() for one in prompts if isinstance(one, str) and one.strip()))


def _object(text: str) -> Mapping[str, Any]:
    """The JSON object in an answer, with or without a fence around it."""
    start, end = text.find("{"), text.rfind("}")
    if not text.strip():
        raise ima2.Ima2Error("STYLE_SHEET_EMPTY", 422, "The answer was empty.")
    try:
        value = orjson.loads(text[start : end + 1] if 0 <= start < end else text)
    except orjson.JSONDecodeError:
        raise ima2.Ima2Error("STYLE_SHEET_PARSE", 422, "The answer was not the JSON that was asked for.") from None
    if not isinstance(value, dict):
        raise ima2.Ima2Error("STYLE_SHEET_SHAPE", 422, "The answer was no JSON object.")
    return value
