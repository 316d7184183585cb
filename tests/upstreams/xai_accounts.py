"""xAI's sign-in service (below ``/xai-auth``) and Grok's billing pages (below ``/xai-billing``), as fakes.

Settings in ``world.state``: ``xai.refresh`` is the one refresh token that is good (each use makes a new one, unless
``xai.keeps``); ``xai.device`` the answers to come of a device login (``authorization_pending``, ``slow_down``,
``access_denied``, ``expired_token``, ``ok``); ``xai.foreign`` makes discovery name an endpoint on another host;
``xai.auth_slow`` is how many seconds a token takes, ``xai.auth_status`` an HTTP status to answer with instead;
``xai.code`` the authorization code that is good; ``xai.bill`` and ``xai.user`` are ``(status, body)``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.upstreams import xai
from tests.upstreams.world import World

CLIENT = "b1a00492-073a-47ea-816f-4c329264a828"
EMAIL = "user@example.com"


def id_token() -> str:
    """A token that names the account; its signature means nothing."""
    claims = base64.urlsafe_b64encode(json.dumps({"email": EMAIL}).encode()).decode().rstrip("=")
    return f"e30.{claims}.e30"


def granted(world: World, **more: Any) -> Response:
    """A new access token, which is good from now on."""
    number = world.state["xai.grants"] = world.state.get("xai.grants", 0) + 1
    token = f"login-{number}"
    xai.tokens(world).add(token)
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}
    return JSONResponse(answer)


def routes(world: World) -> list[Route]:
    """All of it."""

    async def discovery(request: Request) -> Response:
        await world.note(request)
        base = f"{world.base_url}/xai-auth"
        return JSONResponse(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": "https://evil.example/token" if world.state.get("xai.foreign") else f"{base}/token",
                "device_authorization_endpoint": f"{base}/device",
            }
        )

    async def device(request: Request) -> Response:
        form = await world.note(request)
        if form.get("client_id") != CLIENT or "api:access" not in form.get("scope", ""):
            return JSONResponse({"error": "invalid_client"}, 400)
        return JSONResponse(
            {
                "device_code": "device-secret",
                "user_code": "ABCD-1234",
                "verification_uri": "https://accounts.x.ai/device",
                "expires_in": world.state.get("xai.device_expires", 900),
                "interval": world.state.get("xai.interval", 5),
            }
        )

    async def token(request: Request) -> Response:
        form = await world.note(request)
        world.state.setdefault("xai.token_times", []).append(time.monotonic())
        await asyncio.sleep(world.state.get("xai.auth_slow", 0))
        if status := world.state.get("xai.auth_status"):
            return Response("busy", status)
        if form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_client"}, 400)
        grants = {"refresh_token": _refreshed, "authorization_code": _exchanged}
        return grants.get(form.get("grant_type", ""), _device)(world, form)

    async def page(request: Request) -> Response:
        await world.note(request)
        name = request.path_params["page"]
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in xai.tokens(world):
            return JSONResponse({"error": "unauthorized"}, 401)
        config = {
            "monthlyLimit": {"val": 15000},
            "used": {"val": 1820},
            "onDemandCap": {"val": 0},
            "billingPeriodEnd": "2026-12-01T00:00:00Z",
        }
        usual = (200, {"config": config}) if name == "billing" else (200, {"email": EMAIL})
        status, body = world.state.get("xai.bill" if name == "billing" else "xai.user", usual)
        return JSONResponse(body, status)

    return [
        Route("/xai-auth/.well-known/openid-configuration", discovery),
        Route("/xai-auth/device", device, methods=["POST"]),
        Route("/xai-auth/token", token, methods=["POST"]),
        Route("/xai-billing/{page}", page),
    ]


def _refreshed(world: World, form: dict[str, str]) -> Response:
    if form.get("refresh_token") != world.state.get("xai.refresh", "refresh-0"):
        return JSONResponse({"error": "invalid_grant"}, 400)
    if world.state.get("xai.keeps"):
        return granted(world)
    new = world.state["xai.refresh"] = f"refresh-{world.state.get('xai.grants', 0) + 1}"
    return granted(world, refresh_token=new)


def _exchanged(world: World, form: dict[str, str]) -> Response:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    expected = world.state.get("xai.challenge")
    redirect = form.get("redirect_uri") == "http://127.0.0.1:56121/callback"
    if form.get("code") != world.state.get("xai.code") or not redirect or (expected and challenge != expected):
        return JSONResponse({"error": "invalid_grant"}, 400)
    return granted(world, refresh_token="refresh-c", id_token=id_token())


def _device(world: World, form: dict[str, str]) -> Response:
    if form.get("device_code") != "device-secret":
        return JSONResponse({"error": "invalid_request"}, 400)
    script = world.state.get("xai.device") or ["ok"]
    step = script.pop(0) if len(script) > 1 else script[0]
    if step != "ok":
        return JSONResponse({"error": step}, 400)
    return granted(world, refresh_token="refresh-d", id_token=id_token())
