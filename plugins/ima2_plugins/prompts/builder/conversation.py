"""A conversation as clients send it, read strictly and within limits; what was cut or left out is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ima2

MESSAGES, CHARS, ATTACHMENTS, ATTACHMENT_CHARS = 24, 16_000, 6, 20_000
Warnings = list[dict[str, str]]


@dataclass(slots=True)
class Conversation:
    """Earlier turns, the last words with everything that belongs to them, and pictures to look at."""

    earlier: list[ima2.Message] = field(default_factory=list)
    words: str = field(default="", repr=False)
    pictures: list[ima2.Picture] = field(default_factory=list)
    warnings: Warnings = field(default_factory=list)


def read(given: Mapping[str, Any]) -> Conversation:
    """Check a request. 400 ``PROMPT_BUILDER_BAD_MESSAGES``, ``PROMPT_BUILDER_EMPTY_MESSAGE``."""
    messages = given.get("messages")
    if not isinstance(messages, list) or not all(_is_message(one) for one in messages):
        raise ima2.Ima2Error("PROMPT_BUILDER_BAD_MESSAGES", 400, "messages is a list of {role, content}.")
    spoken = [one for one in messages if _text(one) or one["role"] == "user"]
    if not spoken or spoken[-1]["role"] != "user" or not all(map(_text, spoken)):
        raise ima2.Ima2Error("PROMPT_BUILDER_EMPTY_MESSAGE", 400, "The last message must be words of the user.")
    talk = Conversation()
    if len(spoken) > MESSAGES:
        _warn(talk.warnings, "MESSAGES_LEFT_OUT", f"Only the last {MESSAGES} of {len(spoken)} messages were used.")
    turns = [(one["role"], _whole(one, talk)) for one in spoken[-MESSAGES:]]
    talk.earlier = [ima2.Message(role, text) for role, text in turns[:-1]]
    talk.words = "\n\n".join([turns[-1][1], *_context(given.get("context"), talk.warnings)])
    if len(talk.pictures) > ATTACHMENTS:
        _warn(talk.warnings, "PICTURES_LEFT_OUT", f"Only the newest {ATTACHMENTS} pictures were looked at.")
        talk.pictures = talk.pictures[-ATTACHMENTS:]
    return talk


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in ("user", "assistant")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content.strip() if isinstance(content, str) else ""


def _whole(message: Mapping[str, Any], talk: Conversation) -> str:
    """The words of a message, and of what is attached to it."""
    attached = message.get("attachments")
    items = attached if isinstance(attached, list) else []
    if len(items) > ATTACHMENTS:
        _warn(talk.warnings, "ATTACHMENTS_LEFT_OUT", f"Of a message {ATTACHMENTS} attachments were used.")
    sections = [part for item in items[:ATTACHMENTS] if (part := _attachment(item, talk))]
    return "\n\n".join([_cut(_text(message), CHARS, talk.warnings), *sections])


def _attachment(item: Any, talk: Conversation) -> str:
    """What the words say of an attachment; a picture is handed over itself."""
    if not isinstance(item, dict) or item.get("kind") not in ("image", "text", "file"):
        _warn(talk.warnings, "ATTACHMENT_LEFT_OUT", "An attachment could not be read.")
        return ""
    name = _name(item)
    if item["kind"] == "image":
        picture = _picture(item.get("dataUrl"))
        if picture is None:
            _warn(talk.warnings, "ATTACHMENT_LEFT_OUT", "An attached picture is no PNG, JPEG or WebP.")
            return f"[Attached picture: {name}, which could not be read]"
        talk.pictures.append(picture)
        return f"[Attached picture: {name}]"
    text = item.get("text")
    body = _cut(text.strip(), ATTACHMENT_CHARS, talk.warnings) if isinstance(text, str) else ""
    return f"[Attached file: {name}]\n{body}".strip()


def _name(item: Mapping[str, Any]) -> str:
    return " ".join(str(item.get("name") or "unnamed").split())[:160]


def _picture(value: Any) -> ima2.Picture | None:
    if not isinstance(value, str) or not value.startswith("data:image/"):
        return None
    try:
        picture = ima2.decode_media(value)
    except ima2.Ima2Error:
        return None
    return picture if picture.media_type.startswith("image/") else None


def _context(value: Any, warnings: Warnings) -> list[str]:
    """What the page shows at the moment, as sections of plain text."""
    context: Mapping[str, Any] = value if isinstance(value, dict) else {}
    sections = [
        ("The prompt as it is now", context.get("currentPrompt")),
        ("What the last picture was made from", context.get("currentResultPrompt")),
    ]
    inserted = context.get("insertedPrompts")
    pieces = [one for one in inserted[:20] if isinstance(one, dict)] if isinstance(inserted, list) else []
    sections += [(f"Inserted prompt: {_name(one)}", one.get("text")) for one in pieces]
    settings = context.get("settings")
    if isinstance(settings, dict):
        told = {name: one for name, one in settings.items() if isinstance(one, str | int | float | bool)}
        sections.append(("Settings", "\n".join(f"{name}: {one}" for name, one in list(told.items())[:40])))
    return [
        f"[{title}]\n{_cut(text.strip(), CHARS, warnings)}"
        for title, text in sections
        if isinstance(text, str) and text.strip()
    ]


def _cut(text: str, most: int, warnings: Warnings) -> str:
    if len(text) > most:
        _warn(warnings, "TEXT_CUT", f"A text of {len(text)} characters was cut to {most}.")
    return text[:most]


def _warn(warnings: Warnings, code: str, text: str) -> None:
    if all(one["code"] != code for one in warnings):
        warnings.append({"code": code, "message": text})
