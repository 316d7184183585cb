"""Plugins made up for one test: as modules in memory, and as packages on a temporary path."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import ima2
from ima2.contracts import EventSink, Sql
from ima2.kernel.boot import Booted, boot
from ima2.kernel.switches import Switches
from ima2.settings.model import plugin_settings

Install = Callable[..., None]
Booting = Callable[..., Booted]


class Sink(EventSink):
    """A sink that writes down when it is opened and closed."""

    id = "sink"

    def __init__(self, id: str, diary: list[str] | None = None) -> None:
        self.id = id  # type: ignore[misc]  # one class, many sinks
        self.diary = diary if diary is not None else []

    async def open(self) -> None:
        self.diary.append(f"open {self.id}")

    async def close(self) -> None:
        self.diary.append(f"close {self.id}")

    async def handle(self, event: ima2.Event) -> None:
        self.diary.append(event.name)


def plugin(**hooks: Callable[..., Any]) -> ModuleType:
    """A plugin module with these hooks."""
    module = ModuleType("made_up")
    for name, hook in hooks.items():
        setattr(module, name, ima2.hookimpl(hook))
    return module


def sinks(*parts: Any) -> ModuleType:
    """A plugin that offers these sinks."""
    return plugin(ima2_event_sinks=lambda: list(parts))


@pytest.fixture(name="plugin")
def _plugin() -> Callable[..., ModuleType]:
    return plugin


@pytest.fixture(name="sinks")
def _sinks() -> Callable[..., ModuleType]:
    return sinks


@pytest.fixture(name="sink")
def _sink() -> type[Sink]:
    return Sink


@pytest.fixture
def booting(tmp_path: Path) -> Booting:
    """Boot plugins given as modules; ``document`` is config.json."""

    def run(
        modules: dict[str, Any] | None = None,
        *,
        switches: Switches | None = None,
        document: dict[str, Any] | None = None,
        **more: Any,
    ) -> Booted:
        def context(name: str, settings: Any) -> ima2.PluginContext:
            return ima2.PluginContext(
                plugin=name,
                settings=settings,
                config_dir=tmp_path,
                log=logging.getLogger(name),
                http=lambda: pytest.fail("no hook may use the network"),
                database=_NoDatabase(),
                publish=lambda event: None,
            )

        return boot(
            switches or Switches(),
            settings=lambda name, model: plugin_settings(model, name, {}, document or {}),
            context=context,
            extra=modules or {},
            discover_entry_points="records" in more,
            **more,
        )

    return run


class _NoDatabase(Sql):
    async def read(self, work: Any) -> Any:
        raise AssertionError("no hook may use the database")

    async def write(self, work: Any) -> Any:
        raise AssertionError("no hook may use the database")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install made-up packages: a folder with metadata and modules, alone on the module path."""
    for needed in ("stevedore.named", "packaging.requirements"):
        import_module(needed)
    others = [entry for entry in sys.path if "site-packages" not in entry]
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *others])
    before = set(sys.modules)

    def run(
        package: str,
        entry_points: str,
        modules: dict[str, str] | None = None,
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
    ) -> None:
        site = tmp_path / "site"
        info = site / f"{package.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = [f"Name: {package}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
        (info / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")
        (info / "entry_points.txt").write_text(entry_points)
        for name, source in (modules or {}).items():
            (site / f"{name}.py").write_text(source)

    yield run
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
