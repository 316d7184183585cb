"""Every part that this repository offers passes the contract of its kind."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ima2 import EventSink, Provider, Storage, Tables, Thumbnailer
from ima2.database.sqlite import Database
from ima2.testing import (
    EchoProvider,
    MemoryStorage,
    ProviderContract,
    RecordingSink,
    SinkContract,
    SlowSink,
    StorageContract,
    ThumbnailerContract,
    context,
)
from ima2_plugins.demo.provider import DemoProvider
from ima2_plugins.demo.settings import DemoSettings
from ima2_plugins.local_storage.storage import LocalStorage
from ima2_plugins.openai import api, oauth
from ima2_plugins.openai.settings import ApiSettings, OauthSettings
from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer
from ima2_plugins.sse.journal import METADATA
from ima2_plugins.sse.settings import SseSettings
from ima2_plugins.sse.sink import SseSink
from tests.upstreams import chatgpt, responses
from tests.upstreams.world import World, running

KEY = "sk-contract-0123456789"


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    world = World()
    with running(world, responses.routes(world)):
        yield world.base_url


@pytest.fixture(scope="module")
def proxy() -> Iterator[str]:
    world = World()
    with running(world, chatgpt.proxy(world)):
        yield world.base_url


class TestEcho(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return EchoProvider()


class TestDemo(ProviderContract):
    @pytest.fixture
    def provider(self) -> Provider:
        return DemoProvider(DemoSettings())


class TestApi(ProviderContract):
    @pytest.fixture
    async def provider(self, tmp_path: Path, upstream: str) -> AsyncIterator[Provider]:
        ctx = context(tmp_path, ApiSettings(api_key=SecretStr(KEY), base_url=f"{upstream}/v1"), name="openai_api")
        yield api.ima2_providers(ctx)[0]
        await ctx.http().aclose()

    @pytest.fixture
    def secrets(self) -> tuple[str, ...]:
        return (KEY,)


class TestOauth(ProviderContract):
    @pytest.fixture
    async def provider(self, tmp_path: Path, proxy: str) -> AsyncIterator[Provider]:
        settings = OauthSettings(proxy_port=int(proxy.rpartition(":")[2]), assume_proxy=True)
        ctx = context(tmp_path, settings, name="oauth")
        yield oauth.ima2_providers(ctx)[0]
        await ctx.http().aclose()


class TestLocalStorage(StorageContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        return LocalStorage(tmp_path / "gallery")


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage()


class TestPillow(ThumbnailerContract):
    @pytest.fixture
    def thumbnailer(self) -> Thumbnailer:
        return PillowThumbnailer()


class TestVips(ThumbnailerContract):
    @pytest.fixture
    def thumbnailer(self) -> Thumbnailer:
        pytest.importorskip("pyvips")
        from ima2_plugins.vips_thumbs.thumbnailer import VipsThumbnailer

        return VipsThumbnailer()


class TestSse(SinkContract):
    @pytest.fixture
    async def sink(self, tmp_path: Path) -> AsyncIterator[EventSink]:
        database = Database(tmp_path / "events.db")
        await database.open([("sse", Tables(METADATA))])
        yield SseSink(SseSettings(), database, logging.getLogger("sse"))
        await database.close()


class TestRecordingSink(SinkContract):
    @pytest.fixture
    def sink(self) -> EventSink:
        return RecordingSink()


class TestSlowSink(SinkContract):
    @pytest.fixture
    def sink(self) -> EventSink:
        return SlowSink(0.01)
