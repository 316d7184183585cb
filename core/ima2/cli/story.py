"""A job that tells its own story on the stream of its request: sent once, listened to until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ima2.cli.client import Client, refusal
from ima2.cli.destination import Received
from ima2.cli.events import Event
from ima2.cli.generation import attend, collect, named, picture_of
from ima2.cli.interruption import watched
from ima2.cli.options import remark
from ima2.cli.order import Order
from ima2.errors import Ima2Error

INCOMPLETE = "STREAM_INCOMPLETE"
Saying = Callable[[Event], None]


@dataclass(slots=True)
class Story:
    """What a job has told so far. ``saying`` is called with every event before the last one.

    ``pictures`` holds what came, also when the story ends badly; ``done`` is the last word of one that ended well.
    """

    saying: Saying | None = None
    pictures: list[Received] = field(default_factory=list, repr=False)
    done: dict[str, Any] | None = field(default=None, repr=False)
    phase: str = "queued"
    recovered: bool = False
    elapsed: float | None = None

    def hear(self, event: Event) -> bool:
        """Take in one event. Returns whether the story is over; raises `Ima2Error` when it ends with an error."""
        if event.name == "done":
            self.done = event.fields
            return True
        if event.name == "error":
            raise failure_of(event)
        if event.name == "image" and event.fields.get("image"):
            self.pictures.append(picture_of(event.fields))
        self.phase = _phase_of(event) or self.phase
        if self.saying is not None:
            self.saying(event)
        return False

    async def now(self) -> str:
        """The phase, for the live line."""
        return self.phase


async def listen(client: Client, order: Order, story: Story) -> None:
    """Send the order and listen to the end; ``story`` is filled on the way.

    A connection that breaks, or a time limit that is over, does not lose what the job makes: it is collected from the
    gallery. Raises `Ima2Error`, with the request id in its details; ``STREAM_INCOMPLETE`` for a stream that ends
    without a last word.
    """
    started = time.monotonic()
    try:
        async with watched() as asked:
            try:
                await attend(client, order, asked, _heard(client, order, story), story.now)
            except Ima2Error as error:
                story.pictures = await collect(client, order, asked, error, started)
                story.recovered = True
    except Ima2Error as error:
        error.details.setdefault("requestId", order.request_id)
        raise
    finally:
        story.elapsed = round(time.monotonic() - started, 1)


async def _heard(client: Client, order: Order, story: Story) -> None:
    await client.stream(order.path, body=order.body, headers=named(order), hear=story.hear, limit=order.limit)
    if story.done is None:
        raise Ima2Error(
            INCOMPLETE,
            0,
            f"The server ended the stream of job {order.request_id} without saying how it went; see `ima2 ls`.",
        )


def failure_of(event: Event) -> Ima2Error:
    """The error that an ``error`` event tells of, in any of the shapes that servers use."""
    status = event.fields.get("status")
    known = status if isinstance(status, int) and not isinstance(status, bool) else 0
    return refusal(known, event.fields, None)


def _phase_of(event: Event) -> str | None:
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


async def told(order: Order, server: str | None, plugins: str | None, story: Story) -> None:
    """Have the job done by the server that is found, or in this process where none runs."""
    from ima2.cli.choices import check_with
    from ima2.cli.discovery import seek

    found = await seek(server)
    if found is not None:
        async with Client(found.base) as client:
            await check_with(client, order.body)
            await listen(client, order, story)
        return
    remark("No server is running; doing it here.")
    from ima2.cli.inprocess import generate_here

    result = await generate_here(order, plugins, story.hear)
    story.pictures, story.done = result.pictures, dict(result.answer)
