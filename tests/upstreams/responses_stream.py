"""The events of one call, and how they travel."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Send

from tests.upstreams.responses_checks import image_tool
from tests.upstreams.responses_errors import MARKER, usage_limit
from tests.upstreams.world import base64_picture

Event = dict[str, Any]
USAGE = {
    "input_tokens": 310,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 58,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 368,
}
TOOL_USAGE = {
    "input_tokens": 1300,
    "output_tokens": 4160,
    "total_tokens": 5460,
    "input_tokens_details": {"text_tokens": 300, "image_tokens": 1000},
}
CUT, STALL = "cut", "stall"
REVISED = "A red kite over dunes, late light."


def told(kind: str, words: str) -> str:
    """What follows ``KIND_`` in the prompt, else an empty text."""
    match = re.search(rf"\b{kind}_([a-z_]+)", words)
    return match[1] if match else ""


def events(body: dict[str, Any], words: str, *, codex: bool) -> Iterator[Event | str]:
    """The events a prompt provokes. ``codex`` is ChatGPT's way: the closing event repeats no output."""
    start = {"id": "resp_1", "object": "response", "status": "in_progress", "output": [], **_models(body, words)}
    yield {"type": "response.created", "response": start}
    yield {"type": "response.in_progress", "response": {"id": "resp_1", "status": "in_progress"}}
    if "STALL" in words:
        yield STALL
    if "STREAMERR" in words:
        yield {"type": "error", "error": {"type": "server_error", "code": "server_error", "message": MARKER}}
        return
    if code := told("FLATERR", words):
        yield {"type": "error", "code": code, "message": f"It broke. {MARKER}", "param": None}
        return
    if "USAGEERR" in words:
        yield {"type": "error", "status_code": 429, "error": usage_limit(), "headers": {}}
        return
    output: list[Event] = []
    for event in _work(body, words):
        if isinstance(event, dict) and event["type"] == "response.output_item.done":
            output.append(event["item"])
            if "LATEONLY" in words:
                continue
        yield event
    yield from _ending(words, [] if codex else output, output)


def used(words: str, field: str) -> str | None:
    """What an answer is to name as really used: ``USEDquality_low`` and the like."""
    match = re.search(rf"\bUSED{field}_([A-Za-z0-9.-]+)", words)
    return match[1] if match else None


def _models(body: dict[str, Any], words: str) -> Event:
    """The models that an answer names: who was asked, and with what it draws."""
    tool = image_tool(body)
    drawing = used(words, "drawing") or (tool or {}).get("model")
    tools = [{**tool, "model": drawing, "input_image_mask": None}] if tool and drawing else []
    return {"model": used(words, "model") or body["model"], "tools": tools}


def _work(body: dict[str, Any], words: str) -> Iterator[Event | str]:
    if any(tool["type"] == "web_search" for tool in body.get("tools") or []) or "SEARCHONLY" in words:
        yield from _item(0, {"id": "ws_1", "type": "web_search_call", "status": "completed"})
    tool = image_tool(body)
    if tool is None or "TEXTONLY" in words or "REFUSALPART" in words:
        yield from _message(words)
    elif "SEARCHONLY" not in words:
        yield from _pictures(tool, words)


def _item(place: int, item: Event) -> Iterator[Event]:
    begun = {name: value for name, value in item.items() if name in ("id", "type")}
    yield {
        "type": "response.output_item.added",
        "output_index": place,
        "item": {**begun, "status": "in_progress"},
    }
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _message(words: str) -> Iterator[Event]:
    if "WORDLESS" in words:
        return
    text = '{"title": "A kite"}' if "SCHEMA" in words else "A kite is a toy that flies. — It needs wind."
    part: Event = {"type": "output_text", "text": text, "annotations": []}
    if "REFUSALPART" in words:
        part = {"type": "refusal", "refusal": f"I cannot help with that. {MARKER}"}
    else:
        for piece in (text[:9], text[9:]):
            yield {"type": "response.output_text.delta", "item_id": "msg_1", "delta": piece}
        yield {"type": "response.output_text.done", "item_id": "msg_1", "text": text}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    yield from _item(1, item)


def _pictures(tool: Event, words: str) -> Iterator[Event | str]:
    match = re.search(r"\bMULTI([0-9])", words)
    count = int(match[1]) if match else 2 if "TWINS" in words else 1
    fmt = str(tool.get("output_format", "png"))
    for number in range(count):
        item = {"id": f"ig_{number}", "type": "image_generation_call", "status": "in_progress"}
        yield {"type": "response.output_item.added", "output_index": number, "item": item}
        for stage in ("in_progress", "generating"):
            yield {"type": f"response.image_generation_call.{stage}", "output_index": number, "item_id": item["id"]}
        if "EARLY" in words:
            return
        for place in range(int(tool.get("partial_images") or 0)):
            yield {
                "type": "response.image_generation_call.partial_image",
                "output_index": number,
                "item_id": item["id"],
                "partial_image_index": place,
                "partial_image_b64": base64_picture(fmt=fmt.upper(), seed=50 + place, width=160, height=120),
            }
        if "EMPTY" in words:
            continue
        if "CUT" in words.split():
            yield CUT
        seed = 0 if "TWINS" in words else number
        done = {**item, **_result(words, base64_picture(fmt=fmt.upper(), seed=seed)), "output_format": fmt}
        done |= {name: value for name in ("quality", "size", "background") if (value := used(words, name))}
        yield {"type": "response.output_item.done", "output_index": number, "item": done}
        if "LATEERR" in words:
            yield {"type": "error", "code": "server_error", "message": MARKER}
            return
        if "LATECUT" in words:
            yield CUT


def wrapped(words: str, picture: str) -> str:
    """A picture's base64 as some service would send it."""
    if "TRUNCATED" in words:
        picture = picture[: len(picture) // 2 // 4 * 4]
    if "NOPAD" in words:
        picture = picture.rstrip("=")
    if "URLSAFE" in words:
        picture = picture.translate(str.maketrans("+/", "-_"))
    if "LINEBREAKS" in words:
        picture = "\r\n".join(picture[at : at + 76] for at in range(0, len(picture), 76))
    return f"data:image/png;base64,{picture}" if "DATAHEAD" in words else picture


def _result(words: str, picture: str) -> Event:
    done: Event = {"status": "completed", "result": wrapped(words, picture), "revised_prompt": REVISED}
    if "TOOLFAIL" in words:
        done = {"status": "failed", "error": {"code": "server_error", "message": MARKER}}
    elif "TOOLMOD" in words:
        done = {"status": "failed", "error": {"code": "moderation_blocked", "message": MARKER}}
    elif "NORESULT" in words:
        done = {"status": "completed"}
    elif "BLANKRESULT" in words:
        done["result"] = ""
    elif "NOTBASE64" in words:
        done["result"] = "this is not base64!"
    elif "NOTPICTURE" in words:
        done["result"] = "bm8gcGljdHVyZQ=="
    elif "GENERATING" in words:
        done["status"] = "generating"
    return done


def _ending(words: str, output: list[Event], made: list[Event]) -> Iterator[Event]:
    searches = sum(item["type"] == "web_search_call" for item in made)
    response: Event = {"id": "resp_1", "status": "completed", "output": output, "usage": USAGE}
    response["tool_usage"] = {"web_search": {"num_requests": searches}}
    if "TOKENS" in words:
        response["tool_usage"]["image_gen"] = TOOL_USAGE
    if code := told("FAILED", words):
        response |= {"status": "failed", "error": {"code": code, "message": MARKER}}
    elif reason := told("INCOMPLETE", words):
        response |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
    if "EARLY" not in words:
        yield {"type": f"response.{response['status']}", "response": response}


class Stream(StreamingResponse):
    """An event stream that can be cut: the connection then ends in the middle of an event."""

    def __init__(self, body: dict[str, Any], words: str, *, codex: bool) -> None:
        headers = {"content-encoding": "gzip"} if {"GZIP", "BOMB"} & set(words.split()) else None
        self._cut = False
        labels = {"NOLABEL": None, "TEXTLABEL": "text/plain", "JSONLABEL": "application/json"}
        label = next((label for word, label in labels.items() if word in words), "text/event-stream")
        super().__init__(self._chunks(body, words, codex), media_type=label, headers=headers)

    async def _chunks(self, body: dict[str, Any], words: str, codex: bool) -> AsyncIterator[bytes]:
        if "BOMB" in words:
            yield gzip.compress(b"data: " + b"a" * 32_000_000 + b"\n\n")
            return
        if "BLANKHEAD" in words:
            yield b"\r\n \n"
        if "GARBAGE" in words:
            yield b"data: {not json\n\n"
            return
        whole: list[bytes] = []
        for number, event in enumerate(events(body, words, codex=codex)):
            if isinstance(event, str):
                if event == STALL:
                    await asyncio.sleep(3600)
                self._cut = True
                yield b'data: {"type":"response.output_item.done","item":{"result":"iVBORw0KGgo'
                return
            whole.append(_encoded({**event, "sequence_number": number}, words))
            if not {"GZIP", "DRIP", "NOBLANK"} & set(words.split()):
                yield whole.pop()
        data = b"".join(whole) + (b"" if codex or "NOBLANK" in words else b"data: [DONE]\n\n")
        data = data.rstrip(b"\r\n") if "NOBLANK" in words else data
        data = gzip.compress(data) if "GZIP" in words else data
        step = 1 if "DRIP" in words else 65_536
        for at in range(0, len(data), step):
            yield data[at : at + step]

    async def stream_response(self, send: Send) -> None:
        """As the framework does, but without a proper end when the stream was cut."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for chunk in self.body_iterator:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if not self._cut:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _encoded(event: Event, words: str) -> bytes:
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":"))]
    if "ODDLINES" in words:
        lines = json.dumps(event, ensure_ascii=False, indent=1).split("\n")
    parts = [f"event: {event['type']}", *(f"data: {line}" for line in lines), ""]
    if "ODDLINES" in words:
        parts = [": keepalive", "", "id: 7", "retry: 100", *parts]
    end = "\r\n" if "CRLF" in words else "\n"
    return "".join(part + end for part in parts).encode()
