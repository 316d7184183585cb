"""A fake of OpenAI's ``POST /v1/responses`` with the hosted image tool, and of ``GET /v1/models``.

Words in the prompt choose the answer:

- errors: REFUSE REFUSEOUT BADVALUE BADMODERATION TOOLGONE FAIL401 EXPIRED FAIL403 HTML403 FAIL404 FAIL413 FAIL429
  QUOTA USAGELIMIT NOTINPLAN FAIL500 FAIL503 HTML502 DETAIL DETAILS ODDERROR NOBODY REDIRECT RETRYDATE TOOLNAMED (the
  image tool may only be chosen by ``auto``) REGION RESIDENCY BIO;
- errors inside the stream: STREAMERR (nested), FLATERR_<code>, USAGEERR, FAILED_<code>, INCOMPLETE_<reason>, LATEERR
  (after a good picture);
- no picture: EMPTY, EARLY (the stream ends), TEXTONLY, SEARCHONLY, REFUSALPART, TOOLFAIL, TOOLMOD, NORESULT,
  BLANKRESULT, NOTBASE64, NOTPICTURE, GARBAGE, WORDLESS (for a call in words), SCHEMA (words that are JSON);
- wrapping of a picture: DATAHEAD, LINEBREAKS, URLSAFE, NOPAD; TRUNCATED (ends early);
- what the answer names as used: USED<name>_<value> (quality, size, background, model, drawing), TOKENS (of the tool);
- pictures: MULTI<n>, TWINS (two that are the same), LATEONLY (only in the closing event), GENERATING (an odd status);
- transport: NOLABEL, TEXTLABEL, JSONLABEL (an event stream with no or a wrong content type), QUOTAIN200 (an error as
  200), BOMB (gzip that grows to 32 MB), BLANKHEAD (empty lines first), CRLF, ODDLINES (comments, several data lines),
  DRIP (a byte a time), NOBLANK (no blank line at the end), GZIP, JSONANSWER (no stream), CUT (in the middle of a
  picture), LATECUT (after one), STALL (headers, then nothing), SLOW, HANG.

``state["responses.keys"]`` are the valid keys (any that begins with ``sk-`` otherwise), ``state["responses.ended"]``
models that are served no more, ``state["responses.models"]`` further names in the list of models.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.upstreams.responses_checks import MODELS, image_tool, refused, words_of
from tests.upstreams.responses_errors import MARKER, bad_key, bad_value, trouble
from tests.upstreams.responses_stream import Stream, events
from tests.upstreams.world import World


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks this fake."""
    return {"IMA2_OPENAI_BASE_URL": f"{base_url}/v1", "OPENAI_API_KEY": "sk-fake-0123456789"}


def routes(world: World) -> list[Route]:
    """The two paths of the API that are used."""

    async def responses(request: Request) -> Response:
        body = await world.note(request)
        return _stranger(world, request) or await answer(world, request, body)

    async def models(request: Request) -> Response:
        await world.note(request)
        return _stranger(world, request) or listed(world)

    return [Route("/v1/responses", responses, methods=["POST"]), Route("/v1/models", models)]


async def answer(world: World, request: Request, body: Any, *, codex: bool = False) -> Response:
    """What a right or wrong body is answered with, whoever sent it."""
    if request.headers.get("content-type") != "application/json":
        return bad_value("body", "Unsupported content type.")
    if wrong := ended(world, body, codex=codex) or refused(body):
        return wrong
    words = words_of(body)
    await world.wait(words)
    if bad := trouble(words, body):
        return bad
    if "QUOTAIN200" in words:
        return JSONResponse({"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": MARKER}})
    if "JSONANSWER" in words or not body.get("stream"):
        last = [event for event in events(body, words, codex=codex) if isinstance(event, dict)][-1]
        return JSONResponse(last.get("response", {"error": last}))
    return Stream(body, words, codex=codex)


def ended(world: World, body: Any, *, codex: bool) -> Response | None:
    """The answer to a model that is served no more, in each service's own words."""
    gone = world.state.get("responses.ended", ())
    name, tool = body.get("model"), (image_tool(body) or {}).get("model")
    if name in gone and codex:
        words = f"The '{name}' model is not supported when using Codex with a ChatGPT account. {MARKER}"
        return JSONResponse({"detail": words}, 400)
    if name in gone:
        return bad_value("model", f"The model '{name}' does not exist or you do not have access.", "model_not_found")
    if tool in gone:
        return bad_value("tools[1].model", f"The model '{tool}' does not exist.", "invalid_value")
    return None


def listed(world: World) -> JSONResponse:
    """The list of models."""
    names = [*MODELS, *world.state.get("responses.models", ())]
    rows = [{"id": name, "object": "model", "created": 0, "owned_by": "openai"} for name in names]
    return JSONResponse({"object": "list", "data": rows})


def _stranger(world: World, request: Request) -> Response | None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    valid = world.state.get("responses.keys")
    return None if (key in valid if valid else key.startswith("sk-")) else bad_key()
