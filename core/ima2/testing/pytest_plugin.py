"""Fixtures for plugin authors, loaded by pytest itself once ima2 is installed. Nothing is discovered unless asked
for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from ima2.assemble import House

    MakeHouse = Callable[..., AbstractAsyncContextManager[House]]
    MakeClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def ima2_house(tmp_path: Path) -> MakeHouse:
    """``async with ima2_house(echo=plugin(...)) as house:`` opens a whole process over a temporary folder.

    A storage in memory is there unless a plugin brings one. ``environ`` gives settings, ``discover=True`` takes the
    installed plugins too.
    """

    @asynccontextmanager
    async def make(
        *, environ: Mapping[str, str] | None = None, discover: bool = False, **plugins: Any
    ) -> AsyncIterator[House]:
        from ima2.assemble import assemble, open_house
        from ima2.testing.fakes import MemoryStorage, plugin

        settings = {"IMA2_CONFIG_DIR": str(tmp_path / "home"), **(environ or {})}
        if not discover and not any(hasattr(one, "ima2_storages") for one in plugins.values()):
            plugins["memory"] = plugin(storages=[MemoryStorage()])
            settings.setdefault("IMA2_STORAGE", "memory")
        house = assemble(environ=settings, extra=plugins, discover_entry_points=discover)
        async with open_house(house):
            yield house

    return make


@pytest.fixture
def ima2_client(ima2_house: MakeHouse) -> MakeClient:
    """``async with ima2_client(echo=plugin(...)) as client:`` is an HTTP client of such a process, without a socket.

    ``client.house`` is the process itself.
    """

    @asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[httpx.AsyncClient]:
        import httpx

        from ima2.server.app import create_app

        async with ima2_house(**options) as house:
            transport = httpx.ASGITransport(create_app(house))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                client.house = house  # type: ignore[attr-defined]
                yield client

    return make
