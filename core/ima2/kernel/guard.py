"""The one guard of every call into a plugin: bounded in time, and what goes wrong is that plugin's own problem.

No message of a foreign exception is logged, because it may quote a prompt: its kind, and where in the plugin it was.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import queue
import sys
import threading
import time
import types
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ima2.errors import Ima2Error
from ima2.kernel.discovery import explain

if TYPE_CHECKING:
    from ima2.contracts import Part
    from ima2.models import Json

T = TypeVar("T")
log = logging.getLogger("ima2.plugins")
SYNC_S = 1.0
"""How long a plain method of a plugin may take, in seconds."""
BLOCK_S = 0.5
"""A step of a coroutine that takes longer than this, in seconds, has held up everybody and is told."""
_SLICE_S = 0.1


_HOSTS = sys.stdlib_module_names | {
    "starlette",
    "fastapi",
    "uvicorn",
    "uvloop",
    "anyio",
    "click",
    "pluggy",
    "stevedore",
}
"""Packages that call plugins for us."""


def origin(error: BaseException) -> str:
    """Where an exception comes from, as ``file.py:12 in images``: the innermost frame of the first package that is
    neither ima2's own core nor what calls plugins for it, else the innermost frame of all."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(
            (package_of(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_frame.f_code, trace.tb_lineno)
        )
        trace = trace.tb_next
    first = next((root for root, _, _ in frames if root and root not in _HOSTS), None)
    own = [frame for frame in frames if first is None or frame[0] == first]
    if not own:
        return "an unknown place"
    _, code, line = own[-1]
    return f"{os.path.basename(code.co_filename)}:{line} in {code.co_name}"


def provider_failure(provider_id: str, error: BaseException) -> Ima2Error:
    """What a provider raised, as its client sees it.

    An `Ima2Error` is itself. A network failure that the provider let through is 502 ``NETWORK_FAILED`` (504
    ``NETWORK_TIMEOUT``) with the reason. Anything else is a bug, 500 ``PROVIDER_CRASHED``; the log says where.
    """
    if isinstance(error, Ima2Error):
        return error
    kind = type(error).__name__
    httpx = sys.modules.get("httpx")
    if (httpx is not None and isinstance(error, httpx.HTTPError)) or isinstance(error, ConnectionError):
        log.warning("provider %s: %s at %s", provider_id, kind, origin(error))
        late = "Timeout" in kind
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"it answered with status {status}" if status else _REASONS.get(kind, "the connection broke")
        text = f"The service of {provider_id} did not give an answer: {reason}."
        code, status = ("NETWORK_TIMEOUT", 504) if late else ("NETWORK_FAILED", 502)
        return Ima2Error(code, status, text, upstream_type=kind)
    log.error("provider %s crashed with %s at %s", provider_id, kind, origin(error))
    text = f"The provider {provider_id} failed unexpectedly ({kind}); the log says where."
    return Ima2Error("PROVIDER_CRASHED", 500, text)


_REASONS = {
    "ConnectError": "no connection could be made",
    "ConnectTimeout": "it did not answer in time",
    "ReadTimeout": "its answer did not come in time",
    "WriteTimeout": "it did not take the request in time",
    "PoolTimeout": "too many requests were open",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "the address is none of http or https",
}


# -- plain methods ------------------------------------------------------------------------------


class _Worker:
    """A thread that calls one thing after the other. It is left behind when a call does not come back."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="ima2-guard", daemon=True).start()

    def _run(self) -> None:
        while True:
            call, answers = self.calls.get()
            try:
                answers.put((call(), None))
            except BaseException as error:  # a plugin may raise anything
                answers.put((None, error))


_worker: list[_Worker] = []
_stuck: dict[tuple[int, str], Part] = {}
_lock = threading.Lock()
_LATE = "did not answer in time"


def ask(part: Part, what: str, kind: type | tuple[type, ...]) -> Any:
    """What a plain method of a part answers, within `SYNC_S`. Raises `Ima2Error` ``PLUGIN_ANSWER_INVALID`` for an
    exception, a wrong type or no answer in time; one that was once too late is not asked again."""
    with _lock:  # one call at a time, so that nobody waits behind one that hangs
        value, reason = (None, _LATE) if (id(part), what) in _stuck else _answer(part, what)
    if reason or not isinstance(value, kind):
        text = f"{part.id}.{what}() {reason or f'gave a {type(value).__name__}'}."
        raise Ima2Error("PLUGIN_ANSWER_INVALID", 500, text)
    return value


def _answer(part: Part, what: str) -> tuple[Any, str]:
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    run = contextvars.copy_context().run
    if not _worker:
        _worker.append(_Worker())
    _worker[0].calls.put((lambda: run(getattr(part, what)), answers))
    try:
        value, error = answers.get(timeout=SYNC_S)
    except queue.Empty:
        _worker.clear()
        _stuck[id(part), what] = part
        log.warning("%s.%s() did not answer within %g s and is not asked again", part.id, what, SYNC_S)
        return None, _LATE
    return value, f"failed: {explain(error)}" if error is not None else ""


def problem(part: Part) -> str | None:
    """What a part says is missing; that its `problem` does not work is a problem too."""
    try:
        said: str | None = ask(part, "problem", (str, types.NoneType))
    except Ima2Error as error:
        return error.text
    return said


def facts(part: Part, what: str) -> Mapping[str, Json]:
    """The mapping that ``about()`` or ``runtime()`` of a provider gives; empty where it gives none, or breaks."""
    try:
        return ask(part, what, (Mapping, types.NoneType)) or {}
    except Ima2Error as error:
        log.warning("%s", error.text)
        return {}


# -- coroutines ---------------------------------------------------------------------------------


async def call(part_id: str, work: Callable[[], Awaitable[T]], kind: type, seconds: float) -> T:
    """What an asynchronous method answers. Raises `Ima2Error`: its own, that of `provider_failure`, 504
    ``PROVIDER_TIMEOUT``, or 502 ``PROVIDER_ANSWER_INVALID`` for an answer of another type."""
    answer: list[T] = []

    async def run() -> None:
        answer.append(await work())

    error = await attempt(part_id, run, seconds)
    if isinstance(error, TimeoutError) and not answer:
        raise Ima2Error("PROVIDER_TIMEOUT", 504, f"{part_id} did not answer within {seconds:g} seconds.") from None
    if error is not None:
        raise provider_failure(part_id, error) from None
    if not isinstance(answer[0], kind):
        text = f"{part_id} gave a {type(answer[0]).__name__} where a {kind.__name__} is wanted."
        raise Ima2Error("PROVIDER_ANSWER_INVALID", 502, text)
    return answer[0]


async def attempt(
    name: str, work: Callable[[], Awaitable[Any]], seconds: float, *, longest: float = 0.0
) -> BaseException | None:
    """Run in a task of its own, and say what went wrong: what it raised, or that it was too late.

    Time in which somebody else held up the event loop does not count; one that holds it up itself for longer than it
    has (or than ``longest``) is too late as well. Work that ignores its cancellation is left behind.
    """
    watch = _Watch(name)
    task = asyncio.ensure_future(outcome(lambda: watch.steps(work)))
    left = seconds
    try:
        while left > 0 and not task.done():
            began = time.monotonic()
            await asyncio.wait({task}, timeout=min(left, _SLICE_S))
            left -= min(time.monotonic() - began, 2 * _SLICE_S)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if watch.longest > (longest or max(seconds, BLOCK_S)):
        task.cancel()
        return TimeoutError(f"it held up the event loop for {watch.longest:.1f} s")
    if task.done():
        return RuntimeError("it cancelled itself") if task.cancelled() else task.result()
    task.cancel()
    await asyncio.wait({task}, timeout=min(0.5, seconds))
    return TimeoutError(f"not done after {seconds:g} s")


async def outcome(work: Callable[[], Awaitable[Any]]) -> BaseException | None:
    """What the work raised, ``None`` for nothing. No ``SystemExit`` gets out; being cancelled is raised."""
    try:
        await work()
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return error
    return None


class _Watch:
    """Measures each step of a coroutine: whoever takes long between two awaits holds up everybody."""

    def __init__(self, name: str) -> None:
        self.name, self.longest = name, 0.0

    @types.coroutine
    def steps(self, work: Callable[[], Awaitable[Any]]) -> Generator[Any, Any, None]:
        steps: Any = work().__await__()
        thrown: BaseException | None = None
        while True:
            began = time.perf_counter()
            try:
                waiting = next(steps) if thrown is None else steps.throw(thrown)
            except StopIteration:
                return
            finally:
                self._note(time.perf_counter() - began)
            thrown = None
            try:
                yield waiting
            except BaseException as error:
                thrown = error

    def _note(self, took: float) -> None:
        if took > BLOCK_S:
            log.warning("%s held up the event loop for %.1f s", self.name, took)
        self.longest = max(self.longest, took)


async def stream(provider_id: str, updates: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """A provider's updates as a generator that closes what it reads.

    ``SystemExit``, and a cancellation that nobody asked for, come out as 500 ``PROVIDER_CRASHED``: neither may end the
    process, or the job without a word.
    """
    try:
        async for update in updates:
            yield update
    except (GeneratorExit, KeyboardInterrupt, Exception):
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        raise provider_failure(provider_id, error) from None
    finally:
        close = getattr(updates, "aclose", None)
        if close is not None:
            await close()


def end_within(seconds: float) -> None:
    """Let this process end now or in so many seconds, whatever a plugin still does in a thread or task."""

    def end() -> None:
        time.sleep(seconds)
        log.warning("something did not stop within %g s; the process ends without it", seconds)
        logging.shutdown()
        os._exit(0)

    threading.Thread(target=end, name="ima2-end", daemon=True).start()


def package_of(module: str) -> str:
    """The package a module belongs to, as far as it is one plugin's; nothing for ima2's own core."""
    parts = module.split(".")
    if parts[0] == "ima2":
        return ""
    return ".".join(parts[:2]) if parts[0] == "ima2_plugins" else parts[0]
