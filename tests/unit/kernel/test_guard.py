"""The guard: bounded in time, and what a plugin raises is told as its own problem."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

import ima2
from ima2.kernel import guard
from ima2.testing import EchoProvider

SECRET = "a prompt about a boat"


class Saying(EchoProvider):
    """A provider whose plain methods do what they are given to do."""

    id = "saying"

    def __init__(self, answer: Callable[[], Any]) -> None:
        super().__init__()
        self.answer, self.calls = answer, 0

    def problem(self) -> str | None:
        self.calls += 1
        said: str | None = self.answer()
        return said

    def about(self) -> Any:
        return self.answer()


def leave() -> None:
    raise SystemExit(3)


def bug() -> None:
    raise RuntimeError(SECRET)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda: None, None),
        (lambda: "No key.", "No key."),
        (leave, "saying.problem() failed: SystemExit: 3."),
        (lambda: 7, "saying.problem() gave a int."),
    ],
)
def test_a_problem_is_a_sentence_whatever_the_part_does(answer: Any, told: str | None) -> None:
    assert guard.problem(Saying(answer)) == told


def test_a_part_that_does_not_answer_is_waited_for_once_and_holds_up_no_other() -> None:
    slow, quick = Saying(lambda: time.sleep(20)), Saying(lambda: "No key.")
    began = time.monotonic()
    told = [guard.problem(slow), guard.problem(slow), guard.problem(quick)]
    assert told == ["saying.problem() did not answer in time."] * 2 + ["No key."]
    assert slow.calls == 1
    assert time.monotonic() - began < 2 * guard.SYNC_S


def test_facts_that_are_no_mapping_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert guard.facts(Saying(lambda: {"a": 1}), "about") == {"a": 1}
    assert guard.facts(Saying(lambda: ["a"]), "about") == {}
    assert "saying.about() gave a list" in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (ima2.Ima2Error("MINE", 418, "Mine."), "MINE", 418),
        (httpx.ConnectError(SECRET), "NETWORK_FAILED", 502),
        (httpx.ReadTimeout(SECRET), "NETWORK_TIMEOUT", 504),
        (httpx.RemoteProtocolError(SECRET), "NETWORK_FAILED", 502),
        (ConnectionResetError(SECRET), "NETWORK_FAILED", 502),
        (KeyError(SECRET), "PROVIDER_CRASHED", 500),
        (SystemExit(SECRET), "PROVIDER_CRASHED", 500),
    ],
)
def test_a_providers_failure_has_a_code_and_never_its_words(
    error: BaseException, code: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    failure = guard.provider_failure("echo", error)
    assert (failure.code, failure.status) == (code, status)
    assert SECRET not in failure.text + caplog.text


def test_the_place_of_a_crash_is_the_innermost_frame_of_the_plugins_own_file() -> None:
    def own(work: Callable[[], Any]) -> None:
        work()

    with pytest.raises(TypeError) as caught:
        own(lambda: httpx.URL(7))  # type: ignore[arg-type]
    assert guard.origin(caught.value).startswith("test_guard.py:")
    assert "<lambda>" in guard.origin(caught.value)


async def test_an_answer_is_bounded_and_of_its_type() -> None:
    async def late() -> str:
        await asyncio.sleep(20)
        return ""

    async def wrong() -> Any:
        return 7

    async def broken() -> str:
        raise SystemExit

    async def good() -> str:
        return "good"

    assert await guard.call("echo", good, str, 1) == "good"
    for work, code in (
        (late, "PROVIDER_TIMEOUT"),
        (wrong, "PROVIDER_ANSWER_INVALID"),
        (broken, "PROVIDER_CRASHED"),
    ):
        with pytest.raises(ima2.Ima2Error) as caught:
            await guard.call("echo", work, str, 0.1)
        assert caught.value.code == code


async def test_who_holds_up_the_loop_is_named_and_the_innocent_are_not_too_late(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def blocking() -> None:
        time.sleep(1.2)

    async def innocent() -> None:
        await asyncio.sleep(0.3)

    found = await asyncio.gather(
        guard.attempt("plugin bad", blocking, 0.6), guard.attempt("plugin good", innocent, 0.6)
    )
    assert "held up the event loop for 1.2 s" in str(found[0])
    assert found[1] is None
    assert "plugin bad held up the event loop" in caplog.text
    assert "plugin good" not in caplog.text


async def test_work_that_swallows_its_cancellation_is_left_behind() -> None:
    stop = asyncio.Event()

    async def stubborn() -> None:
        while not stop.is_set():
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                continue

    began = time.monotonic()
    assert isinstance(await guard.attempt("x", stubborn, 0.1), TimeoutError)
    assert time.monotonic() - began < 1
    stop.set()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError()])
async def test_a_stream_that_would_end_the_process_or_the_job_ends_as_a_crash(error: BaseException) -> None:
    async def updates() -> AsyncIterator[int]:
        yield 1
        raise error

    stream = guard.stream("echo", updates())
    assert await anext(stream) == 1
    with pytest.raises(ima2.Ima2Error) as caught:
        await anext(stream)
    assert caught.value.code == "PROVIDER_CRASHED"


async def test_a_stream_that_is_really_cancelled_stays_cancelled_and_is_closed() -> None:
    closed = asyncio.Event()

    async def updates() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(20)
        finally:
            closed.set()

    async def read() -> None:
        async for _ in guard.stream("echo", updates()):
            begun.set()

    begun = asyncio.Event()
    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()


def test_no_log_line_of_the_guard_is_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        guard.provider_failure("echo", RuntimeError(SECRET))
    assert [record.exc_info for record in caplog.records] == [None]
