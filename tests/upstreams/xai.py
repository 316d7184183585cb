"""A fake of xAI's API, of the media host it points to, and of a progrok proxy in front of it, as strict as they are.

Words in the prompt choose what goes wrong, and where: ``search:``, ``plan:``, ``draw:`` or ``order:`` followed by

- any step: fail<HTTP status> wrongkey moderated html notjson hang
- ``search``: nomessage blank two; ``plan``: notool wrongname badjson blank othermodel words
- ``draw``: empty nourl blocked inline badinline; ``draw2:…`` is for the second picture of a sequence only
- ``media``: see `tests.upstreams.xai_media`
- ``clip``: see `tests.upstreams.xai_clips`

Error texts hold `MARKER`, which must never reach a user, nor may the prompt they repeat. ``state["xai.tokens"]`` are
the bearer tokens taken, ``state["xai.draws"]`` a list of words, one for each image call to come.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.upstreams.world import World, base64_picture

MARKER = "UPSTREAM-SAID-THIS"
KEY = "xai-0123456789"
IMAGE_COST, SEARCH_COST = 200_000_000, 61_000_000
MODELS = ("grok-4.3", "grok-imagine-image", "grok-imagine-image-quality", "grok-imagine-video")
RATIOS = frozenset(
    ("auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20")
)
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


def error(status: int, text: str = "") -> Response:
    """An error in xAI's shape: ``error`` is a string."""
    said = f"{MARKER} sk-secret {text}"
    return JSONResponse({"code": _CODES.get(status, "Internal error"), "error": said}, status, {"retry-after": "7"})


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
    known = {
        "model",
        "prompt",
        "n",
        "response_format",
        "aspect_ratio",
        "resolution",
        *(("image", "images") if edit else ()),
    }
    sources = body.get("images", [body["image"]] if "image" in body else [])
    if set(body) - known or not isinstance(sources, list):
        return error(422, f"unknown field {set(body) - known}")
    if not all(isinstance(one, dict) and one.get("type") == "image_url" and one.get("url") for one in sources):
        return error(422, "sources")
    wrong = (
        body.get("model") not in MODELS
        or body.get("n") != 1
        or body.get("response_format") != "url"
        or body.get("aspect_ratio") not in RATIOS
        or body.get("resolution", "1k") not in ("1k", "2k")
        or (edit and not 1 <= len(sources) <= 3)
        or ("image" in body and "images" in body)
    )
    return error(400, "fields") if wrong else None


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
        bad = await trouble(request, world, "search", text)
        words = asked(text, "search")
        usage = {"total_tokens": 1050, "cost_in_usd_ticks": SEARCH_COST}
        return bad or JSONResponse(
            {"id": "resp_1", "status": "completed", "output": _search_output(words), "usage": usage}
        )

    async def completions(request: Request) -> Response:
        body = await world.note(request)
        text = user_words(body)
        if bad := await trouble(request, world, "plan", text):
            return bad
        function = body["tool_choice"]["function"]["name"]
        message = _plan_message(text, function, asked(text, "plan"))
        return JSONResponse(
            {"id": "chat_1", "choices": [{"index": 0, "message": message}], "usage": {"total_tokens": 9}}
        )

    async def images(request: Request) -> Response:
        body = await world.note(request)
        if not isinstance(body, dict):
            return error(415)
        script = world.state.get("xai.draws") or []
        text = body.get("prompt", "") + (f" draw:{script.pop(0)}" if script else "")
        if bad := await trouble(request, world, "draw", text):
            return bad
        edit = request.url.path.endswith("edits")
        fault = image_fault(body, edit=edit)
        usage = {"cost_in_usd_ticks": IMAGE_COST}
        return fault or JSONResponse({"data": _drawn(world, text), "usage": usage})

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
    if "empty" in words:
        return []
    if "nourl" in words:
        return [{"revised_prompt": ""}]
    if "blocked" in words:
        return [{"respect_moderation": False, "revised_prompt": ""}]
    if "inline" in words:
        return [{"b64_json": base64_picture(fmt="JPEG"), "revised_prompt": "xai's words"}]
    if "badinline" in words:
        return [{"b64_json": "not base64!"}]
    number = world.state["xai.files"] = world.state.get("xai.files", 0) + 1
    kinds = sorted(asked(text, "media")) or ["ok"]
    return [{"url": f"{world.base_url}/xai-media/{kinds[0]}/{number}.jpeg", "revised_prompt": "xai's words"}]
