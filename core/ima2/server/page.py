"""The page: plain files of this package, served as they are."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

router = APIRouter(include_in_schema=False)
_ASSETS = files("ima2.server") / "assets"
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@router.api_route("/", methods=["GET", "HEAD"])
async def index() -> Response:
    """The page itself."""
    return _file("index.html", "no-store, max-age=0")


@router.api_route("/lan", methods=["GET", "HEAD"])
async def sign_in() -> Response:
    """The form that asks for the LAN token."""
    return _file("lan.html", "no-store, max-age=0")


@router.api_route("/assets/{name}", methods=["GET", "HEAD"])
async def asset(name: str) -> Response:
    """A script or style sheet; 404 text for anything else, never the page."""
    return (
        _file(name, "no-cache") if name.endswith((".css", ".js", ".svg")) else PlainTextResponse("Asset not found", 404)
    )


def _file(name: str, cache: str) -> Response:
    file = _ASSETS / name
    if "/" in name or not file.is_file():
        return PlainTextResponse("Asset not found", 404)
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(file.read_bytes(), media_type=f"{media_type}; charset=utf-8", headers={"Cache-Control": cache})
