"""Showing the gallery's folder in the desktop's own file manager."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

from fastapi import APIRouter

import ima2

PROGRAMS = {"darwin": "open", "win32": "explorer"}
PATIENCE_S = 0.25


def router(ctx: ima2.PluginContext) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["status"])

    @routes.post("/api/storage/open-generated-dir", summary="Open the gallery's folder")
    async def open_folder() -> dict[str, bool]:
        """On the machine of the server. Takes no path."""
        example = ctx.library.storage.local_path("x")
        if example is None:
            raise _failed("The gallery is not in a folder of this machine.")
        await asyncio.to_thread(_open, example.parent)
        return {"ok": True}

    return routes


def _open(folder: Path) -> None:
    """Start the file manager; one that still runs after a moment works. Blocks for that moment."""
    program = PROGRAMS.get(sys.platform, "xdg-open")
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    try:
        ima2.private_folder(folder)
        pid = os.posix_spawnp(program, [program, str(folder)], os.environ, file_actions=silent, setsid=True)
    except OSError as error:
        raise _failed(f"{program} cannot be started: {error.strerror or type(error).__name__}.") from None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended and status:
            raise _failed(f"{program} ended with code {os.waitstatus_to_exitcode(status)}.")
        if ended:
            return
        time.sleep(0.01)
    threading.Thread(target=os.waitpid, args=(pid, 0), daemon=True).start()  # so that nothing is left of it


def _failed(text: str) -> ima2.Ima2Error:
    error = {"ok": False, "error": {"code": "OPEN_GENERATED_DIR_FAILED", "message": text}}
    return ima2.Ima2Error("OPEN_GENERATED_DIR_FAILED", 500, text, details=error)
