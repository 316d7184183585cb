"""Failures of sessions and graphs: ``{"error": {"code", "message"}}``, with what else a client needs beside it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

import ima2
from ima2 import web


class SessionRoute(APIRoute):
    """A route whose refusals have that shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def nested(request: Request) -> Response:
            try:
                return await handle(request)
            except ima2.Ima2Error as error:
                return web.failure(error, {"error": {"code": error.code, "message": error.text}, **error.details})

        return nested
