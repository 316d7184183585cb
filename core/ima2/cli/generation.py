"""A picture job on a running server: sent once, waited for, stopped on Ctrl-C, collected when the answer got lost."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote

from ima2.cli.destination import MediaFile
from ima2.cli.interruption import interrupt_error, watch_interrupts
from ima2.cli.job_answer import JobAnswer
from ima2.cli.job_request import JobRequest
from ima2.cli.options import remark
from ima2.cli.progress import PhaseSource, live
from ima2.cli.promises import forget_promise, remember_promise
from ima2.cli.recovery import recover
from ima2.client import LOST, TIMED_OUT, Client
from ima2.errors import Ima2Error

T = TypeVar("T")
CANCEL_S = 5.0
_SETTLE_S, _FOREVER_S = 1.0, 31_536_000.0
FULL = "TOO_MANY_JOBS"


async def run_job(request: JobRequest, server: str | None) -> tuple[JobAnswer, str | None]:
    """Have the pictures made by the server that is found, or in this process where none runs: then its address is
    ``None``."""
    from ima2.cli.choices import check_with
    from ima2.cli.server_discovery import open_worker

    async with open_worker(server) as client:
        await check_with(client, request.body)
        if not client.in_process:
            remember_promise(request.request_id, request.destination)
        return await generate(client, request), None if client.in_process else client.base


async def generate(client: Client, request: JobRequest, asked: asyncio.Event | None = None) -> JobAnswer:
    """Have the pictures made. Raises `Ima2Error`; each of them names the request id in its details.

    ``asked`` is set by the caller's own watch for Ctrl-C, if it has one.
    """
    try:
        if asked is not None:
            return await _generate(client, request, asked)
        async with watch_interrupts() as own:
            return await _generate(client, request, own)
    except Ima2Error as error:
        end_badly(request, error)
        raise


def end_badly(request: JobRequest, error: Ima2Error) -> None:
    """Name the job in its failure. Where its files were to go is remembered only while some may still come."""
    error.details.setdefault("requestId", request.request_id)
    if error.code not in {TIMED_OUT, LOST}:
        forget_promise(request.request_id)


async def ask_cancelable(client: Client, request: JobRequest) -> dict[str, Any]:
    """Send the request and return the whole answer; Ctrl-C cancels the job. What got lost is not looked for."""
    try:
        async with watch_interrupts() as asked:
            return await wait_for_job(client, request, asked, _send(client, request))
    except Ima2Error as error:
        error.details.setdefault("requestId", request.request_id)
        raise


async def detach(client: Client, request: JobRequest) -> str:
    """Hand the job over without waiting. Returns the id under which it runs."""
    remember_promise(request.request_id, request.destination)
    answer = await client.ask("POST", request.path, body={**request.body, "async": True}, headers=id_header(request))
    return str(answer.get("requestId") or request.request_id)


async def wait_for_job(
    client: Client,
    request: JobRequest,
    asked: asyncio.Event,
    work: Coroutine[Any, Any, T],
    ask_phase: PhaseSource | None = None,
) -> T:
    """Wait for ``work`` under a live line. When ``asked`` is set, the job is cancelled on the server: exit code 130."""
    waiting, stop = asyncio.create_task(work), asyncio.create_task(asked.wait())
    try:
        async with live(ask_phase or (lambda: job_phase(client, request.request_id)), quiet=request.quiet):
            await asyncio.wait({waiting, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            await _stop(client, request, waiting)
        return waiting.result()
    finally:
        for task in (waiting, stop):
            task.cancel()
        await asyncio.gather(waiting, stop, return_exceptions=True)


async def collect_files(
    client: Client, request: JobRequest, asked: asyncio.Event, failure: Ima2Error, started: float
) -> list[MediaFile]:
    """What the job made, from the gallery, when ``failure`` is that its answer did not come; else raises
    ``failure``."""
    if failure.code not in {TIMED_OUT, LOST}:
        raise failure
    if client.in_process:
        await client.cancel(request.request_id)
        raise Ima2Error(TIMED_OUT, 0, f"The job took longer than {request.timeout} s and was cancelled.")
    deadline = None if request.timeout is None else started + request.timeout
    return await wait_for_job(client, request, asked, recover(client, request, failure, deadline))


async def _generate(client: Client, request: JobRequest, asked: asyncio.Event) -> JobAnswer:
    started = time.monotonic()
    try:
        return parse_answer(await wait_for_job(client, request, asked, _send(client, request)))
    except Ima2Error as error:
        pictures = await collect_files(client, request, asked, error, started)
        return JobAnswer(pictures, round(time.monotonic() - started, 1), recovered=True)


async def _send(client: Client, request: JobRequest) -> dict[str, Any]:
    async def send() -> dict[str, Any]:
        limit = longest_wait(client, request)
        return await client.ask("POST", request.path, body=request.body, headers=id_header(request), limit=limit)

    return await send_when_free(request, send)


async def send_when_free(request: JobRequest, send: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Send a request; where the server has neither line nor place, again when it says so. A refused one bought nothing.

    With ``--no-wait``, or when the time limit is over, its refusal (429 ``TOO_MANY_JOBS``) is raised.
    """
    until = None if request.timeout is None else time.monotonic() + request.timeout
    said = False
    while True:
        try:
            return await send()
        except Ima2Error as error:
            pause = error.retry_after
            if error.code != FULL or pause is None or "queue" not in request.body:
                raise
            if until is not None and time.monotonic() + pause > until:
                raise
            if not said and not request.quiet:
                remark("As many jobs run as the server takes; waiting for a free place (Ctrl-C gives up).")
            said = True
            await asyncio.sleep(pause)


def longest_wait(client: Client, request: JobRequest) -> float:
    """Seconds to wait for an answer. In this process there is nothing to come back to: only a person ends it early."""
    return _FOREVER_S if client.in_process and request.timeout is None else request.limit


def id_header(request: JobRequest) -> dict[str, str]:
    """The header that names the job."""
    return {"X-Request-Id": request.request_id}


async def job_phase(client: Client, request_id: str) -> str | None:
    """What a job is at, or its place in line; ``None`` for one that does not run."""
    answer = await client.ask("GET", "/api/inflight", limit=2.0)
    jobs = answer.get("jobs")
    rows = jobs if isinstance(jobs, list) else []
    row = next((row for row in rows if isinstance(row, dict) and row.get("requestId") == request_id), {})
    if isinstance(row.get("place"), int):
        return f"waiting in line, place {row['place']}"
    return row["phase"] if isinstance(row.get("phase"), str) else None


async def _stop(client: Client, request: JobRequest, waiting: asyncio.Task[Any]) -> None:
    """Cancel the job on the server and end with 130. A job that is just being admitted is asked for again."""
    path = f"/api/inflight/{quote(request.request_id, safe='')}"
    stopped = False
    with suppress(Ima2Error, TimeoutError):
        async with asyncio.timeout(CANCEL_S):
            until = time.monotonic() + _SETTLE_S
            while not stopped and not waiting.done() and time.monotonic() < until:
                stopped = (await client.ask("DELETE", path, limit=CANCEL_S)).get("active") is not False
                await asyncio.sleep(0 if stopped else 0.1)
    said = (
        f"Stopped: the job was cancelled{'' if client.in_process else ' on the server'}."
        if stopped or client.in_process
        else ("Stopped waiting, but the server did not say that it cancelled the job: see `ima2 ps`.")
    )
    raise interrupt_error(said, request.request_id)


def parse_answer(answer: Mapping[str, Any]) -> JobAnswer:
    """The pictures of an answer, one or several. None at all is ``NO_IMAGE``."""
    rows = answer.get("images") if isinstance(answer.get("images"), list) else [answer]
    pictures = [
        decode_picture(row) for row in rows or [] if isinstance(row, dict) and isinstance(row.get("image"), str)
    ]
    if not pictures:
        raise Ima2Error("NO_IMAGE", 0, "The server answered without a picture.")
    return JobAnswer(pictures, answer.get("elapsed"), list_warnings(answer), answer=answer)


def list_warnings(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the server warns of."""
    warnings = answer.get("warnings")
    return [one for one in warnings if isinstance(one, dict)] if isinstance(warnings, list) else []


def decode_picture(row: Mapping[str, Any]) -> MediaFile:
    """The picture of an answer's row: a data URL or bare base64 as bytes."""
    if isinstance(row["image"], MediaFile):
        return row["image"]
    text, declared = str(row["image"]), None
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        declared = head[5:].partition(";")[0]
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Ima2Error("NO_IMAGE", 0, "The server answered with a picture that is not base64.") from None
    name = row.get("filename")
    return MediaFile(data, name if isinstance(name, str) and name else None, declared)
