"""A gallery over a folder and over a bucket, and ways to look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ima2 import Storage, Tables
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.kernel.registry import Registry
from ima2.library import Gallery
from ima2.testing import MemoryStorage
from ima2_plugins.agent.tables import METADATA as AGENTS
from ima2_plugins.favorites.table import METADATA as FAVORITES
from ima2_plugins.graph.tables import METADATA as GRAPH
from ima2_plugins.local_storage.storage import LocalStorage
from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "test.db")
    features = {"favorites": FAVORITES, "graph": GRAPH, "agent": AGENTS}
    await database.open([("ima2", TABLES), *((name, Tables(tables)) for name, tables in features.items())])
    yield database
    await database.close()


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return LocalStorage(tmp_path / "generated") if request.param == "folder" else MemoryStorage()


@pytest.fixture
def registry() -> Registry:
    return Registry(thumbnailers={"pillow": PillowThumbnailer()})


@pytest.fixture
async def library(storage: Storage, database: Database, registry: Registry, tmp_path: Path) -> AsyncIterator[Gallery]:
    await storage.open()
    library = Gallery(storage, database, registry, spool=tmp_path / "spool")
    await library.open()
    yield library
    await library.close()
