"""Fixtures for plugin authors, loaded by pytest itself once ima2 is installed. Nothing is discovered unless asked
for."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from ima2.runtime import Runtime

    MakeRuntime = Callable[..., AbstractAsyncContextManager[Runtime]]
    MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def ima2_runtime(tmp_path: Path) -> MakeRuntime:
    """``async with ima2_runtime(echo=plugin(...)) as runtime:`` opens a whole process over a temporary folder.

    A storage in memory is there unless a plugin brings one. ``environ`` gives settings, ``discover=True`` takes the
    installed plugins too.
    """

    @asynccontextmanager
    async def make(
        *, environ: Mapping[str, str] | None = None, discover: bool = False, **plugins: Any
    ) -> AsyncIterator[Runtime]:
        from ima2.runtime import assemble, open_runtime
        from ima2.testing.fakes import MemoryStorage, plugin

        settings = {"IMA2_CONFIG_DIR": str(tmp_path / "home"), **(environ or {})}
        if not discover and not any(hasattr(one, "ima2_storages") for one in plugins.values()):
            plugins["memory"] = plugin(storages=[MemoryStorage()])
            settings.setdefault("IMA2_STORAGE", "memory")
        runtime = assemble(environ=settings, extra=plugins, discover_entry_points=discover)
        async with open_runtime(runtime):
            yield runtime

    return make


@pytest.fixture
def ima2_house(ima2_runtime: MakeRuntime) -> MakeRuntime:
    """The name that `ima2_runtime` had in 3.0; deprecated."""
    warnings.warn("the fixture ima2_house is now called ima2_runtime", DeprecationWarning, stacklevel=2)
    return ima2_runtime


@pytest.fixture
def ima2_client(ima2_runtime: MakeRuntime) -> MakeClient:
    """``async with ima2_client(echo=plugin(...)) as client:`` is an HTTP client of such a process, without a socket.

    ``client.runtime`` is the process itself.
    """

    @asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[httpx.AsyncClient]:
        import httpx

        from ima2.server.app import create_app

        async with ima2_runtime(**options) as runtime:
            transport = httpx.ASGITransport(create_app(runtime))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                client.runtime = client.house = runtime  # type: ignore[attr-defined]
                yield client

    return make
