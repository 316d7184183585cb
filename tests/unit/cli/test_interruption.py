"""Ctrl-C while the server is slow to cancel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("alone")

IMA2 = Path(sys.executable).with_name("ima2")


def until(check: Any) -> None:
    deadline = time.monotonic() + 15
    while not check():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def waiting(stub: Any) -> Iterator[Any]:
    """``ima2 gen`` whose request hangs."""
    stub.on("POST /api/generate", lambda _: (stub.closing.wait(30), (200, None))[1])
    process = subprocess.Popen(
        [str(IMA2), "gen", "x", "--json"],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: stub.asked("POST /api/generate"))
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def cancels(stub: Any) -> list[Any]:
    found: list[Any] = stub.asked(f"DELETE /api/inflight/{stub.posted['requestId']}")
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_cancels_and_ends_with_130(stub: Any, waiting: Any, number: int) -> None:
    stub.on(f"DELETE /api/inflight/{stub.posted['requestId']}", {"active": True, "aborted": True})
    waiting.send_signal(number)
    out, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 130
    assert len(cancels(stub)) == 1
    assert json.loads(out)["code"] == "INTERRUPTED"
    assert "cancelled on the server" in err


def test_a_job_that_is_just_being_admitted_is_asked_for_again(stub: Any, waiting: Any) -> None:
    answers = iter([False, False, True])
    stub.on(
        f"DELETE /api/inflight/{stub.posted['requestId']}",
        lambda _: (200, {"active": next(answers), "aborted": False}),
    )
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=10)
    assert len(cancels(stub)) == 3
    assert "cancelled on the server" in err


def test_a_server_that_knows_no_such_job_is_not_believed_to_have_cancelled_it(stub: Any, waiting: Any) -> None:
    stub.on(f"DELETE /api/inflight/{stub.posted['requestId']}", {"active": False, "aborted": False})
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 130
    assert "did not say that it cancelled" in err


def test_the_second_signal_ends_at_once(stub: Any, waiting: Any) -> None:
    slow = f"DELETE /api/inflight/{stub.posted['requestId']}"
    stub.on(slow, lambda _: (stub.closing.wait(30), (200, {}))[1])
    waiting.send_signal(signal.SIGINT)
    until(lambda: cancels(stub))
    began = time.monotonic()
    waiting.send_signal(signal.SIGINT)
    assert waiting.wait(10) == 130
    assert time.monotonic() - began < 2
