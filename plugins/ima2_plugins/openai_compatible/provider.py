"""A server as a provider: pictures, words, models, and what stands in the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ima2 import (
    Capabilities,
    Credential,
    Failed,
    Ima2Error,
    ImageRequest,
    Job,
    Model,
    Notice,
    Phase,
    Provider,
    ProviderStatus,
    TextRequest,
    TextResult,
    Update,
    Usage,
    merged,
)
from ima2_plugins.openai_compatible import answer, drawing, listing, words
from ima2_plugins.openai_compatible.capabilities import capabilities
from ima2_plugins.openai_compatible.connection import Connection
from ima2_plugins.openai_compatible.settings import CompatibleSettings, Server, read_server

if TYPE_CHECKING:
    import httpx

_GONE = "It is no longer in the settings."


class CompatibleProvider(Provider):
    """One server of the settings. Each has a class of its own: see `servers.named`."""

    id: ClassVar[str] = "server"
    name: ClassVar[str] = "server"
    """Its name in the settings."""
    title: ClassVar[str] = "Server"
    marks_orders = True

    def __init__(
        self,
        server: Server | str,
        http: Callable[[], httpx.AsyncClient],
        log: logging.Logger,
        fetch: answer.Fetch,
    ) -> None:
        self._http, self._log, self._fetch = http, log, fetch
        self._take(server)

    def _take(self, server: Server | str) -> None:
        self._server = server if isinstance(server, Server) else None
        self._wrong = None if isinstance(server, Server) else server
        self.capabilities = capabilities(server) if isinstance(server, Server) else Capabilities(media=("image",))
        self.credentials = (self._credential(),)

    async def reconfigure(self, settings: object) -> None:
        """Take new settings. A server that is new to them is a provider from the next start."""
        if isinstance(settings, CompatibleSettings):
            entry = settings.servers.get(self.name)
            self._take(_GONE if entry is None else read_server(entry))

    def problem(self) -> str | None:
        """What is wrong with its settings."""
        return self._wrong if self._server is None else self._server.problem()

    async def status(self) -> ProviderStatus:
        """Whether it answers and takes the key, by its list of models."""
        if problem := self.problem():
            return ProviderStatus("error", reason=problem)
        return await listing.status(self._connection())

    async def verify(self, values: Mapping[str, str]) -> ProviderStatus:
        """Whether the server takes a key, by its list of models."""
        from pydantic import SecretStr

        if self._server is None:
            return ProviderStatus("error", reason=self.problem())
        update = {"api_key": SecretStr(values.get("api_key", "")), "api_key_env": ""}
        trial = self._server.model_copy(update=update)
        if problem := trial.problem():
            return ProviderStatus("error", reason=problem)
        return await listing.status(Connection(trial, self.title, self._http))

    async def models(self) -> Sequence[Model]:
        """What the server lists. Where the settings name no models, these are the ones that can be asked for."""
        if self.problem() or self._server is None:
            return ()
        found = await listing.models(self._connection())
        if found:
            self.capabilities = capabilities(self._server, found)
        return found

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Pictures as they are read, and what it took: one call, or one a picture where the server takes no ``n``."""
        connection = self._connection()
        if not self.capabilities.media:
            raise self.unsupported("image")
        if request.mask is not None and request.source is None:
            raise Ima2Error("MASK_UNSUPPORTED", 400, "A mask goes with the picture that it is for.")
        for notice in self._remarks(request, connection.server):
            yield notice
        yield Phase("streaming")
        ordered = _Order(job, free=connection.server.free)
        together = connection.server.batch or request.count == 1
        calls = [(0, request.count)] if together else [(place, 1) for place in range(request.count)]
        streams = [partial(self._call, request, job, connection, ordered, *call) for call in calls]
        async with aclosing(streams[0]() if len(streams) == 1 else merged(streams)) as updates:  # type: ignore[type-var]
            async for update in updates:
                yield update

    async def _call(
        self, request: ImageRequest, job: Job, connection: Connection, ordered: _Order, first: int, count: int
    ) -> AsyncIterator[Update]:
        server = connection.server
        content = drawing.content(request, server, count)
        await ordered.mark()
        value = await connection.post(drawing.endpoint(request), min(server.timeout_s, job.remaining()), **content)
        rows = answer.rows(value, self.title)
        if usage := self._usage(value, min(len(rows), count), first if count == 1 else None):
            yield usage
        if len(rows) > count:
            text = "The server made more pictures than were asked for; those were not kept."
            yield Notice("EXTRA_IMAGES_IGNORED", text, {"extraIgnored": len(rows) - count})
        reader = answer.Reader(connection, self._fetch, min(server.timeout_s, job.remaining()))
        for place in range(count):
            row = rows[place] if place < len(rows) else {}
            try:
                yield await reader.artifact(row, first + place, value, request.model)
            except Ima2Error as error:  # one bad picture never costs the others
                yield Failed(first + place, error)

    async def text(self, request: TextRequest) -> TextResult:
        """Words from words and pictures, after earlier turns; with a schema, a JSON document."""
        connection = self._connection()
        server = connection.server
        if not server.words:
            raise self.unsupported("text")
        model = request.model or next(iter(server.text_models), "")
        value = await connection.post(words.CHAT, server.timeout_s, json=words.body(request, model))
        return words.result(value, request, model, self.title)

    # -- parts of the work ------------------------------------------------------------------------

    def _connection(self) -> Connection:
        if self._server is None or self.problem():
            text = f"{self.title} cannot be asked. {self.problem()}"
            raise Ima2Error("COMPATIBLE_NOT_READY", 503, text)
        known = tuple(one.id for one in self.capabilities.models if one.supported)
        return Connection(self._server, self.title, self._http, known)

    def _remarks(self, request: ImageRequest, server: Server) -> list[Notice]:
        """What of a request cannot be passed on."""
        if server.qualities or request.quality in ("", "medium", "auto"):
            return []
        text = "This server is not asked for a quality; the picture comes as it makes it."
        return [Notice("QUALITY_NOT_SENT", text, {"field": "quality", "requested": request.quality})]

    def _usage(self, value: dict[str, Any], pictures: int, index: int | None) -> Usage | None:
        each = self._server.usd_per_image if self._server else None
        tokens = words.usage(value)
        if tokens is None and each is None:
            return None
        return Usage(tokens, cost=None if each is None else each * pictures, index=index)

    def _credential(self) -> Credential:
        named = self._server.api_key_env if self._server else ""
        hint = f"The key stands as api_key below plugins.openai_compatible.servers.{self.name} in config.json."
        return Credential("api_key", f"Key of {self.title}", "key", env=named, hint=hint)


class _Order:
    """Marks a job as ordered, once, before its first call; free work is never marked."""

    def __init__(self, job: Job, *, free: bool) -> None:
        self._job, self._done, self._lock = job, free, asyncio.Lock()

    async def mark(self) -> None:
        async with self._lock:
            if not self._done:
                await self._job.order()
                self._done = True
