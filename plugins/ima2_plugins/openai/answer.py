"""What one call's events add up to: updates as they come, and what is known at the end.

A picture is taken from ``response.output_item.done``, or from the closing event where only that holds it; the ChatGPT
backend never repeats pictures there. The status of an image call is not believed: its result is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import pybase64

from ima2 import Artifact, Ima2Error, Notice, Partial, Phase, Picture, Update, Usage, media_type_of, safe_label
from ima2_plugins.openai import complaint, errors
from ima2_plugins.openai.sse import StreamStats

_PREVIEWS = ("partial_image_b64", "partial_image", "image", "result")


def picture_of(text: object) -> Picture | None:
    """A picture from base64 text without prefix; ``None`` when it is not that, or no picture."""
    if not isinstance(text, str) or not text:
        return None
    try:
        data = pybase64.b64decode(text, validate=True)
    except ValueError:
        return None
    media_type = media_type_of(data)
    return Picture(data, media_type) if media_type and media_type.startswith("image/") else None


@dataclass(slots=True)
class Answer:
    """The state of one call. ``most`` pictures are taken, the first as number ``index``."""

    lane: errors.Lane
    most: int = 1
    index: int = 0
    previews: bool = False
    stats: StreamStats = field(default_factory=StreamStats)
    types: Counter[str] = field(default_factory=Counter)
    items: list[dict[str, Any]] = field(default_factory=list)
    error: Ima2Error | None = None
    incomplete: str | None = None
    refused: bool = False
    image_seen: bool = False
    image_completed: bool = False
    image_failed: complaint.Complaint | None = None
    message_seen: bool = False
    searches: int = 0
    usage: dict[str, Any] | None = None
    _deltas: list[str] = field(default_factory=list, repr=False)
    _texts: list[str] = field(default_factory=list, repr=False)
    _taken: list[str] = field(default_factory=list, repr=False)
    _extra: list[str] = field(default_factory=list, repr=False)
    _broken: list[str] = field(default_factory=list, repr=False)
    _calls: list[str] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """How many pictures were taken."""
        return len(self._taken)

    @property
    def text(self) -> str:
        """What the model said in words."""
        return "\n".join(self._texts) if self._texts else "".join(self._deltas)

    def read(self, data: bytes | memoryview) -> list[Update]:
        """Take the data of one event of a stream; what cannot be parsed is counted and passed over."""
        if data == b"[DONE]":
            self.stats.saw_done = True
            return []
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            event = None
        if not isinstance(event, dict):
            self.stats.skipped += 1
            return []
        return self.take(event)

    def whole(self, body: bytes) -> list[Update]:
        """Take an answer that came as one JSON object instead of a stream."""
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = None
        self.stats.chunks, self.stats.bytes_read, self.stats.largest_chunk = 1, len(body), len(body)
        if not isinstance(value, dict):
            self.stats.skipped += 1
            return []
        if value.get("error") and not value.get("output"):
            return self.take({"type": "error", **value})
        ending = value.get("status") if value.get("status") in ("failed", "incomplete") else "completed"
        return self.take({"type": f"response.{ending}", "response": value})

    def take(self, event: dict[str, Any]) -> list[Update]:
        """Take one event; its ``type`` decides what it means, and unknown ones mean nothing."""
        kind = str(event.get("type"))
        self.types[safe_label(kind) or "unknown"] += 1
        item = event.get("item")
        if "partial" in kind:
            return self._preview(event)
        if kind == "response.output_item.added" and isinstance(item, dict):
            self._begun(item)
        elif kind.startswith("response.image_generation_call."):
            self._begun({"type": "image_generation_call", "id": event.get("item_id")})
        elif kind == "response.output_item.done" and isinstance(item, dict):
            return self._item(kind, item)
        elif kind == "response.output_text.delta":
            self._deltas.append(str(event.get("delta", "")))
        elif kind in ("response.completed", "response.failed", "response.incomplete"):
            return self._ending(kind, event.get("response"))
        elif kind == "error":
            self.error = errors.failure(complaint.of_value(event), self.lane)
        return []

    def closing(self) -> list[Update]:
        """What is to be told at the end, whether it was a good one or not."""
        updates: list[Update] = []
        if self._extra:
            text = "The model made more pictures than were asked for; those were not kept."
            updates.append(Notice("EXTRA_IMAGES_IGNORED", text, {"extraIgnored": len(self._extra)}))
        if any(self._broken) and self._taken:
            text = "The model sent something in place of a picture that is none."
            updates.append(Notice("IMAGE_UNREADABLE", text, {"unreadable": len(self._broken)}))
        if self.incomplete and self._taken:
            updates.append(Notice("RESPONSE_INCOMPLETE", "The model stopped before it was done."))
        if self.usage is not None or self.searches:
            updates.append(Usage(self.usage, self.searches))
        return updates

    def _begun(self, item: dict[str, Any]) -> None:
        if item.get("type") == "image_generation_call":
            self.image_seen = True
            if (name := str(item.get("id"))) not in self._calls:
                self._calls.append(name)

    def _preview(self, event: dict[str, Any]) -> list[Update]:
        if not self.previews or self.error:
            return []
        nested = event.get("item")
        holders = [event, nested] if isinstance(nested, dict) else [event]
        text = next(
            (holder[name] for holder in holders for name in _PREVIEWS if isinstance(holder.get(name), str)), None
        )
        picture = picture_of(text)
        if picture is None:
            return []
        name = str(event.get("item_id"))
        place = self._calls.index(name) if name in self._calls else self.pictures
        return [Partial(picture, self.index + place)] if place < self.most else []

    def _item(self, kind: str, item: dict[str, Any]) -> list[Update]:
        self._begun(item)
        self.items.append(_summary(kind, item))
        match item.get("type"):
            case "image_generation_call":
                return self._image(item)
            case "web_search_call":
                self.searches += 1
            case "message":
                self._message(item)
        return []

    def _image(self, item: dict[str, Any]) -> list[Update]:
        result = item.get("result")
        if item.get("status") == "failed" or item.get("error"):
            self.image_failed = complaint.of_value(item.get("error") or {})
        elif item.get("status") == "completed" or result:
            self.image_completed = True
        if not isinstance(result, str) or any(result in seen for seen in (self._taken, self._extra, self._broken)):
            return []
        if len(self._taken) >= self.most:
            self._extra += [result] if result else []
            return []
        picture = picture_of(result)
        if picture is None:
            self._broken.append(result)
            return []
        self._taken.append(result)
        told = item.get("revised_prompt")
        artifact = Artifact(
            picture, self.index + len(self._taken) - 1, told if isinstance(told, str) and told else None
        )
        return [Phase("decoding"), artifact] if len(self._taken) == 1 else [artifact]

    def _message(self, item: dict[str, Any]) -> None:
        self.message_seen = True
        content = item.get("content")
        for part in content if isinstance(content, list) else []:
            if not isinstance(part, dict):
                continue
            if part.get("type") == "refusal":
                self.refused = True
            elif isinstance(part.get("text"), str):
                self._texts.append(part["text"])

    def _ending(self, kind: str, response: object) -> list[Update]:
        if not isinstance(response, dict):
            return []
        self.stats.saw_completed |= kind == "response.completed"
        if isinstance(response.get("usage"), dict):
            self.usage = response["usage"]
        self.searches = max(self.searches, _requests(response))
        updates: list[Update] = []
        for item in response.get("output") or []:
            if isinstance(item, dict) and item.get("type") == "image_generation_call":
                self._begun(item)
                updates += self._image(item)
            elif isinstance(item, dict) and item.get("type") == "message" and not self.message_seen:
                self._message(item)
        if kind == "response.failed":
            self.error = errors.failure(complaint.of_value(response.get("error") or {}), self.lane)
        elif kind == "response.incomplete":
            details = response.get("incomplete_details")
            reason = details.get("reason") if isinstance(details, dict) else None
            self.incomplete = safe_label(reason) or "unknown"
        return updates


def _requests(response: dict[str, Any]) -> int:
    used: Any = response.get("tool_usage")
    for name in ("web_search", "num_requests"):
        used = used.get(name) if isinstance(used, dict) else None
    return used if isinstance(used, int) else 0


def _summary(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    result, told, error = item.get("result"), item.get("revised_prompt"), item.get("error")
    error = error if isinstance(error, dict) else {}
    return {
        "eventType": kind,
        "itemType": safe_label(item.get("type")),
        "status": safe_label(item.get("status")),
        "hasResult": isinstance(result, str) and bool(result),
        "resultChars": len(result) if isinstance(result, str) else 0,
        "revisedPromptChars": len(told) if isinstance(told, str) else 0,
        "hasError": bool(item.get("error")),
        "errorCode": safe_label(error.get("code")),
        "errorType": safe_label(error.get("type")),
        "errorParam": safe_label(error.get("param")),
    }
