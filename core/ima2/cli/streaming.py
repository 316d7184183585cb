"""A job that reports on the stream of its request: sent once, listened to until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ima2.cli.destination import MediaFile
from ima2.cli.generation import (
    collect_files,
    decode_picture,
    end_badly,
    id_header,
    longest_wait,
    send_when_free,
    wait_for_job,
)
from ima2.cli.interruption import watch_interrupts
from ima2.cli.job_request import JobRequest
from ima2.cli.output import is_quiet
from ima2.cli.promises import remember_promise
from ima2.client import Client, refusal
from ima2.errors import Ima2Error
from ima2.event_stream import StreamEvent

INCOMPLETE = "STREAM_INCOMPLETE"
Listener = Callable[[StreamEvent], None]


@dataclass(slots=True)
class StreamResult:
    """What a job has reported so far. ``listener`` is called with every event before the last one.

    ``pictures`` holds what came, also when the job ends badly; ``done`` is the last word of one that ended well.
    """

    listener: Listener | None = None
    pictures: list[MediaFile] = field(default_factory=list, repr=False)
    done: dict[str, Any] | None = field(default=None, repr=False)
    phase: str = "queued"
    recovered: bool = False
    elapsed: float | None = None

    def handle(self, event: StreamEvent) -> bool:
        """Take in one event. Returns whether the job is over; raises `Ima2Error` when it ends with an error."""
        if event.name == "done":
            self.done = event.fields
            return True
        if event.name == "error":
            raise event_error(event)
        if event.name == "image" and event.fields.get("image"):
            self.pictures.append(decode_picture(event.fields))
        self.phase = _phase_of(event) or self.phase
        if self.listener is not None and not is_quiet():
            self.listener(event)
        return False

    async def now(self) -> str:
        """The phase, for the live line."""
        return self.phase


async def listen(client: Client, request: JobRequest, stream: StreamResult) -> None:
    """Send the request and listen to the end; ``stream`` is filled on the way.

    A connection that breaks, or a time limit that is over, does not lose what the job makes: it is collected from the
    gallery. Raises `Ima2Error`, with the request id in its details; ``STREAM_INCOMPLETE`` for a stream that ends
    without a last word.
    """
    started = time.monotonic()
    try:
        async with watch_interrupts() as asked:
            try:
                await wait_for_job(client, request, asked, _listen(client, request, stream), stream.now)
            except Ima2Error as error:
                stream.pictures = await collect_files(client, request, asked, error, started)
                stream.recovered = True
    except Ima2Error as error:
        end_badly(request, error)
        raise
    finally:
        stream.elapsed = round(time.monotonic() - started, 1)


async def _listen(client: Client, request: JobRequest, stream: StreamResult) -> None:
    async def send() -> None:
        limit = longest_wait(client, request)
        head = id_header(request)
        await client.stream(request.path, body=request.body, headers=head, handle=stream.handle, limit=limit)

    await send_when_free(request, send)
    if stream.done is None:
        raise Ima2Error(
            INCOMPLETE,
            0,
            f"The server ended the stream of job {request.request_id} without saying how it went; see `ima2 ls`.",
        )


def event_error(event: StreamEvent) -> Ima2Error:
    """The error that an ``error`` event tells of, in any of the shapes that servers use."""
    status = event.fields.get("status")
    known = status if isinstance(status, int) and not isinstance(status, bool) else 0
    return refusal(known, event.fields, None)


def _phase_of(event: StreamEvent) -> str | None:
    if event.name == "progress":
        share = event.fields.get("progress")
        known = isinstance(share, int | float) and not isinstance(share, bool)
        return bar(float(share)) if known and share is not None else None
    if event.name == "phase":
        phase = event.fields.get("phase")
        return phase if isinstance(phase, str) else None
    return {"planning": "planning", "submitted": "rendering"}.get(event.name)


def bar(share: float) -> str:
    """A fraction as 20 cells and a percentage."""
    share = min(max(share, 0.0), 1.0)
    full = round(share * 20)
    return f"{'█' * full}{'░' * (20 - full)} {round(share * 100)}%"


async def run_streaming(request: JobRequest, server: str | None, stream: StreamResult) -> None:
    """Have the job done by the server that is found, or in this process where none runs."""
    from ima2.cli.choices import check_with
    from ima2.cli.server_discovery import open_worker

    async with open_worker(server) as client:
        await check_with(client, request.body)
        if not client.in_process:
            remember_promise(request.request_id, request.destination)
        await listen(client, request, stream)
