"""Mounting what plugins bring, all of a plugin or nothing of it: routes below their prefix, and folders of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from ima2.errors import Ima2Error
from ima2.kernel.boot import Booted, disable
from ima2.kernel.collect import routers, sites
from ima2.offers import Routes
from ima2.server.replies import Json, failure

if TYPE_CHECKING:
    from fastapi import FastAPI

_PREFIX = re.compile(r"(/[a-z0-9][a-z0-9_.-]*)+")
_MOUNT = frozenset({"a folder"})


def mount(app: FastAPI, routes: Iterable[BaseRoute]) -> None:
    """Take routes as they are, matching paths without regard to case, as the reference does."""
    for route in routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is not None:
            route.path_regex = re.compile(pattern.pattern, re.IGNORECASE)  # type: ignore[attr-defined]
        app.router.routes.append(route)


def mount_routers(app: FastAPI, booted: Booted) -> None:
    """Mount every plugin's routes. One that is taken, or lies outside its prefix, puts its plugin out of use."""
    app.state.prefixes = {}
    app.state.own = {_top(path) for path, _ in _paths(app.router.routes)} - {"/api"}
    for name, routes in routers(booted):
        own = _with_prefix(routes)
        problem = _problem(routes.prefix, own, app)
        if problem:
            disable(booted, name, "ima2_routes", problem)
            booted.raise_if_named(booted.record(name))
            continue
        mount(app, own)
        if routes.errors is not None:
            app.state.prefixes[routes.prefix] = routes.errors


def mount_sites(app: FastAPI, booted: Booted, page: Sequence[BaseRoute]) -> None:
    """Mount ima2's own ``page`` and every plugin's folder of files, the longest path first: ``/`` swallows the rest."""
    found: dict[str, Any] = {}
    for name, site in sites(booted):
        path = site.path.rstrip("/")
        problem = _problem(path, [], app) if path else None
        if problem or path in found or not site.folder.is_dir():
            disable(booted, name, "ima2_site", problem or f"{site.path} is taken, or its folder is missing.")
            booted.raise_if_named(booted.record(name))
        else:
            found[path] = Mount(path, app=StaticFiles(directory=site.folder, html=True))
    mount(app, [found.pop(path) for path in sorted(found, key=len, reverse=True) if path])
    mount(app, [route for route in page if not found or getattr(route, "path", "") != "/"])
    mount(app, found.values())


def answer(request: Request, error: Ima2Error, body: Mapping[str, Any] | None = None) -> Json:
    """A failure in the shape of the prefix it happened below, else ``body`` or ima2's own."""
    shapes = request.app.state.prefixes
    shape = next((shapes[prefix] for prefix in shapes if f"{request.url.path}/".startswith(f"{prefix}/")), None)
    if shape is not None:
        with suppress(Exception):  # a shape that breaks is no reason to answer nothing
            return failure(error, dict(shape(error)))
    return failure(error, body)


def _with_prefix(routes: Routes) -> list[BaseRoute]:
    from fastapi import APIRouter

    if not routes.prefix:
        return list(routes.router.routes)
    outer = APIRouter()
    outer.include_router(routes.router, prefix=routes.prefix)
    return list(outer.routes)


def _problem(prefix: str, routes: Sequence[BaseRoute], app: FastAPI) -> str | None:
    """Why routes may not be mounted, in a sentence; ``None`` if they may."""
    if prefix and (not _PREFIX.fullmatch(prefix) or _top(prefix) in app.state.own):
        return f"The prefix {prefix} is not a path in small letters, or is ima2's own."
    taken = [(_shape(path), methods) for path, methods in _paths(app.router.routes)]
    base = prefix or "/api"
    for path, methods in _paths(routes):
        if not path.startswith(f"{base}/") and (not prefix or path != prefix):
            return f"Route {path or '/'} is not below {base}/."
        for other, served in taken:
            below = methods == _MOUNT and f"{other}/".startswith(f"{_shape(path)}/")
            clash = sorted(methods & served) if other == _shape(path) else []
            if below or clash:
                return f"{' '.join([*clash[:1], path])} is already served."
    return None


def _paths(routes: Iterable[Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """Every path with its methods, those of routers inside routers too. A kind that cannot be checked has no path."""
    for route in routes:
        inner = getattr(route, "effective_route_contexts", None)
        if inner is not None:
            yield from _paths(getattr(one, "starlette_route", None) or one for one in inner())
        elif isinstance(getattr(route, "original_route", route), Route):
            yield route.path, frozenset(route.methods or ())
        elif isinstance(route, WebSocketRoute | Mount):
            yield route.path, _MOUNT if isinstance(route, Mount) else frozenset({"WEBSOCKET"})
        else:
            yield "", frozenset()


def _top(path: str) -> str:
    return "/" + path.partition("/")[2].partition("/")[0]


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path.lower())
