"""The application: routers of the kernel and of the plugins, behind one gate."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from ima2.errors import Ima2Error
from ima2.kernel.boot import fail, panels, routers
from ima2.runtime import Runtime, open_runtime
from ima2.server import files, generate, history, inflight, lan, nodes, page, sequences, status, video
from ima2.server.gate import Gate
from ima2.server.replies import Json, failure
from ima2.version import VERSION

log = logging.getLogger("ima2.http")
ROUTERS = (
    status.router,
    generate.router,
    sequences.router,
    nodes.router,
    video.router,
    inflight.router,
    history.router,
    files.router,
    lan.router,
    page.router,
)


def create_app(runtime: Runtime, *, hosts: Iterable[str] = ()) -> Gate:
    """The whole server as one ASGI application. Entering its lifespan opens the runtime."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(runtime):
            yield

    app = FastAPI(
        title="ima2",
        version=VERSION,
        description="A local studio for AI images and video.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        default_response_class=Json,
    )
    app.state.runtime = runtime
    for router in ROUTERS:
        _mount(app, router)
    for name, router in routers(runtime.booted):
        _include(app, runtime, name, router)
    app.state.panels = panels(runtime.booted)
    _mount(app, status.aliases)
    app.add_exception_handler(Ima2Error, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _crashed)
    token = runtime.settings.lan_token
    names = {runtime.settings.host, *hosts, *runtime.settings.allowed_hosts}
    return Gate(app, hosts=names, token=token.get_secret_value() if token else None)


def _include(app: FastAPI, runtime: Runtime, plugin: str, router: APIRouter) -> None:
    """Mount a plugin's routes, all or none: below ``/api/``, and none that is taken."""
    taken = {(method, _shape(path)) for path, methods in _paths(app.router.routes) for method in methods}
    for path, methods in _paths(router.routes):
        if not path.startswith("/api/"):
            return fail(runtime.booted, plugin, "ima2_routes", f"Route {path} is not below /api/.")
        clash = next((method for method in methods if (method, _shape(path)) in taken), None)
        if clash:
            return fail(runtime.booted, plugin, "ima2_routes", f"{clash} {path} is already served.")
    _mount(app, router)
    return None


def _paths(routes: Iterable[BaseRoute]) -> list[tuple[str, set[str]]]:
    return [(route.path, set(route.methods or ())) for route in routes if isinstance(route, APIRoute | Route)]


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path.lower())


def _mount(app: FastAPI, router: APIRouter) -> None:
    """Take a router's routes as they are, matching paths without regard to case, as the reference does."""
    for route in router.routes:
        if isinstance(route, Route | APIRoute):
            route.path_regex = re.compile(route.path_regex.pattern, re.IGNORECASE)
        app.router.routes.append(route)


async def _refused(_: Request, error: Exception) -> Json:
    assert isinstance(error, Ima2Error)
    return failure(error)


async def _http(request: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
    text = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    body = {"error": {"code": code, "message": text.get(error.status_code, "The request failed.")}, "code": code}
    return Json(body, error.status_code, error.headers)


async def _invalid(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    names = sorted({".".join(str(part) for part in one["loc"][1:]) for one in error.errors()})
    return failure(Ima2Error("INVALID_REQUEST", 400, f"Not valid: {', '.join(names)}."))


async def _crashed(request: Request, error: Exception) -> Json:
    where = "".join(traceback.format_tb(error.__traceback__)[-4:])
    log.error("%s on %s\n%s", type(error).__name__, request.scope.get("route"), where)
    return failure(Ima2Error("INTERNAL_ERROR", 500, "Something went wrong inside; the server's log says where."))
