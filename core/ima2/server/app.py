"""The application: routers of the kernel and of the plugins, behind one gate."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ima2.errors import Ima2Error
from ima2.kernel.boot import Booted
from ima2.kernel.collect import capability_blocks, panels
from ima2.kernel.guard import origin
from ima2.runtime import Runtime, open_runtime
from ima2.server import files, generate, history, inflight, lan, page, sequences, status, video
from ima2.server.bodies import BodyBudget
from ima2.server.gate import Gate
from ima2.server.mounting import answer, mount, mount_routers, mount_sites
from ima2.server.replies import Json
from ima2.server.sessions import Sessions
from ima2.server.wire.views import VIEWS
from ima2.version import VERSION

log = logging.getLogger("ima2.http")
DEV_PAGE = "http://localhost:5173"
"""Where a page under development comes from (`ima2 serve --dev`)."""
ROUTERS = (
    status.router,
    generate.router,
    sequences.router,
    video.router,
    inflight.router,
    history.router,
    files.router,
    lan.router,
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
    runtime.views.update(VIEWS)
    mount_all(app, runtime.booted)
    app.add_exception_handler(Ima2Error, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _crashed)
    settings = runtime.settings
    token = settings.lan_token
    sessions = Sessions(token.get_secret_value(), settings.config_dir / "state") if token else None
    app.state.sessions = sessions
    app.state.bodies = BodyBudget(max(settings.body_budget, settings.body_limit))
    names = {settings.host, *hosts, *settings.allowed_hosts}
    origins = (*settings.allowed_origins, *((DEV_PAGE,) if settings.dev else ()))
    return Gate(app, hosts=names, origins=origins, sessions=sessions)


def mount_all(app: FastAPI, booted: Booted) -> None:
    """Mount our own routes and what the plugins bring; a plugin whose routes, panels or site do not fit has failed."""
    mount(app, [route for router in ROUTERS for route in router.routes])
    mount_routers(app, booted)
    app.state.panels, app.state.blocks = panels(booted), capability_blocks(booted)
    mount(app, status.aliases.routes)
    mount_sites(app, booted, page.router.routes)


async def _refused(request: Request, error: Exception) -> Json:
    assert isinstance(error, Ima2Error)
    return answer(request, error)


async def _http(request: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
    text = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    known = Ima2Error(code, error.status_code, text.get(error.status_code, "The request failed."))
    told = answer(request, known, {"error": {"code": code, "message": known.text}, "code": code})
    told.headers.update(error.headers or {})
    return told


async def _invalid(request: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    names = sorted({".".join(str(part) for part in one["loc"][1:]) for one in error.errors()})
    return answer(request, Ima2Error("INVALID_REQUEST", 400, f"Not valid: {', '.join(names)}."))


async def _crashed(request: Request, error: Exception) -> Json:
    path = getattr(request.scope.get("route"), "path", "") or request.url.path[:120]
    log.error("%s on %s, at %s", type(error).__name__, path, origin(error))
    return answer(
        request, Ima2Error("INTERNAL_ERROR", 500, "Something went wrong inside; the server's log says where.")
    )
