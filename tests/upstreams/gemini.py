"""A fake of Google's Gemini API, of Vertex AI and of Google's token endpoint, as strict as they are.

Words in the prompt choose the answer:

- errors: FAIL400 BADKEY LOCATION FAIL401 FAIL403 FAIL404 FAIL429 DATE429 QUOTA200 FAIL500 FAIL503 HTML502 REDIRECT;
- no picture: EMPTY (words only), SAFETY, REASON_<finish reason>, BLOCK or BLOCK_<reason> (no candidates), NOCANDIDATES,
  NOPARTS, ODD (wrong types); UNBILLED (no output tokens);
- pictures: JPEG, WEBP, SMALL, TWO, SPOKEN (words between them), CANDIDATES (two), SECOND (only the second has one),
  THOUGHT (an interim one first), WORDS (with text), FILE (at an address),
  FILE with ELSEWHERE, PRIVATE or GATEWAY, NOTPICTURE, NOTBASE64;
- wrapping: SNAKE (names), DATAURL, LINES, URLSAFE, HALF (the base64 ends early);
- counts: NOUSAGE, THINKS, DETAILS (tokens by modality); ROUTED (another model answered);
- transport: NOTJSON, CUT (half a body), HUGE (no end), BOMB (compressed), HANG, SLOW.

Every error text holds `MARKER`, which must never reach a user. ``state["gemini.key"]`` is the one valid key (any that
begins with ``AIza`` otherwise), ``state["gemini.models"]`` what may be used, ``state["google.public_key"]`` the PEM
that claims of service accounts are checked with, ``state["google.expires_in"]`` the lifetime of tokens,
``state["google.project"]`` the one project, ``state["google.location"]`` where it is (``global``),
``state["google.refuse"]`` an OAuth error to answer with. ``state["gemini.gone"]`` are models that are served no more.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.upstreams import gemini_answers, google_accounts, google_claims
from tests.upstreams.gemini_answers import MARKER, WRITING, bad_key, trouble
from tests.upstreams.world import World, picture

FLASH_RATIOS = {"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "1:8", "8:1", "1:4", "4:1"}
PRO_RATIOS = FLASH_RATIOS - {"1:8", "8:1", "1:4", "4:1"}
DRAWING = {
    "gemini-3.1-flash-image": (FLASH_RATIOS, {"512", "1K", "2K", "4K"}),
    "gemini-3-pro-image": (PRO_RATIOS, {"1K", "2K", "4K"}),
    "gemini-nano-banana-2.1": (FLASH_RATIOS, {"1K", "2K", "4K"}),
    "gemini-3.1-flash-lite-image": (PRO_RATIOS, {"1K"}),
}
INPUTS = {"gemini-nano-banana-2.1": 14}
LEVELS = {"gemini-nano-banana-2.1": {"MINIMAL", "MEDIUM", "HIGH"}}

_FIELDS: dict[str, Any] = {
    "contents": {"role": None, "parts": {"text": None, "inlineData": {"mimeType": None, "data": None}}},
    "systemInstruction": {"role": None, "parts": {"text": None}},
    "generationConfig": {
        "responseModalities": None,
        "imageConfig": {"aspectRatio": None, "imageSize": None},
        "responseFormat": {"image": {"aspectRatio": None, "imageSize": None}},
        "temperature": None,
        "maxOutputTokens": None,
        "thinkingConfig": {"thinkingLevel": None, "includeThoughts": None},
        "responseMimeType": None,
        "responseSchema": None,
    },
    "safetySettings": None,
}


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks this fake."""
    addresses = {"IMA2_GEMINI_BASE_URL": base_url, "IMA2_VERTEX_BASE_URL": base_url}
    return {**addresses, "IMA2_GOOGLE_TOKEN_URL": f"{base_url}/token", "GEMINI_API_KEY": "AIzaFake0123456789"}


def routes(world: World) -> list[Route]:
    """All of Google's paths that the provider uses."""

    async def generate_by_key(request: Request) -> Response:
        body = await world.note(request)
        key = request.headers.get("x-goog-api-key")
        if request.url.query:
            return trouble(400, "INVALID_ARGUMENT", "No query is expected here.")
        if key is None:
            return trouble(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if not _is_key(world, key):
            return bad_key()
        return await _generate(world, request.path_params["rest"], body, vertex=False)

    async def models(request: Request) -> Response:
        await world.note(request)
        if not _is_key(world, request.headers.get("x-goog-api-key", "")):
            return bad_key()
        if world.state.get("gemini.hang"):
            await world.wait("HANG")
        names = world.state.get("gemini.models", [*DRAWING, *sorted(WRITING)])
        return JSONResponse({"models": [{"name": f"models/{name}", "displayName": f"Model {name}"} for name in names]})

    async def file(request: Request) -> Response:
        await world.note(request)
        if not _is_key(world, request.headers.get("x-goog-api-key", "")) or request.query_params.get("alt") != "media":
            return bad_key()
        return Response(picture(seed=6), media_type="application/octet-stream")

    async def gateway(request: Request) -> Response:
        await world.note(request)
        return Response(picture(seed=6), media_type="image/png")

    async def generate_express(request: Request) -> Response:
        body = await world.note(request)
        if not _is_key(world, request.headers.get("x-goog-api-key", "")):
            return trouble(401, "UNAUTHENTICATED", "API keys are not supported by this API.")
        return await _generate(world, request.path_params["rest"], body, vertex=True)

    async def generate_by_token(request: Request) -> Response:
        body = await world.note(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in world.state.get("google.tokens", []):
            return trouble(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        match = re.fullmatch(
            r"([a-z0-9-]+)/locations/([a-z0-9-]+)/publishers/google/models/(.+)", request.path_params["rest"]
        )
        if match is None or match[2] != world.state.get("google.location", "global"):
            return trouble(404, "NOT_FOUND", "No such location.")
        if match[1] != world.state.get("google.project", match[1]):
            return trouble(403, "PERMISSION_DENIED", "Permission denied on resource project.")
        return await _generate(world, match[3], body, vertex=True)

    async def token(request: Request) -> Response:
        form = await world.note(request)
        if refusal := world.state.get("google.refuse"):
            return JSONResponse({"error": refusal, "error_description": f"Invalid JWT Signature. {MARKER}"}, 400)
        await world.wait("")
        if isinstance(form, dict) and form.get("grant_type") == "refresh_token":
            return google_accounts.refreshed(world, form)
        reason = google_claims.problem(world, form)
        if reason:
            return JSONResponse({"error": "invalid_grant", "error_description": f"{reason} {MARKER}"}, 400)
        lifetime = world.state.get("google.expires_in", 3599)
        return JSONResponse(
            {"access_token": google_accounts.issue(world), "expires_in": lifetime, "token_type": "Bearer"}
        )

    return [
        Route("/v1beta/models", models, methods=["GET"]),
        Route("/v1beta/models/{rest:path}", generate_by_key, methods=["POST"]),
        Route("/v1beta/files/{name}", file, methods=["GET"]),
        Route("/gateway/kite.png", gateway, methods=["GET"]),
        Route("/v1/publishers/google/models/{rest:path}", generate_express, methods=["POST"]),
        Route("/v1/projects/{rest:path}", generate_by_token, methods=["POST"]),
        Route("/token", token, methods=["POST"]),
        *google_accounts.routes(world),
    ]


def _is_key(world: World, key: str) -> bool:
    wanted = world.state.get("gemini.key")
    return key == wanted if wanted else key.startswith("AIza")


async def _generate(world: World, rest: str, body: Any, *, vertex: bool) -> Response:
    model, _, verb = rest.partition(":")
    if verb != "generateContent" or model not in {*DRAWING, *WRITING} - set(world.state.get("gemini.gone", ())):
        return trouble(404, "NOT_FOUND", f"models/{model} is not found for this API version, or is not supported.")
    try:
        message = _normal(body, _FIELDS, "")
        _check(message, model, vertex)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return trouble(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {error}")
    words = " ".join(part.get("text", "") for content in message["contents"] for part in content["parts"])
    if (refusal := gemini_answers.refusal(words)) is not None:
        return refusal
    await world.wait(words)
    return gemini_answers.answer(words, message, model, world.base_url)


def _normal(value: Any, fields: Any, path: str) -> Any:
    """The message with camelCase names; `ValueError` for a field that does not exist."""
    if fields is None:
        return value
    if isinstance(value, list):
        return [_normal(one, fields, path) for one in value]
    named = {}
    for key, one in value.items():
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), key)
        if name not in fields:
            raise ValueError(f"Unknown name \"{key}\" at '{path}': Cannot find field.")
        named[name] = _normal(one, fields[name], f"{path}.{key}".strip("."))
    return named


def _check(message: dict[str, Any], model: str, vertex: bool) -> None:
    for content in message["contents"]:
        if vertex and content.get("role") not in {"user", "model"}:
            raise ValueError("Please use a valid role: user, model.")
        for part in content["parts"]:
            if len(part) != 1:
                raise ValueError("A part holds exactly one kind of data.")
            if "inlineData" in part:
                _check_picture(part["inlineData"])
    if model in DRAWING and sum("inlineData" in p for c in message["contents"] for p in c["parts"]) > INPUTS.get(
        model, 3
    ):
        raise ValueError("Too many images in request.")
    config = message.get("generationConfig", {})
    if vertex and "responseFormat" in config:
        raise ValueError("Unknown name \"responseFormat\" at 'generation_config': Cannot find field.")
    if "IMAGE" in config.get("responseModalities", []) and model not in DRAWING:
        raise ValueError("The requested combination of response modalities is not supported by the model.")
    level = config.get("thinkingConfig", {}).get("thinkingLevel")
    if level is not None and level not in LEVELS.get(model, set()):
        raise ValueError("Thinking level is not supported for this model.")
    _check_schema(config.get("responseSchema"))
    image = config.get("imageConfig") or config.get("responseFormat", {}).get("image")
    if image:
        ratios, sizes = DRAWING[model]
        if image["aspectRatio"] not in ratios or image["imageSize"] not in sizes:
            raise ValueError("Unsupported aspect ratio or image size.")


def _check_schema(schema: Any) -> None:
    """Google's schema knows no other keywords and types than these."""
    if schema is None:
        return
    if set(schema) - {"type", "properties", "items", "required", "enum", "description", "nullable", "anyOf", "title"}:
        raise ValueError("Unknown name in 'response_schema': Cannot find field.")
    if "type" in schema and schema["type"] not in {"OBJECT", "ARRAY", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "NULL"}:
        raise ValueError("Invalid value at 'response_schema.type'.")
    for one in [*schema.get("properties", {}).values(), schema.get("items"), *schema.get("anyOf", [])]:
        _check_schema(one)


def _check_picture(inline: dict[str, Any]) -> None:
    data = base64.b64decode(inline["data"], validate=True)
    signature = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}[inline["mimeType"]]
    if not data.startswith(signature):
        raise binascii.Error("Provided image is not valid.")
