"""Parts that behave in one plain way each, and the means to make a plugin of any parts."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from ima2.capabilities import Capabilities, Model, Sizes
from ima2.contracts import EventSink, Job, Provider, Storage, Stored
from ima2.database.sqlite import Database
from ima2.errors import Ima2Error
from ima2.kernel.context import PluginContext
from ima2.kernel.hooks import hookimpl
from ima2.keys import is_key
from ima2.models import Artifact, Event, ImageRequest, Notice, Partial, Phase, Picture, Update, Usage
from ima2.network.http import Http


def picture(width: int = 64, height: int = 48, media_type: str = "image/png", color: str = "#3366cc") -> Picture:
    """A small plain picture. Needs Pillow."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, media_type.partition("/")[2])
    return Picture(out.getvalue(), media_type)


class EchoProvider(Provider):
    """Answers at once with as many pictures as asked for, previews included. ``asked`` holds the requests it got."""

    id = "echo"
    title = "Echo"
    capabilities = Capabilities(
        models=(Model("echo-1"),),
        default_model="echo-1",
        sizes=Sizes(free=True),
        formats=("png", "jpeg", "webp"),
        max_references=5,
        edit=True,
        mask=True,
        partials=3,
        sequence=8,
        code_prefix="ECHO",
    )

    def __init__(self) -> None:
        self.asked: list[ImageRequest] = []

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        self.asked.append(request)
        yield Phase("streaming")
        for index in range(request.sequence or request.count):
            made = picture(color=f"#{(index * 40 + 60) % 256:02x}66cc")
            for step in range(request.partials):
                yield Partial(made, step)
            yield Artifact(made, index, revised_prompt=f"echo of {len(request.prompt)} characters")
        yield Usage({"total_tokens": 7})
        yield Notice("ECHOED", "This is only an echo.")


class StallingProvider(Provider):
    """Begins and never ends. ``canceled`` counts how often its work was cut off."""

    id = "stall"
    title = "Stall"
    capabilities = Capabilities(models=(Model("stall-1"),), default_model="stall-1", sizes=Sizes(free=True))

    def __init__(self) -> None:
        self.canceled = 0
        self.begun = asyncio.Event()

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Phase("streaming")
        self.begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.canceled += 1


class CrashingProvider(Provider):
    """Raises what it is given: an `Ima2Error` as a provider should, anything else as a bug."""

    id = "crash"
    title = "Crash"
    capabilities = Capabilities(models=(Model("crash-1"),), default_model="crash-1", sizes=Sizes(free=True))

    def __init__(self, error: Exception | None = None, after: int = 0) -> None:
        self._error = error or Ima2Error("ECHO_BROKEN", 502, "It broke, as it should.")
        self._after = after

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        yield Phase("streaming")
        for index in range(self._after):
            yield Artifact(picture(), index)
        raise self._error


class MemoryStorage(Storage):
    """Objects in a dictionary."""

    id = "memory"

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, int]] = {}

    async def put(self, key: str, data: bytes) -> Stored:
        if not is_key(key, hidden=True):
            raise KeyError(key)
        self._objects[key] = (data, int(time.time() * 1000))
        return await self.stat(key)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return self._objects[key][0][start:end]

    async def stat(self, key: str) -> Stored:
        data, modified = self._objects[key]
        return Stored(key, len(data), modified)

    async def list(self, prefix: str = "") -> AsyncIterator[Stored]:
        for key in [key for key in self._objects if key.startswith(prefix)]:
            yield await self.stat(key)

    async def move(self, key: str, to: str) -> None:
        if to in self._objects:
            raise FileExistsError(to)
        self._objects[to] = self._objects.pop(key)

    async def delete(self, key: str) -> None:
        del self._objects[key]


class RecordingSink(EventSink):
    """Remembers every event."""

    id = "record"

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def handle(self, event: Event) -> None:
        self.events.append(event)

    def named(self, name: str) -> list[Event]:
        """The events of one name, in order."""
        return [event for event in self.events if event.name == name]


class SlowSink(EventSink):
    """Takes a while over each event."""

    id = "slow"

    def __init__(self, seconds: float = 0.05) -> None:
        self.seconds = seconds
        self.handled = 0

    async def handle(self, event: Event) -> None:
        await asyncio.sleep(self.seconds)
        self.handled += 1


def plugin(**hooks: Any) -> ModuleType:
    """A plugin of the hooks given by their name without ``ima2_``: a list of parts, or a function of ``ctx``.

    ``plugin(providers=[EchoProvider()])`` is one that offers a provider.
    """
    module = ModuleType("ima2_test_plugin")

    def offer(answer: Any) -> Callable[..., Any]:
        def hook(ctx: PluginContext) -> Any:
            return answer(ctx) if isfunction(answer) else answer

        return hook

    for name, answer in hooks.items():
        implementation = _settings(answer) if name == "settings" else offer(answer)
        setattr(module, f"ima2_{name}", hookimpl(implementation))
    return module


def _settings(model: Any) -> Callable[[], Any]:
    def ima2_settings() -> Any:
        return model

    return ima2_settings


def context(tmp_path: Path, settings: Any = None, *, name: str = "test", events: Sequence[Event] = ()) -> PluginContext:
    """What a plugin's hooks are handed, over a temporary folder. What it publishes is added to ``events`` if that is
    a list."""
    heard = events if isinstance(events, list) else []
    return PluginContext(
        plugin=name,
        settings=settings,
        config_dir=tmp_path,
        log=logging.getLogger(f"ima2.plugin.{name}"),
        http=Http(),
        database=Database(tmp_path / "test.db"),
        publish=heard.append,
    )
