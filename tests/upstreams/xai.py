"""A fake of xAI's API, of the media host it points to, and of a progrok proxy in front of it, as strict as they are.

Words in the prompt choose what goes wrong, and where: ``search:``, ``plan:``, ``draw:`` or ``order:`` followed by

- any step: fail<HTTP status> wrongkey moderated html notjson hang place (an unsupported country) quota200 (an error
  in a 200) huge (a gigabyte, compressed) redirected late (Retry-After as a date)
- ``search``: nomessage blank two refused; ``plan``: notool wrongname badjson blank othermodel words
- ``draw``: empty nourl blocked blockreason inline dataurl wrapped half badinline twice; ``draw2:…`` is for the second
  picture of a sequence only
- ``media``: see `tests.upstreams.xai_media`
- ``clip``: see `tests.upstreams.xai_clips`

Error texts hold `MARKER`, which must never reach a user, nor may the prompt they repeat. ``state["xai.tokens"]`` are
the bearer tokens taken, ``state["xai.draws"]`` a list of words, one for each image call to come, ``state["xai.gone"]``
the models that are not there any more, ``state["xai.serves"]`` which model does the work of another.

Fields, models and limits: docs.x.ai and xai-sdk 1.21.0, as of November 2026.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import zlib
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstreams.world import World, base64_picture, picture

MARKER = "UPSTREAM-SAID-THIS"
KEY = "xai-0123456789"
IMAGE_COST, SEARCH_COST, PLAN_COST = 200_000_000, 61_000_000, 12_000_000
SECOND = "grok-imagine-image-2.0"
MODELS = (
    "grok-4.3",
    "grok-4.6",
    "grok-imagine-image",
    "grok-imagine-image-quality",
    SECOND,
    "grok-imagine-video",
    "grok-imagine-video-1.5",
)
SERVED = {"grok-imagine-image-quality": SECOND}
"""Names that another model serves (docs.x.ai, migration of 2 November 2026)."""
RATIOS = frozenset(
    ("auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20")
)
NEWER_RATIOS = frozenset(("21:9", "5:2"))
_CODES = {
    400: "Client specified an invalid argument",
    401: "Unauthenticated",
    403: "The caller does not have permission to execute the specified operation",
    404: "Some requested entity was not found",
    429: "Some resource has been exhausted",
}
_CARRIED = re.compile(r"\b(?:draw\d?|media|order|clip):\w+")


def tokens(world: World) -> set[str]:
    """The bearer tokens that are taken."""
    found: set[str] = world.state.setdefault("xai.tokens", {KEY})
    return found


def asked(text: str, step: str) -> set[str]:
    """The words a prompt has for a step."""
    return set(re.findall(rf"\b{step}:(\w+)", text))


def error(status: int, text: str = "", retry_after: str = "7") -> Response:
    """An error in xAI's shape: ``error`` is a string."""
    said = f"{MARKER} sk-secret {text}"
    body = {"code": _CODES.get(status, "Internal error"), "error": said}
    return JSONResponse(body, status, {"retry-after": retry_after})


def served(world: World, model: str) -> str:
    """The model that does the work of the one that was ordered."""
    return str({**SERVED, **world.state.get("xai.serves", {})}.get(model, model))


def gone(world: World, model: object) -> Response | None:
    """404 for a model that is not there (any more)."""
    if model not in world.state.get("xai.gone", ()):
        return None
    return error(404, f"The model {model} does not exist or your team does not have access to it.")


async def trouble(request: Request, world: World, step: str, text: str) -> Response | None:
    """What is wrong with a request before it is looked into, by its headers and by the words for its step."""
    bad = refused(request, world)
    if bad:
        return bad
    await world.wait(text)
    words = asked(text, step)
    if "hang" in words:
        await asyncio.sleep(3600)
    if "html" in words:
        return HTMLResponse(f"<html>{MARKER}</html>", 502)
    if "notjson" in words:
        return Response(b"{not json", media_type="application/json")
    if "moderated" in words:
        return error(400, f"Generated image was rejected by content moderation: {text}")
    if "place" in words:
        return error(403, "This service is not available: your region is not supported.")
    if "quota200" in words:
        return JSONResponse({"code": _CODES[429], "error": f"{MARKER} Your team has used all available credits."})
    if "huge" in words:
        return StreamingResponse(_huge(), headers={"content-type": "application/json", "content-encoding": "gzip"})
    if "redirected" in words:
        return RedirectResponse("https://elsewhere.example/v1", 308)
    if "late" in words:
        return error(429, text, "Fri, 01 Jan 2100 00:00:00 GMT")
    if "wrongkey" in words:
        return error(400, "Incorrect API key provided: xa***90")
    status = next((int(word[4:]) for word in words if re.fullmatch(r"fail\d{3}", word)), None)
    return error(status, text) if status else None


def refused(request: Request, world: World) -> Response | None:
    """401 without a credential (400 for a wrong key), 415 for anything but JSON. A proxy asks for no credential."""
    if request.method == "POST" and request.headers.get("content-type") != "application/json":
        return error(415)
    authorization = request.headers.get("authorization")
    if not request.url.path.startswith("/xai/"):
        return None
    if authorization is None:
        return error(401)
    if authorization.removeprefix("Bearer ") not in tokens(world):
        return error(400, "Incorrect API key provided") if "xai-" in authorization else error(401)
    return None


@lru_cache
def _piece() -> bytes:
    """Sixteen mebibytes of blanks, as a piece of a compressed stream that can be repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(b" " * (16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)


async def _huge() -> AsyncIterator[bytes]:
    """A gigabyte of blanks in a megabyte of gzip."""
    yield b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    for _ in range(64):
        yield _piece()
        await asyncio.sleep(0)


def user_words(body: Any) -> str:
    """What the user's side of a request says; the rules given to a model are left out."""
    turns = body.get("input") or body.get("messages") or []
    texts: list[str] = []
    for turn in turns:
        if turn["role"] == "user":
            content = turn["content"]
            texts += [content] if isinstance(content, str) else [part.get("text") or "" for part in content]
    return " ".join(texts)


def _search_output(words: set[str]) -> list[dict[str, Any]]:
    call = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
    if "refused" in words:
        return [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": MARKER}]}]
    texts = [] if "nomessage" in words else ["  "] if "blank" in words else ["Brief: red.", "Lettering: none."]
    texts = texts if "two" in words else texts[:1]
    return [call] + [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text, "annotations": []}]}
        for text in texts
    ]


def _plan_message(text: str, function: str, words: set[str]) -> dict[str, Any]:
    number = re.search(r"Image (\d+) of", text)
    carried = _CARRIED.findall(text)
    if number:
        carried = [re.sub(rf"^draw{number[1]}:", "draw:", word) for word in carried]
    prompt = " ".join(["a planned prompt, precise", *carried])
    arguments = json.dumps({"prompt": "  " if "blank" in words else prompt, "model": "some-other-model"})
    called = {"name": "draw_me" if "wrongname" in words else function, "arguments": arguments}
    if "badjson" in words:
        called["arguments"] = "{broken"
    if "notool" in words:
        return {"role": "assistant", "content": "A plan in words."}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": called}]}


def image_fault(body: dict[str, Any], *, edit: bool) -> Response | None:
    """What xAI has against the fields of an image call."""
    second = body.get("model") == SECOND
    known = {"model", "prompt", "n", "response_format", "aspect_ratio", "resolution"}
    known |= ({"image", "images"} if edit else set()) | ({"quality"} if second else set())
    sources = body.get("images", [body["image"]] if "image" in body else [])
    if set(body) - known or not isinstance(sources, list):
        return error(422, f"unknown field {set(body) - known}")
    if not all(is_picture(one, "image_url") for one in sources):
        return error(422, "sources")
    wrong = (
        body.get("model") not in MODELS
        or body.get("n") != 1
        or body.get("response_format") != "url"
        or body.get("aspect_ratio") not in (RATIOS | NEWER_RATIOS if second else RATIOS)
        or body.get("resolution", "1k") not in ("1k", "2k")
        or body.get("quality", "low") not in ("low", "medium")
        or (edit and not 1 <= len(sources) <= (5 if second else 3))
        or ("image" in body and "images" in body)
    )
    return error(400, "fields") if wrong else None


def is_picture(value: Any, kind: str = "") -> bool:
    """Whether a value is a picture as xAI takes it: a file id alone, or an address, with its ``type`` where due."""
    if not isinstance(value, dict):
        return False
    if "file_id" in value:
        return set(value) == {"file_id"}
    return bool(value.get("url")) and (not kind or value.get("type") == kind)


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks this fake with a key. Its clips are done after a few polls."""
    return {"IMA2_XAI_BASE_URL": f"{base_url}/xai/v1", "XAI_API_KEY": KEY, "IMA2_GROK_VIDEO_POLL_INTERVAL_MS": "500"}


def routes(world: World) -> list[Route]:
    """xAI's API below ``/xai/v1`` and its media below ``/xai-media``; clips and accounts have modules of their own."""
    from tests.upstreams import xai_accounts, xai_clips, xai_media

    return [
        *_api(world, "/xai/v1"),
        *xai_media.routes(world),
        *xai_clips.routes(world, "/xai/v1"),
        *xai_accounts.routes(world),
    ]


def proxy_routes(world: World) -> list[Route]:
    """A progrok proxy, for a port of its own: it brings the authorization, so callers have none."""
    from tests.upstreams import xai_clips, xai_media

    async def health(request: Request) -> Response:
        await world.note(request)
        return JSONResponse({"status": "ok", "upstream": "xAI Grok", "proxy": "progrok"})

    return [Route("/health", health), *_api(world, "/v1"), *xai_media.routes(world), *xai_clips.routes(world, "/v1")]


def _api(world: World, base: str) -> list[Route]:
    async def responses(request: Request) -> Response:
        body = await world.note(request)
        text = user_words(body)
        bad = await trouble(request, world, "search", text) or gone(world, body.get("model"))
        words = asked(text, "search")
        usage = {"total_tokens": 1050, "cost_in_usd_ticks": SEARCH_COST}
        return bad or JSONResponse(
            {
                "id": "resp_1",
                "model": served(world, body["model"]),
                "status": "completed",
                "error": None,
                "output": _search_output(words),
                "usage": usage,
            }
        )

    async def completions(request: Request) -> Response:
        body = await world.note(request)
        text = user_words(body)
        if bad := await trouble(request, world, "plan", text) or gone(world, body.get("model")):
            return bad
        function = body["tool_choice"]["function"]["name"]
        message = _plan_message(text, function, asked(text, "plan"))
        return JSONResponse(
            {
                "id": "chat_1",
                "model": served(world, body["model"]),
                "choices": [{"index": 0, "message": message}],
                "usage": {"total_tokens": 9, "cost_in_usd_ticks": PLAN_COST},
            }
        )

    async def images(request: Request) -> Response:
        body = await world.note(request)
        if not isinstance(body, dict):
            return error(415)
        script = world.state.get("xai.draws") or []
        text = body.get("prompt", "") + (f" draw:{script.pop(0)}" if script else "")
        if bad := await trouble(request, world, "draw", text) or gone(world, body.get("model")):
            return bad
        edit = request.url.path.endswith("edits")
        fault = image_fault(body, edit=edit)
        usage = {"cost_in_usd_ticks": IMAGE_COST}
        if fault:
            return fault
        answer = {"data": _drawn(world, text), "model": served(world, body["model"]), "usage": usage}
        return JSONResponse(answer | ({"block_reason": "moderated_output"} if "draw:blockreason" in text else {}))

    async def models(request: Request) -> Response:
        await world.note(request)
        bad = refused(request, world)
        if status := world.state.get("xai.models_status"):
            return error(status)
        ids = world.state.get("xai.models", MODELS)
        return bad or JSONResponse({"object": "list", "data": [{"id": one, "object": "model"} for one in ids]})

    return [
        Route(f"{base}/responses", responses, methods=["POST"]),
        Route(f"{base}/chat/completions", completions, methods=["POST"]),
        Route(f"{base}/images/generations", images, methods=["POST"]),
        Route(f"{base}/images/edits", images, methods=["POST"]),
        Route(f"{base}/models", models),
    ]


def _drawn(world: World, text: str) -> list[dict[str, Any]]:
    words = asked(text, "draw")
    if words & {"empty", "blockreason"}:
        return []
    if "nourl" in words:
        return [{"revised_prompt": ""}]
    if "blocked" in words:
        return [{"respect_moderation": False, "revised_prompt": ""}]
    if "inline" in words:
        return [{"b64_json": base64_picture(fmt="JPEG"), "revised_prompt": "xai's words"}]
    if "dataurl" in words:
        return [{"b64_json": f"data:image/jpeg;base64,{base64_picture(fmt='JPEG')}", "mime_type": "image/jpeg"}]
    if "wrapped" in words:
        lines = base64.encodebytes(picture(fmt="JPEG")).decode()
        return [{"b64_json": lines.replace("+", "-").replace("/", "_").rstrip("=\n")}]
    if "half" in words:
        return [{"b64_json": base64.b64encode(picture(fmt="JPEG")[:-40]).decode()}]
    if "badinline" in words:
        return [{"b64_json": "not base64!"}]
    number = world.state["xai.files"] = world.state.get("xai.files", 0) + 1
    kinds = sorted(asked(text, "media")) or ["ok"]
    item = {"url": f"{world.base_url}/xai-media/{kinds[0]}/{number}.jpeg", "revised_prompt": "xai's words"}
    return [item] * (2 if "twice" in words else 1)
