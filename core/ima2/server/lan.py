"""Signing in from another machine: the token once, then a session in a cookie."""

from __future__ import annotations

from fastapi import APIRouter, Request

from ima2.errors import Ima2Error
from ima2.server import examples
from ima2.server.bodies import read_json
from ima2.server.gate import address_of
from ima2.server.replies import Json
from ima2.server.sessions import COOKIE, SESSION_S, Sessions

router = APIRouter(tags=["lan"])


@router.post("/api/lan/login", summary="Sign in with the LAN token", responses=examples.LOGIN)
async def login(request: Request) -> Json:
    """Body ``{"token"}``. Sets a cookie with a session, which pages and event streams send by themselves; 401
    ``TOKEN_REQUIRED`` for another token, 429 ``TOO_MANY_GUESSES`` after ten of them in a minute."""
    sessions: Sessions | None = request.app.state.sessions
    fields = await read_json(request) or {}
    if sessions is None:
        raise Ima2Error("LAN_OFF", 404, "This server has no LAN token (IMA2_LAN_TOKEN).")
    given = fields.get("token")
    session = sessions.sign_in(given if isinstance(given, str) else "", address_of(request.scope))
    answer = Json({"ok": True})
    answer.set_cookie(COOKIE, session, max_age=SESSION_S, httponly=True, samesite="strict", path="/")
    return answer
