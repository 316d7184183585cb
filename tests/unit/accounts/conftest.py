"""A provider of somebody else's that takes a key, a key file and a login."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, SecretStr

import ima2
import ima2_plugins.accounts
from ima2.testing import EchoProvider, plugin

KEY = ima2.Credential(
    "key", "Acme key", setting="api_key", env="ACME_KEY", pattern="ac-.+", selects={"mode": ("key", "other")}
)
FILE = ima2.Credential(
    "file",
    "Acme key file",
    "file",
    setting="file",
    alias="acmefile",
    needs={"type": "acme_account", "project_id": ".+"},
    shown="project_id",
    selects={"mode": ("file",)},
)
LOGIN = ima2.Credential("login", "Acme login", "login", methods=("browser", "device", "paste"), alias="acme-login")


class AcmeSettings(BaseModel):
    api_key: SecretStr | None = ima2.setting(None, env="ACME_KEY", key="acmeKey")
    file: SecretStr | None = ima2.setting(None)
    mode: str = ima2.setting("", env="ACME_MODE", key="acmeMode")
    warmth: int = ima2.setting(5, ge=0, le=10, help="How warm.")


class Acme(EchoProvider):
    """Verifies by a word of the test's, and signs in as far as the test lets it."""

    id, title = "acme", "Acme"
    credentials = (KEY, FILE, LOGIN)

    def __init__(self) -> None:
        super().__init__()
        self.state: str | Exception = "ready"
        self.tried: list[Mapping[str, str]] = []
        self.settings: Any = None
        self.steps: list[ima2.LoginStep] = [
            ima2.LoginStep("code", "Enter it.", url="https://acme.example/d", code="AB-1")
        ]
        self.consent: asyncio.Event = asyncio.Event()
        self.failure: Exception | None = None
        self.logins = self.closed = self.quotas = 0
        self.pasted: str | None = None
        self.left: ima2.Quota | Exception | None = None

    async def verify(self, values: Mapping[str, str]) -> ima2.ProviderStatus:
        self.tried.append(dict(values))
        if isinstance(self.state, Exception):
            raise self.state
        return ima2.ProviderStatus(self.state)

    async def reconfigure(self, settings: object) -> None:
        self.settings = settings

    async def quota(self) -> ima2.Quota | None:
        self.quotas += 1
        if isinstance(self.left, Exception):
            raise self.left
        return self.left

    async def login(self, method: str = "") -> AsyncGenerator[ima2.LoginStep, str | None]:
        self.logins += 1
        try:
            for step in self.steps:
                pasted = yield step
                self.pasted = pasted or self.pasted
            if method != "paste":
                await self.consent.wait()
            if self.failure:
                raise self.failure
            yield ima2.LoginStep("done", "Signed in.")
        finally:
            self.closed += 1


@dataclass
class Studio:
    """A process with the accounts and this one provider."""

    client: httpx.AsyncClient
    acme: Acme
    events: list[ima2.Event] = field(default_factory=list)

    async def call(self, verb: str, path: str, /, **body: Any) -> tuple[int, dict[str, Any]]:
        answer = await self.client.request(verb, path, json=body if verb in ("PUT", "POST", "PATCH") else None)
        return answer.status_code, answer.json()


Open = Callable[..., AbstractAsyncContextManager[Studio]]


@pytest.fixture
def studio(ima2_client: Any) -> Open:
    """``async with studio() as one:``"""

    @asynccontextmanager
    async def opened(**environ: str) -> AsyncIterator[Studio]:
        acme = Acme()
        offered = plugin(settings=AcmeSettings, providers=[acme])
        async with ima2_client(environ=environ, accounts=ima2_plugins.accounts, acme=offered) as client:
            yield Studio(client, acme)

    return opened
