"""Fakes of ChatGPT's Codex backend, of OpenAI's token endpoint and of a local ``openai-oauth`` proxy.

``state["chatgpt.usage"]`` is what the use of the plan is answered with, and the status;
``state["chatgpt.versions"]`` maps models to the lowest version of a client that they are served to; the endpoints for
pictures alone are those of `tests.upstreams.chatgpt_images`, signing in that of `tests.upstreams.chatgpt_accounts`.

The backend takes the words of `tests.upstreams.responses`, wants bearer, account id and originator, and answers
bodies it does not like with ``{"detail": ...}``. Its closing event never repeats pictures.

``state["chatgpt.access"]`` is the access token in force, ``state["chatgpt.refresh"]`` the refresh token (both made by
`login`); a renewal replaces them. ``state["chatgpt.renewal"]`` is an error code the token endpoint answers with (or a
number: that status), ``state["chatgpt.omit"]`` fields it leaves out, ``state["chatgpt.lifetime"]`` the seconds a new
token lasts, ``state["chatgpt.slow"]`` the seconds a renewal takes. ``state["proxy.down"]`` makes the proxy's
list of models fail.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.upstreams import chatgpt_accounts as accounts
from tests.upstreams import chatgpt_images
from tests.upstreams.responses import answer, listed
from tests.upstreams.responses_checks import image_tool
from tests.upstreams.responses_errors import MARKER, error
from tests.upstreams.world import World

ACCOUNT = "5b1c0000-aaaa-bbbb-cccc-000000000001"
CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
_FORBIDDEN = frozenset(
    {
        *("previous_response_id", "stream_options", "temperature", "top_p", "max_output_tokens", "user", "metadata"),
        "prompt_cache_retention",
    }
)


def jwt(lifetime: float, **claims: Any) -> str:
    """An unsigned token that ends in so many seconds."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"exp": int(time.time() + lifetime), "jti": time.monotonic_ns(), **claims}
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


def login(world: World, lifetime: float = 3600, **more: Any) -> dict[str, Any]:
    """A login file's content that the backend accepts; the token lasts so many seconds."""
    world.state["chatgpt.access"] = jwt(lifetime)
    world.state["chatgpt.refresh"] = f"rt_{time.monotonic_ns()}"
    about = {"chatgpt_account_id": ACCOUNT, **world.state.get("chatgpt.claims", {})}
    identity = jwt(lifetime, email="kite@example.invalid", **{"https://api.openai.com/auth": about})
    tokens = {
        "id_token": identity,
        "access_token": world.state["chatgpt.access"],
        "refresh_token": world.state["chatgpt.refresh"],
        "account_id": ACCOUNT,
    }
    stamp = "2026-01-02T03:04:05.678Z"
    return {"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": stamp, **more}


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks the proxy of this fake."""
    return {
        "IMA2_OAUTH_PROXY_PORT": base_url.rsplit(":", 1)[1],
        "IMA2_CHATGPT_BASE_URL": f"{base_url}/backend-api/codex",
        "IMA2_OPENAI_AUTH_URL": f"{base_url}/oauth/token",
    }


def routes(world: World) -> list[Route]:
    """Backend, token endpoint and proxy on one address."""
    return [*backend(world), *proxy(world)]


def backend(world: World) -> list[Route]:
    """ChatGPT's backend and the token endpoint."""

    async def responses(request: Request) -> Response:
        body = await world.note(request)
        headers = request.headers
        if stranger := unknown_caller(world, request):
            return stranger
        lowest = world.state.get("chatgpt.versions", {}).get(body.get("model"))
        if lowest and _version(headers.get("version", "")) < _version(lowest):
            words = f"The '{body['model']}' model requires a newer version of Codex. Please upgrade. {MARKER}"
            return JSONResponse({"detail": words}, 400)
        problem = _problem(body)
        if problem:
            return JSONResponse({"detail": f"{problem} {MARKER}"}, 400)
        return await answer(world, request, body, codex=True)

    async def models(request: Request) -> Response:
        await world.note(request)
        if stranger := unknown_caller(world, request):
            return stranger
        if not request.query_params.get("client_version"):
            return JSONResponse({"detail": "client_version is missing"}, 400)
        rows = [{"slug": name, "minimal_client_version": "0.144.0"} for name in world.state.get("chatgpt.models", ())]
        return JSONResponse({"models": rows})

    async def words(request: Request) -> Response:
        body = await world.note(request)
        if request.headers.get("authorization") != f"Bearer {world.state.get('words.access')}":
            return error(401, "invalid_api_key", "invalid_request_error", "Who is this?")
        if image_tool(body):
            return error(403, "subscription_sharing_unsupported_capability", "invalid_request_error", "Words only.")
        return await answer(world, request, body)

    async def usage(request: Request) -> Response:
        await world.note(request)
        if stranger := unknown_caller(world, request):
            return stranger
        return JSONResponse(*world.state.get("chatgpt.usage", ({}, 500)))

    async def token(request: Request) -> Response:
        body = await world.note(request)
        if body.get("grant_type") == "authorization_code":
            return accounts.exchange(world, body)
        return await _renewal(world, body)

    return [
        Route("/backend-api/codex/responses", responses, methods=["POST"]),
        Route("/backend-api/codex/models", models),
        Route("/backend-api/wham/usage", usage),
        *chatgpt_images.routes_of(world, unknown_caller),
        Route("/oauth/token", token, methods=["POST"]),
        Route("/siwc/v1/responses", words, methods=["POST"]),
        *accounts.routes_of(world, login),
    ]


def unknown_caller(world: World, request: Request) -> Response | None:
    """The answer to somebody who is not signed in, or who does not say which program it is."""
    headers = request.headers
    if headers.get("authorization") != f"Bearer {world.state.get('chatgpt.access')}":
        return JSONResponse({"detail": "Unauthorized"}, 401)
    if headers.get("chatgpt-account-id") != ACCOUNT or not headers.get("originator"):
        return JSONResponse({"detail": f"Who is this? {MARKER}"}, 403)
    return None


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".") if part.isdigit()]


def proxy(world: World) -> list[Route]:
    """The local proxy, which has a login of its own."""

    async def health(_: Request) -> Response:
        return JSONResponse({"ok": True, "replay_state": "stateless"})

    async def models(request: Request) -> Response:
        await world.note(request)
        if world.state.get("proxy.down"):
            return JSONResponse({"error": {"message": MARKER, "type": "upstream_error"}}, 502)
        return listed(world)

    async def responses(request: Request) -> Response:
        return await answer(world, request, await world.note(request), codex=True)

    return [
        Route("/health", health),
        Route("/v1/models", models),
        Route("/v1/responses", responses, methods=["POST"]),
    ]


def _problem(body: dict[str, Any]) -> str | None:
    if body.get("store") is not False:
        return "Store must be set to false"
    if body.get("stream") is not True:
        return "Stream must be set to true"
    if not isinstance(body.get("instructions"), str):
        return "Instructions are required"
    return next((f"Unsupported parameter: {name}" for name in body if name in _FORBIDDEN), None)


async def _renewal(world: World, body: dict[str, Any]) -> Response:
    await asyncio.sleep(world.state.get("chatgpt.slow", 0))
    ordered = world.state.get("chatgpt.renewal")
    if isinstance(ordered, int):
        return JSONResponse({"error": {"message": MARKER, "type": "server_error"}}, ordered)
    if ordered:
        return JSONResponse({"error": {"message": MARKER, "code": ordered}}, 401)
    if body.get("grant_type") != "refresh_token" or body.get("client_id") != CLIENT:
        return JSONResponse({"error": "invalid_request"}, 400)
    if body.get("refresh_token") != world.state.get("chatgpt.refresh"):
        return JSONResponse({"error": {"message": MARKER, "code": "refresh_token_reused"}}, 401)
    fresh = login(world, world.state.get("chatgpt.lifetime", 3600))["tokens"]
    del fresh["account_id"]
    for name in world.state.get("chatgpt.omit", ()):
        del fresh[name]
        if name == "refresh_token":
            world.state["chatgpt.refresh"] = body["refresh_token"]
    return JSONResponse(fresh)
