"""A picture job in this process, where no server runs: the same parts, the same gallery, the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ima2.catalogue import capabilities
from ima2.cli.choices import check_choices
from ima2.cli.destination import MediaFile
from ima2.cli.interruption import interrupt_error, watch_interrupts
from ima2.cli.job_answer import JobAnswer
from ima2.cli.job_request import JobRequest
from ima2.cli.progress import live
from ima2.client import TIMED_OUT
from ima2.errors import Ima2Error
from ima2.event_stream import StreamEvent
from ima2.jobs.jobs import RunningJob
from ima2.logs import configure
from ima2.models import Picture
from ima2.runtime import Runtime, assemble, open_runtime
from ima2.ways.classic import Classic
from ima2.ways.edit import Edit
from ima2.ways.multimode import Multimode
from ima2.ways.node import Node
from ima2.ways.way import Outcome, Way

THUMBNAIL_S = 20.0


EventHandler = Callable[[StreamEvent], object]
_READERS: dict[str, Any] = {
    "/api/generate": Classic.read,
    "/api/edit": Edit.read,
    "/api/generate/multimode": Multimode.read,
}


async def run_in_process(
    request: JobRequest, plugins: str | None = None, handle: EventHandler | None = None
) -> JobAnswer:
    """Do the whole job in this process and keep its pictures in the gallery. ``plugins`` is the ``--plugins`` flag;
    ``handle`` is called with every event on the way.

    Ctrl-C and a time limit cancel the upstream call: nobody would collect what came later.
    """
    runtime = assemble(plugins=plugins)
    configure("silent" if runtime.settings.log_level == "silent" else "warn")
    check_choices(capabilities(runtime.registry, runtime.settings, source="local", server=None), request.body)
    try:
        async with watch_interrupts() as asked, open_runtime(runtime, background=False):
            way = await _way(runtime, request)
            running = await runtime.studio.admit(way)
            task = runtime.studio.start(way, running, _telling(handle) if handle else None)
            outcome = await _outcome(runtime, request, running, task, asked)
            await _thumbnails(runtime)
    except Ima2Error as error:
        error.details.setdefault("requestId", request.request_id)
        raise
    pictures = [MediaFile(made.kept.picture.data, made.kept.key) for made in outcome.made]
    return JobAnswer(pictures, outcome.elapsed, outcome.warnings, answer=way.reply(outcome))


async def _way(runtime: Runtime, request: JobRequest) -> Way:
    """The request, read as the route of its path reads it."""
    studio = runtime.studio
    if request.path == "/api/node/generate":
        storage = runtime.library.storage
        return await Node.read(request.body, studio.provider, storage, studio.limits, request.request_id)
    way: Way = _READERS[request.path](request.body, studio.provider, studio.limits, request.request_id)
    return way


def _telling(handle: EventHandler) -> Callable[[str, Mapping[str, Any]], None]:
    """Hands on what a job tells before its end, pictures as they would have come over the wire."""

    def tell(name: str, data: Mapping[str, Any]) -> None:
        image = data.get("image")
        whole = {**data, "image": MediaFile(image.data, data.get("filename"))} if isinstance(image, Picture) else data
        if name not in {"done", "error"}:
            handle(StreamEvent(name, whole))

    return tell


async def _outcome(
    runtime: Runtime, request: JobRequest, running: RunningJob, task: asyncio.Task[Outcome], asked: asyncio.Event
) -> Outcome:
    """Wait for the end of the job, a person's Ctrl-C or the time limit, whichever comes first."""

    async def phase() -> str:
        return running.record.phase

    stop = asyncio.create_task(asked.wait())
    try:
        async with live(phase, quiet=request.quiet):
            await asyncio.wait({task, stop}, timeout=request.timeout, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        await runtime.jobs.cancel(request.request_id)
        await asyncio.wait({task})
        if asked.is_set():
            raise interrupt_error("Stopped: the job was cancelled.", request.request_id)
        raise Ima2Error(TIMED_OUT, 0, f"The job took longer than {request.timeout} s and was cancelled.")
    finally:
        stop.cancel()
        if task.done() and not task.cancelled():
            task.exception()


async def _thumbnails(runtime: Runtime) -> None:
    """Let the new pictures have their thumbnails; without them they are made at the server's next start."""
    try:
        async with asyncio.timeout(THUMBNAIL_S):
            await runtime.library.thumbs.settled()
    except TimeoutError:
        return
