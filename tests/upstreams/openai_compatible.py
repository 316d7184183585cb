"""A fake of a server that speaks OpenAI's wire: pictures, edits, words and a list of models below ``/v1``.

Words in the prompt choose the answer:

- errors: FAIL<status> (401, 402, 403, 404, 413, 429, 500, 503, ...), REFUSE, REFUSEWORDS (no label, only a sentence),
  NOMODEL, PLAINERROR (``error`` is a sentence), DETAIL, ERRORIN200, HTML502, REDIRECT;
- pictures: FEWER (one less than asked for), MORE (one more), ASURL, ASRELATIVE, ASDATA, ELSEWHERE (an address on
  another server), GONEURL (404), FLAKYURL (503 once), USED<name>_<value>, REVISED;
- no picture: EMPTY, NODATA, NOTBASE64, TRUNCATED (the second of several ends early), NOTPICTURE;
- words: FILTERED, REFUSALFIELD, LENGTH, SILENT, FENCED, NOTJSON, PARTS;
- transport: GARBAGE, CUT, SLOW, HANG, LARGE (2 MB).

``state["compatible.key"]`` is the one valid key, none by default; ``state["compatible.models"]`` the rows of the list,
``None`` for a server without such a list; ``state["compatible.answer"]`` is sent in place of pictures.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.upstreams.world import Seen, World, picture

MODELS = [{"id": "flux-dev", "object": "model", "created": 0, "owned_by": "lab"}]
LABELS = {401: "invalid_api_key", 402: "insufficient_credits", 429: "rate_limit_exceeded"}


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks this fake."""
    server = {"base_url": f"{base_url}/v1", "edits": True, "words": True, "models": ["flux-dev"]}
    return {"IMA2_PLUGINS__OPENAI_COMPATIBLE__SERVERS": json.dumps({"lab": server})}


def routes(world: World) -> list[Route]:
    """The paths of the wire, and one for files."""

    async def draw(request: Request) -> Response:
        fields = await _note(world, request)
        return _stranger(world, request) or await drawn(world, fields)

    async def chat(request: Request) -> Response:
        body = await _note(world, request)
        return _stranger(world, request) or await spoken(world, body)

    async def models(request: Request) -> Response:
        await _note(world, request)
        rows = world.state.get("compatible.models", MODELS)
        if rows is None:
            return error(404, None, "Not Found")
        return _stranger(world, request) or JSONResponse({"object": "list", "data": rows})

    async def file(request: Request) -> Response:
        await _note(world, request)
        name = request.path_params["name"]
        asked = world.state[f"compatible.{name}"] = world.state.get(f"compatible.{name}", 0) + 1
        if name == "gone" or (name == "flaky" and asked == 1):
            return Response(status_code=404 if name == "gone" else 503)
        return _stranger(world, request) or Response(picture(), media_type="image/png")

    return [
        Route("/v1/images/generations", draw, methods=["POST"]),
        Route("/v1/images/edits", draw, methods=["POST"]),
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/models", models),
        Route("/files/{name}", file),
    ]


async def drawn(world: World, fields: dict[str, Any]) -> Response:
    """What a request for pictures is answered with."""
    words = str(fields.get("prompt", ""))
    await world.wait(words)
    if (trouble := _trouble(words)) is not None:
        return trouble
    if (given := world.state.get("compatible.answer")) is not None:
        return JSONResponse(given)
    count = int(fields.get("n", 1)) - ("FEWER" in words) + ("MORE" in words)
    answer: dict[str, Any] = {"created": 1, "data": [_row(world, words, place) for place in range(count)]}
    if "EMPTY" in words:
        answer["data"] = []
    if "NODATA" in words:
        del answer["data"]
    for name, value in re.findall(r"USED([a-z_]+?)_([\w.-]+)", words):
        answer[{"format": "output_format"}.get(name, name)] = value
    parts = {"image_tokens": 0, "text_tokens": 12}
    answer["usage"] = {"input_tokens": 12, "input_tokens_details": parts, "output_tokens": 30, "total_tokens": 42}
    return await _sent(words, answer)


async def spoken(world: World, body: dict[str, Any]) -> Response:
    """What a call for words is answered with."""
    question = body["messages"][-1]["content"]
    words = question if isinstance(question, str) else question[0]["text"]
    await world.wait(words)
    if (trouble := _trouble(words)) is not None:
        return trouble
    text: Any = '{"boats": ["sloop"]}' if body.get("response_format") else "A sloop, a yawl, a ketch."
    if "FENCED" in words:
        text = f"```json\n{text}\n```"
    if "NOTJSON" in words:
        text = "Boats float."
    if "PARTS" in words:
        text = [{"type": "text", "text": "A sloop"}, {"type": "text", "text": " and a yawl."}]
    message = {"role": "assistant", "content": None if "SILENT" in words else text}
    if "REFUSALFIELD" in words:
        message |= {"content": None, "refusal": "I cannot help with that."}
    ended = "content_filter" if "FILTERED" in words else "length" if "LENGTH" in words else "stop"
    choice = {"index": 0, "message": message, "finish_reason": ended}
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return await _sent(words, {"model": "llama-lab", "choices": [choice], "usage": usage})


def error(status: int, code: str | None, words: str, **headers: str) -> JSONResponse:
    """A failure as OpenAI tells it."""
    body = {"error": {"message": words, "type": "invalid_request_error", "param": None, "code": code}}
    return JSONResponse(body, status, headers)


def _row(world: World, words: str, place: int) -> dict[str, Any]:
    data = picture(seed=place)
    if "TRUNCATED" in words and place == 1:
        data = data[: len(data) // 2]
    row: dict[str, Any] = {"b64_json": base64.b64encode(data).decode()}
    for word, text in (("NOTBASE64", "%%%"), ("NOTPICTURE", base64.b64encode(b"hello there").decode())):
        row = {"b64_json": text} if word in words else row
    names = {
        "ASURL": f"{world.base_url}/files/{place}",
        "ASRELATIVE": f"/files/{place}",
        "ASDATA": f"data:image/png;base64,{row.get('b64_json')}",
        "ELSEWHERE": "http://192.0.2.7/files/1",
        "GONEURL": f"{world.base_url}/files/gone",
        "FLAKYURL": f"{world.base_url}/files/flaky",
    }
    row = next(({"url": url} for word, url in names.items() if word in words), row)
    return {**row, "revised_prompt": "a boat, revised"} if "REVISED" in words else row


def _trouble(words: str) -> Response | None:
    if found := re.search(r"FAIL(\d{3})", words):
        status = int(found[1])
        return error(status, LABELS.get(status), "It did not work.", **{"retry-after": "7"} if status == 429 else {})
    known: dict[str, Response] = {
        "REFUSEWORDS": error(400, None, "Your request was rejected by our safety system."),
        "REFUSE": error(400, "moderation_blocked", "No."),
        "NOMODEL": error(404, None, "The model `flux-x` does not exist"),
        "PLAINERROR": JSONResponse({"error": "steps must be positive"}, 400),
        "DETAIL": JSONResponse({"detail": [{"loc": ["body", "size"], "msg": "bad size"}]}, 422),
        "ERRORIN200": JSONResponse({"error": {"message": "no", "code": "content_filter"}}),
        "HTML502": Response("<html>bad gateway</html>", 502, media_type="text/html"),
        "REDIRECT": Response(status_code=307, headers={"location": "http://192.0.2.7/"}),
        "GARBAGE": Response(b"\x00\x01 not json", media_type="application/json"),
        "LARGE": Response(b'{"data": "' + b"x" * 2**21 + b'"}', media_type="application/json"),
    }
    return next((answer for word, answer in known.items() if word in words), None)


async def _sent(words: str, answer: dict[str, Any]) -> Response:
    if "CUT" not in words:
        return JSONResponse(answer)
    raw = json.dumps(answer).encode()

    async def half() -> Any:
        yield raw[: len(raw) // 2]
        await asyncio.sleep(0.05)

    return StreamingResponse(half(), media_type="application/json", headers={"content-length": str(len(raw))})


def _stranger(world: World, request: Request) -> Response | None:
    key = world.state.get("compatible.key")
    good = key is None or request.headers.get("authorization") == f"Bearer {key}"
    return None if good else error(401, "invalid_api_key", "Incorrect API key provided.")


async def _note(world: World, request: Request) -> Any:
    """Remember a request. A form is read into its fields, each file as its name, type and bytes in a list."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return await world.note(request)
    raw = f"content-type: {kind}\r\n\r\n".encode() + await request.body()
    fields: dict[str, Any] = {}
    for part in BytesParser(policy=HTTP).parsebytes(raw).iter_parts():
        name, data = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if part.get_filename():
            fields.setdefault(name, []).append((part.get_filename(), part.get_content_type(), data))
        else:
            fields[name] = data.decode()
    world.seen.append(Seen(request.method, request.url.path, dict(request.headers), fields))
    return fields
