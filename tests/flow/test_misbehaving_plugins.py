"""Plugins that misbehave, each in one way: it is a row of theirs, or one failed request, and the house stands."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

import ima2
from ima2.testing import EchoProvider, RecordingSink, picture, plugin

SECRET = "a prompt about a boat"
DRAW = {"prompt": "a small boat", "provider": "echo"}


class Named(EchoProvider):
    id = "bad"


def bug(*_: Any) -> Any:
    raise RuntimeError(SECRET)


def leave(*_: Any) -> Any:
    raise SystemExit(SECRET)


def vanish(*_: Any) -> Any:
    raise GeneratorExit


async def stands(client: Any) -> dict[str, Any]:
    """A good plugin draws, and every page of state answers; the rows of plugins by name."""
    assert (await client.post("/api/generate", json=DRAW)).status_code == 200
    for path in ("/api/health", "/api/providers", "/api/capabilities", "/api/history", "/api/panels"):
        assert (await client.get(path)).status_code == 200, path
    rows = (await client.get("/api/plugins")).json()["plugins"]
    return {row["name"]: row for row in rows}


def good() -> Any:
    return plugin(providers=[EchoProvider()])


@pytest.mark.parametrize(
    "hook", ["providers", "event_sinks", "policies", "tools", "routes", "panels", "site", "tables"]
)
@pytest.mark.parametrize("deed", [bug, leave, vanish, lambda ctx: 7], ids=["bug", "exit", "vanish", "number"])
async def test_a_hook_that_misbehaves_is_a_row(hook: str, deed: Any, ima2_client: Any) -> None:
    async with ima2_client(bad=plugin(**{hook: lambda ctx: deed(ctx)}), echo=good()) as client:
        rows = await stands(client)
        assert (rows["bad"]["state"], rows["bad"]["stage"]) == ("failed", f"ima2_{hook}")
        assert rows["echo"]["state"] == "ready"


@pytest.mark.parametrize("method", ["problem", "about", "runtime"])
@pytest.mark.parametrize("deed", [bug, leave, lambda _: 7, lambda _: time.sleep(30)], ids=["bug", "exit", "7", "hang"])
async def test_a_plain_method_that_misbehaves_is_told_or_left_out(method: str, deed: Any, ima2_client: Any) -> None:
    bad = type("Bad", (Named,), {method: deed})()
    async with asyncio.timeout(20), ima2_client(bad=plugin(providers=[bad]), echo=good()) as client:
        rows = await stands(client)
        assert rows["bad"]["state"] == "ready"
        if method == "problem":
            assert "bad.problem()" in rows["bad"]["problem"]


async def test_a_thumbnailer_whose_problem_breaks_is_passed_over(ima2_client: Any) -> None:
    class Broken(ima2.Thumbnailer):
        id = "broken"
        media_types = ("image/png",)
        preference = 99

        def problem(self) -> str | None:
            leave()
            return None

        async def thumbnail(self, source: Any, width: int = 320) -> bytes:
            raise AssertionError("it has a problem")

    async with ima2_client(bad=plugin(thumbnailers=[Broken()]), echo=good()) as client:
        await stands(client)


async def test_opening_that_holds_up_the_loop_puts_out_its_plugin_alone(
    ima2_client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Blocking(RecordingSink):
        id = "blocking"

        async def open(self) -> None:
            time.sleep(5.3)

    async with ima2_client(bad=plugin(event_sinks=[Blocking()]), echo=good()) as client:
        rows = await stands(client)
        assert rows["bad"]["state"] == "failed"
        assert "held up the event loop" in rows["bad"]["error"]
        assert [name for name, row in rows.items() if row["state"] == "failed"] == ["bad"]
    assert "plugin bad held up the event loop" in caplog.text


async def test_closing_that_never_ends_is_left_behind_in_time(ima2_client: Any) -> None:
    async def stubborn() -> None:
        for _ in range(200):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue

    class Stuck(RecordingSink):
        id = "stuck"
        close = staticmethod(stubborn)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        await stubborn()

    many = {f"bad{number}": plugin(event_sinks=[], lifespan=lambda ctx: lifespan()) for number in range(4)}
    async with ima2_client(stuck=plugin(event_sinks=[Stuck()]), **many, echo=good()) as client:
        await stands(client)
        began = time.monotonic()
    assert time.monotonic() - began < 8
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.parametrize("deed", [bug, leave], ids=["bug", "exit"])
async def test_a_route_that_crashes_is_one_answer_and_one_line(
    deed: Any, ima2_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter()

    @router.get("/api/crash")
    async def crash() -> None:
        deed()

    async with ima2_client(bad=plugin(routes=lambda ctx: router), echo=good()) as client:
        answer = await client.get("/api/crash")
        assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
        await stands(client)
    assert SECRET not in caplog.text
    assert "test_misbehaving_plugins.py" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_sink_that_always_fails_or_never_ends_holds_up_nobody(
    ima2_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(RecordingSink):
        id = "failing"

        async def handle(self, event: ima2.Event) -> None:
            leave()

    class Hanging(RecordingSink):
        id = "hanging"

        async def handle(self, event: ima2.Event) -> None:
            await asyncio.sleep(3600)

    heard = RecordingSink()
    sinks = plugin(event_sinks=[Failing(), Hanging(), heard])
    async with ima2_client(bad=sinks, echo=good()) as client:
        for _ in range(5):
            await stands(client)
    assert sum(event.terminal for event in heard.events) == 5
    assert sum("sink failing" in record.message for record in caplog.records) <= 3
    assert SECRET not in caplog.text


# -- what a provider yields, and what runs within a job --------------------------------------------


class Yielding(Named):
    """Yields what it is given; what can be called is called."""

    def __init__(self, *updates: Any) -> None:
        super().__init__()
        self.updates = updates

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        for update in self.updates:
            yield update() if callable(update) else update


def cancel_itself() -> None:
    raise asyncio.CancelledError


WHOLE = ima2.Artifact(picture())
CUT = ima2.Artifact(ima2.Picture(picture().data[:-20], "image/png"))
ASK = {"prompt": SECRET, "provider": "bad", "requestId": "job-1"}
ENDINGS: dict[str, tuple[list[Any], int, str]] = {
    "a bug": ([bug], 500, "PROVIDER_CRASHED"),
    "an exit": ([leave], 500, "PROVIDER_CRASHED"),
    "a cancellation of its own": ([cancel_itself], 500, "PROVIDER_CRASHED"),
    "no update": ([b"bytes"], 502, "PROVIDER_ANSWER_INVALID"),
    "a cut picture": ([CUT], 502, "PICTURE_INCOMPLETE"),
    "no picture": ([ima2.Artifact(b"bytes")], 502, "PROVIDER_ANSWER_INVALID"),  # type: ignore[arg-type]
    "nothing": ([], 422, "EMPTY_RESPONSE"),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_a_provider_that_fails_ends_its_own_job_once(
    name: str, ima2_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    updates, status, code = ENDINGS[name]
    sink = RecordingSink()
    bad = plugin(providers=[Yielding(*updates)])
    async with ima2_client(bad=bad, echo=good(), ear=plugin(event_sinks=[sink])) as client:
        answer = await client.post("/api/generate", json=ASK)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        await stands(client)
        assert (await client.get("/api/inflight")).json()["jobs"] == []
    assert [event.name for event in sink.events if event.job_id == "job-1" and event.terminal] == ["error"]
    assert SECRET not in caplog.text


REPAIRED: dict[str, list[Any]] = {
    "a wrong place": [ima2.Artifact(picture(), 7)],
    "twice": [WHOLE, WHOLE],
    "a wrong phase": [ima2.Phase("dreaming"), WHOLE],  # type: ignore[arg-type]
    "facts of ours": [ima2.Artifact(picture(), facts={"prompt": "another", "requestId": "job-2"})],
    "facts that are none": [ima2.Artifact(picture(), facts={"a": object()})],
    "a usage that is none": [ima2.Usage(cost=float("nan")), WHOLE],
}


@pytest.mark.parametrize("name", REPAIRED)
async def test_what_can_be_put_right_is_kept_and_told(name: str, ima2_client: Any) -> None:
    async with ima2_client(bad=plugin(providers=[Yielding(*REPAIRED[name])]), echo=good()) as client:
        answer = await client.post("/api/generate", json=ASK)
        assert answer.status_code == 200, answer.text
        assert "PROVIDER_ANSWER_INVALID" in [one["code"] for one in answer.json()["warnings"]]
        (row,) = (await client.get("/api/history")).json()["items"]
        assert (row["prompt"], row["requestId"]) == (SECRET, "job-1")


async def test_a_result_larger_than_the_setting_allows_is_refused(ima2_client: Any) -> None:
    limits = {"IMA2_MAX_RESULT_BYTES": "100"}
    async with ima2_client(environ=limits, bad=plugin(providers=[Yielding(WHOLE)])) as client:
        answer = await client.post("/api/generate", json=ASK)
        assert (answer.status_code, answer.json()["code"]) == (502, "PROVIDER_ANSWER_INVALID")


@pytest.mark.parametrize(
    ("deed", "code"),
    [(bug, "PROVIDER_CRASHED"), (leave, "PROVIDER_CRASHED"), (lambda: 7, "PROVIDER_ANSWER_INVALID")],
)
async def test_words_that_go_wrong_are_an_error_of_their_provider(deed: Any, code: str, ima2_client: Any) -> None:
    class Words(Named):
        async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
            result: ima2.TextResult = deed()
            return result

    async with ima2_client(bad=plugin(providers=[Words()]), echo=good()) as client:
        with pytest.raises(ima2.Ima2Error) as caught:
            await client.runtime.host.studio.text(ima2.TextRequest(SECRET, "bad"))
        assert caught.value.code == code
        await stands(client)


@pytest.mark.parametrize("deed", [bug, leave], ids=["bug", "exit"])
async def test_work_of_a_feature_that_crashes_ends_its_job(
    deed: Any, ima2_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(job: ima2.JobScope) -> Any:
        deed()

    async with ima2_client(bad=plugin(panels=[]), echo=good()) as client:
        handle = await client.runtime.booted.contexts["bad"].studio.run(ima2.Label(kind="odd"), work)
        with pytest.raises(ima2.Ima2Error) as caught:
            await handle.result()
        assert caught.value.code == "INTERNAL_ERROR"
        await stands(client)
    assert SECRET not in caplog.text


@pytest.mark.parametrize("deed", [bug, leave], ids=["bug", "exit"])
async def test_a_policy_that_breaks_refuses_and_nothing_is_sent(deed: Any, ima2_client: Any) -> None:
    class Broken(ima2.Policy):
        id = "broken"

        async def check(self, request: Any, label: Any) -> None:
            deed()

    echo = EchoProvider()
    async with ima2_client(bad=plugin(policies=[Broken()]), echo=plugin(providers=[echo])) as client:
        answer = await client.post("/api/generate", json=DRAW)
        assert (answer.status_code, answer.json()["code"], echo.asked) == (500, "POLICY_FAILED", [])
        assert (await client.get("/api/health")).status_code == 200


# -- a whole server -----------------------------------------------------------------------------

PACKAGE = """
import asyncio, threading, time
import ima2


class Stubborn(ima2.Provider):
    id = "stubborn"
    title = "Stubborn"

    async def open(self):
        self.task = asyncio.create_task(self.stay())
        threading.Thread(target=time.sleep, args=(60,)).start()

    async def stay(self):
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                pass


@ima2.hookimpl
def ima2_providers():
    return [Stubborn()]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Packages in a folder: one that cannot be stopped, one whose import raises what is no exception."""
    site = tmp_path / "site"
    odd = "class Odd(BaseException):\n    pass\n\nraise Odd('at import')\n"
    for name, module in {"stubborn": PACKAGE, "raising": odd}.items():
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: ima2>=3,<4\n"
        (info / "METADATA").write_text(head)
        (info / "entry_points.txt").write_text(f"[ima2.plugins]\n{name} = {name}_mod\n")
        (site / f"{name}_mod.py").write_text(module)
    return site


def test_a_server_with_a_plugin_that_cannot_be_stopped_stops_in_its_stated_time(site: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IMA2_")}
    home = tmp_path / "home"
    environ = {**clean, "IMA2_CONFIG_DIR": str(home), "IMA2_PORT": "0", "HOME": str(tmp_path)}
    environ["PYTHONPATH"] = os.pathsep.join([str(site), *sys.path])
    code = "import sys; from ima2.cli import main; main(['serve', '--port', '0'])"
    server = subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        deadline = time.monotonic() + 60
        while not (home / "server.json").exists():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    finally:
        server.kill()
    assert time.monotonic() - began < 3 + 5 + 3
    assert server.returncode == 0
    assert "plugin raising failed (import)" in said
