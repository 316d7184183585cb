"""Signing in from another machine: the token once, then a cookie."""

from __future__ import annotations

import hmac

from fastapi import APIRouter, Request

from ima2.errors import Ima2Error
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.bodies import read_json
from ima2.server.gate import COOKIE
from ima2.server.replies import Json

router = APIRouter(tags=["lan"])


@router.post("/api/lan/login", summary="Sign in with the LAN token", responses=examples.LOGIN)
async def login(request: Request) -> Json:
    """Body ``{"token"}``. Sets a cookie that pages and event streams send by themselves; 401 ``TOKEN_REQUIRED``
    otherwise."""
    token = runtime_of(request).settings.lan_token
    fields = await read_json(request) or {}
    given = fields.get("token")
    if token is None:
        raise Ima2Error("LAN_OFF", 404, "This server has no LAN token (IMA2_LAN_TOKEN).")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise Ima2Error("TOKEN_REQUIRED", 401, "That is not the token.")
    answer = Json({"ok": True})
    answer.set_cookie(COOKIE, given, max_age=30 * 86_400, httponly=True, samesite="strict", path="/")
    return answer
