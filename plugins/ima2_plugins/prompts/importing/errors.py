"""Refusals of imports, in the nested shape that their clients read."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

import ima2
from ima2 import web

log = logging.getLogger("ima2.plugins.prompts")


def invalid(text: str) -> ima2.Ima2Error:
    """400 ``INVALID_GITHUB_SOURCE``."""
    return ima2.Ima2Error("INVALID_GITHUB_SOURCE", 400, text)


def unsupported_extension() -> ima2.Ima2Error:
    """400 ``UNSUPPORTED_EXTENSION``."""
    return ima2.Ima2Error("UNSUPPORTED_EXTENSION", 400, "Only .md, .markdown and .txt files are read.")


def nothing_found(text: str = "The source holds no prompt of a usable length.") -> ima2.Ima2Error:
    """422 ``PROMPT_IMPORT_EMPTY``."""
    return ima2.Ima2Error("PROMPT_IMPORT_EMPTY", 422, text)


def nested(error: ima2.Ima2Error) -> Response:
    """``{"error": {"code", "message"}}``, with what else the error says beside it."""
    body = {"error": {"code": error.code, "message": error.text}, **error.details}
    return web.failure(error, body)


class ImportRoute(APIRoute):
    """A route whose failures have the nested shape, faults of our own included."""

    fault = "PROMPT_IMPORT_FAILED"

    def get_route_handler(self) -> Callable[[Request], Awaitable[Any]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Any:
            try:
                return await handle(request)
            except ima2.Ima2Error as error:
                return nested(error)
            except OSError as error:
                log.warning("an import failed with %s", type(error).__name__)
                text = f"A file of the studio could not be read or written: {error.strerror or 'input/output error'}."
                return nested(ima2.Ima2Error(self.fault, 500, text))

        return guarded
