"""Several upstream calls at once, as one stream of updates."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

from ima2.errors import Ima2Error
from ima2.models import Failed, Update


async def merged(streams: Sequence[Callable[[], AsyncIterator[Update]]]) -> AsyncGenerator[Update, None]:
    """Run candidates at once and yield their updates as they come.

    Each callable starts one stream. An `Ima2Error` of stream *i* becomes ``Failed(i, error)``, and so does a
    cancellation of its own making; the others go on. Any other exception ends all of them and is raised. When the
    consumer stops, every stream is cancelled and waited for.
    """
    import asyncio  # here, because listing plugins must not pay for it

    queue: asyncio.Queue[Update | Exception | None] = asyncio.Queue()

    async def drain(index: int, start: Callable[[], AsyncIterator[Update]]) -> None:
        try:
            async for update in start():
                queue.put_nowait(update)
        except Ima2Error as error:
            queue.put_nowait(Failed(index, error))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            text = "Something this candidate waited for was cancelled from within."
            queue.put_nowait(Failed(index, Ima2Error("CANDIDATE_CANCELED", 500, text)))
        except Exception as error:  # a bug: handed to the consumer, which raises it
            queue.put_nowait(error)
        finally:
            queue.put_nowait(None)

    tasks = [asyncio.create_task(drain(index, start)) for index, start in enumerate(streams)]
    running = len(tasks)
    try:
        while running:
            update = await queue.get()
            if update is None:
                running -= 1
            elif isinstance(update, Exception):
                raise update
            else:
                yield update
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
