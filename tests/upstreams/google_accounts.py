"""Google's ways to a token beside the service account's: a login's refresh, federated identities, the metadata server.

``state["google.refresh_token"]`` is the one valid refresh token, ``state["google.subject"]`` the one valid subject
token of a federated identity.
"""

from __future__ import annotations

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.upstreams.world import World

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
MARKER = "AIza-LEAKED-marker-0123456789"


def issue(world: World) -> str:
    """A new bearer token that Vertex AI takes."""
    issued = world.state.setdefault("google.tokens", [])
    issued.append(f"ya29.fake-{len(issued)}")
    return str(issued[-1])


def refreshed(world: World, form: dict[str, Any]) -> Response:
    """The answer to ``grant_type=refresh_token``."""
    wanted = world.state.get("google.refresh_token")
    if wanted is None or form.get("refresh_token") != wanted:
        return JSONResponse({"error": "invalid_grant", "error_description": f"Expired. {MARKER}"}, 400)
    return JSONResponse({"access_token": issue(world), "expires_in": 3599, "token_type": "Bearer"})


def routes(world: World) -> list[Route]:
    """The token exchange of federated identities, impersonation, a subject token's address, the metadata server."""

    async def exchange(request: Request) -> Response:
        form = await world.note(request)
        if form.get("grant_type") == "refresh_token":
            client = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
            return refreshed(world, form) if client == "client-1:secret-1" else JSONResponse({"error": "no"}, 401)
        if form.get("grant_type") != EXCHANGE or form.get("subject_token") != world.state.get("google.subject"):
            return JSONResponse({"error": "invalid_request", "error_description": f"Bad subject. {MARKER}"}, 400)
        kind = "urn:ietf:params:oauth:token-type:access_token"
        answer = {"access_token": issue(world), "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3599}
        return JSONResponse(answer)

    async def impersonate(request: Request) -> Response:
        body = await world.note(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in world.state.get("google.tokens", []) or not body.get("scope"):
            return JSONResponse({"error": {"code": 403, "status": "PERMISSION_DENIED"}}, 403)
        return JSONResponse({"accessToken": issue(world), "expireTime": "2099-01-01T00:00:00Z"})

    async def subject(request: Request) -> Response:
        await world.note(request)
        return JSONResponse({"id_token": world.state.get("google.subject")})

    async def metadata(request: Request) -> Response:
        await world.note(request)
        if request.headers.get("metadata-flavor") != "Google":
            return PlainTextResponse("Missing Metadata-Flavor:Google header.", 403)
        if request.url.path.endswith("/project-id"):
            return PlainTextResponse(str(world.state.get("google.project", "sand-dunes-7")))
        if world.state.get("google.no_account"):
            return PlainTextResponse("not found", 404)
        return JSONResponse({"access_token": issue(world), "expires_in": 3000, "token_type": "Bearer"})

    return [
        Route("/sts", exchange, methods=["POST"]),
        Route("/impersonate/{rest:path}", impersonate, methods=["POST"]),
        Route("/subject", subject, methods=["GET"]),
        Route("/computeMetadata/v1/{rest:path}", metadata, methods=["GET"]),
    ]
