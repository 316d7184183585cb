"""The studio in this process, where no server runs: the same routes, parts, gallery and rules, asked by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ima2.cli.asgi import Application, AsgiTransport
from ima2.client import Client
from ima2.logs import configure
from ima2.runtime import Runtime, assemble, open_runtime
from ima2.server.app import create_app

if TYPE_CHECKING:
    import httpx

THUMBNAIL_S, INDEX_S = 20.0, 60.0


class LocalClient(Client):
    """Asks the studio of this process. What it has begun ends with it."""

    in_process = True

    def __init__(self, app: Application) -> None:
        super().__init__("http://localhost", name="cli")
        self._app = app

    def transport(self) -> httpx.AsyncBaseTransport:
        """The application itself."""
        return AsgiTransport(self._app)


@asynccontextmanager
async def open_local(plugins: str | None, *, index: bool = False) -> AsyncIterator[Client]:
    """Open the studio here and a client of it. ``plugins`` is the ``--plugins`` flag; with ``index`` the gallery's
    files are looked through first.

    Jobs that still run at the end are cancelled: nobody would collect what came later.
    """
    runtime = assemble(plugins=plugins)
    configure("silent" if runtime.settings.log_level == "silent" else "warn")
    async with open_runtime(runtime, background=False):
        if index:
            await _index(runtime)
        async with LocalClient(create_app(runtime)) as client:
            yield client
        await _thumbnails(runtime)


async def _index(runtime: Runtime) -> None:
    """See what lies in the gallery. A very large one is listed as far as it is known by then."""
    await asyncio.wait({runtime.library.refresh()}, timeout=INDEX_S)


async def _thumbnails(runtime: Runtime) -> None:
    """Let the new pictures have their thumbnails; without them they are made at the server's next start."""
    try:
        async with asyncio.timeout(THUMBNAIL_S):
            await runtime.library.thumbs.settled()
    except TimeoutError:
        return
