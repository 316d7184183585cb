"""What one call's events add up to: updates as they come, and what is known at the end.

A picture is taken from ``response.output_item.done``, or from the closing event where only that holds it; the ChatGPT
backend never repeats pictures there. The status of an image call is not believed: its result is.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from ima2 import (
    Artifact,
    Ima2Error,
    Json,
    MediaError,
    Notice,
    Partial,
    Phase,
    Picture,
    Update,
    Usage,
    safe_label,
)
from ima2_plugins.openai import errors
from ima2_plugins.openai.pictures import read_picture
from ima2_plugins.openai.pricing import drawing_cost
from ima2_plugins.openai.sse import StreamStats
from ima2_plugins.openai.upstream_error import UpstreamError, parse_value

_PREVIEWS = ("partial_image_b64", "partial_image", "image", "result")
_USED = {"quality": "quality", "size": "size", "background": "background", "output_format": "format"}
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}")


@dataclass(slots=True)
class ResponseReader:
    """The state of one call. ``most`` pictures are taken, the first as number ``index``.

    ``model`` and ``drawing`` are what was asked for; what the answer names in their place is told. ``priced`` says
    whether drawing is paid by tokens, ``pictures_in`` whether the request held pictures.
    """

    upstream: errors.Upstream
    most: int = 1
    index: int = 0
    previews: bool = False
    model: str = ""
    drawing: str = ""
    replaced: bool = False
    priced: bool = False
    pictures_in: bool = False
    shared: bool = False
    facts: dict[str, Json] = field(default_factory=dict)
    stats: StreamStats = field(default_factory=StreamStats)
    types: Counter[str] = field(default_factory=Counter)
    items: list[dict[str, Any]] = field(default_factory=list)
    error: Ima2Error | None = None
    incomplete: str | None = None
    refused: bool = False
    image_seen: bool = False
    image_completed: bool = False
    image_failed: UpstreamError | None = None
    unreadable: MediaError | None = None
    message_seen: bool = False
    searches: int = 0
    usage: dict[str, Any] | None = None
    _served: str = ""
    _drew: str = ""
    _image_usage: Any = None
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

    @property
    def served(self) -> str | None:
        """The model that answered, where it is another than the one that was asked for. A dated snapshot of that
        counts as the same."""
        name = self._served
        same = not name or name == self.model or bool(_SNAPSHOT.fullmatch(name.removeprefix(self.model)))
        return (self.model if self.replaced else None) if same else name

    # -- taking in --------------------------------------------------------------------------------

    def read_event(self, data: bytes | memoryview) -> list[Update]:
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

    def read_json(self, body: bytes) -> list[Update]:
        """Take an answer that came as one JSON object instead of a stream; an error in it is one, whatever the
        status."""
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            value = None
        self.stats.chunks, self.stats.bytes_read, self.stats.largest_chunk = 1, len(body), len(body)
        if not isinstance(value, dict):
            self.stats.skipped += 1
            return []
        value = _as_response(value)
        if (value.get("error") or value.get("detail")) and not value.get("output"):
            return self.take({"type": "error", **value})
        ending = value.get("status") if value.get("status") in ("failed", "incomplete") else "completed"
        return self.take({"type": f"response.{ending}", "response": value})

    def take(self, event: dict[str, Any]) -> list[Update]:
        """Take one event; its ``type`` decides what it means, and unknown ones mean nothing."""
        kind = str(event.get("type"))
        self.types[safe_label(kind) or "unknown"] += 1
        item, response = event.get("item"), event.get("response")
        if isinstance(response, dict):
            self._name_models(response)
        if "partial" in kind:
            return self._preview(event)
        if kind == "response.output_item.added" and isinstance(item, dict):
            self._begin(item)
        elif kind.startswith("response.image_generation_call."):
            self._begin({"type": "image_generation_call", "id": event.get("item_id")})
        elif kind == "response.output_item.done" and isinstance(item, dict):
            return self._item(kind, item)
        elif kind == "response.output_text.delta":
            self._deltas.append(str(event.get("delta", "")))
        elif kind in ("response.completed", "response.failed", "response.incomplete"):
            return self._end(kind, response)
        elif kind == "error":
            self.error = errors.failure(parse_value(event), self.upstream, model=self.model)
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
        if self._taken and self._other_drawing():
            text = f"{self._drew} drew the picture, not {self.drawing}."
            details = {"field": "drawingModel", "requested": self.drawing, "used": self._drew}
            updates.append(Notice("DRAWING_MODEL_DIFFERS", text, details))
        if self.usage is not None or self.searches or self._image_usage is not None:
            updates.append(Usage(self.usage, self.searches, self._cost(), None if self.shared else self.index))
        return updates

    # -- items ------------------------------------------------------------------------------------

    def _begin(self, item: dict[str, Any]) -> None:
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
        picture = read_picture(text)
        if not isinstance(picture, Picture):
            return []
        name = str(event.get("item_id"))
        place = self._calls.index(name) if name in self._calls else self.pictures
        return [Partial(picture, self.index + place)] if place < self.most else []

    def _item(self, kind: str, item: dict[str, Any]) -> list[Update]:
        self._begin(item)
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
            self.image_failed = parse_value(item.get("error") or {})
        elif item.get("status") == "completed" or result:
            self.image_completed = True
        if not isinstance(result, str) or any(result in seen for seen in (self._taken, self._extra, self._broken)):
            return []
        if len(self._taken) >= self.most:
            self._extra += [result] if result else []
            return []
        picture = read_picture(result)
        if not isinstance(picture, Picture):
            self.unreadable = picture
            self._broken.append(result)
            return []
        self._taken.append(result)
        said = item.get("revised_prompt")
        artifact = Artifact(
            picture,
            self.index + len(self._taken) - 1,
            said if isinstance(said, str) and said else None,
            model=self.served,
            facts={**self.facts, **({"drawingModel": self._drew} if self._drew else {})},
            used={name: label for key, name in _USED.items() if (label := _plain(item.get(key)))},
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

    # -- the response as a whole ------------------------------------------------------------------

    def _name_models(self, response: dict[str, Any]) -> None:
        self._served = _plain(response.get("model")) or self._served
        tools = response.get("tools")
        for tool in tools if isinstance(tools, list) else []:
            if isinstance(tool, dict) and tool.get("type") == "image_generation":
                self._drew = _plain(tool.get("model")) or self._drew

    def _other_drawing(self) -> bool:
        drew, asked = self._drew, self.drawing
        return bool(drew and asked and drew != asked and not _SNAPSHOT.fullmatch(drew.removeprefix(asked)))

    def _end(self, kind: str, response: object) -> list[Update]:
        if not isinstance(response, dict):
            return []
        self.stats.saw_completed |= kind == "response.completed"
        if isinstance(response.get("usage"), dict):
            self.usage = response["usage"]
        used = response.get("tool_usage")
        self._image_usage = used.get("image_gen") if isinstance(used, dict) else None
        self.searches = max(self.searches, _searches(used))
        updates: list[Update] = []
        for item in response.get("output") or []:
            if isinstance(item, dict) and item.get("type") == "image_generation_call":
                self._begin(item)
                updates += self._image(item)
            elif isinstance(item, dict) and item.get("type") == "message" and not self.message_seen:
                self._message(item)
        if kind == "response.failed":
            cause = parse_value(response.get("error") or {})
            self.error = errors.failure(cause, self.upstream, model=self.model)
        elif kind == "response.incomplete":
            details = response.get("incomplete_details")
            reason = details.get("reason") if isinstance(details, dict) else None
            self.incomplete = safe_label(reason) or "unknown"
        return updates

    def _cost(self) -> float | None:
        if not self.priced:
            return None
        return drawing_cost(self._drew or self.drawing, self._image_usage, pictures_in=self.pictures_in)


def _as_response(value: dict[str, Any]) -> dict[str, Any]:
    """The answer of an endpoint for pictures alone in the shape of a response: each picture is an image call."""
    data = value.get("data")
    if not isinstance(data, list) or "output" in value:
        return value
    shared = {name: value.get(name) for name in _USED}
    output = [
        {
            **shared,
            "type": "image_generation_call",
            "id": f"image-{number}",
            "status": "completed",
            "result": one.get("b64_json"),
            "revised_prompt": one.get("revised_prompt"),
        }
        for number, one in enumerate(data)
        if isinstance(one, dict)
    ]
    return {"output": output, "usage": value.get("usage"), "error": value.get("error")}


def _searches(used: Any) -> int:
    for name in ("web_search", "num_requests"):
        used = used.get(name) if isinstance(used, dict) else None
    return used if isinstance(used, int) else 0


def _plain(value: object) -> str | None:
    """A word of an answer that may be shown and stored."""
    label = safe_label(value) if isinstance(value, str) else None
    return None if label == "_redacted" else label


def _summary(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    result, said, error = item.get("result"), item.get("revised_prompt"), item.get("error")
    error = error if isinstance(error, dict) else {}
    return {
        "eventType": kind,
        "itemType": safe_label(item.get("type")),
        "status": safe_label(item.get("status")),
        "hasResult": isinstance(result, str) and bool(result),
        "resultChars": len(result) if isinstance(result, str) else 0,
        "revisedPromptChars": len(said) if isinstance(said, str) else 0,
        "hasError": bool(item.get("error")),
        "errorCode": safe_label(error.get("code")),
        "errorType": safe_label(error.get("type")),
        "errorParam": safe_label(error.get("param")),
    }
