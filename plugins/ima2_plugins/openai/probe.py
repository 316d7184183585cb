"""Asking an upstream whether it is there, in bounded time and without cost."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ima2 import Model, ProviderStatus
from ima2_plugins.openai.ask import ask

if TYPE_CHECKING:
    import httpx

HEALTH_SECONDS = 0.5
KEPT_SECONDS = 5.0
LISTED = "listed by the account"
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_CARRIER = re.compile(r"gpt-([5-9]|[1-9][0-9])(\.[0-9]+)?(-(mini|sol|terra|luna|astra))?")
"""Names of the families that call the drawing tool; listings also hold models for speech, embeddings and the like."""


async def probe(
    client: httpx.AsyncClient, url: str, seconds: float, headers: Mapping[str, str] | None = None
) -> ProviderStatus:
    """``ready`` with the ids it lists, ``auth_required`` for an answer that is not 2xx, ``offline`` for none."""
    reply = await ask(client, "GET", url, seconds, headers=headers)
    if reply is None:
        return ProviderStatus("offline", reason="No answer came in time.")
    if not reply.good:
        return ProviderStatus("auth_required", reason=f"The list of models was answered with {reply.status}.")
    return ProviderStatus("ready", _ids(reply.value))


async def listed_models(
    client: httpx.AsyncClient,
    url: str,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    *,
    known: Sequence[Model] = (),
) -> tuple[Model, ...]:
    """The models an upstream lists that can call the drawing tool; empty when it lists none in time.

    Of those in the catalogue the catalogue's facts are given, as served; others by the form of their name.
    """
    reply = await ask(client, "GET", url, seconds, headers=headers)
    if reply is None or not reply.good:
        return ()
    facts = {one.id: one for one in known if one.supported}
    today = date.today().isoformat()
    found = []
    for name in dict.fromkeys(_ids(reply.value)):
        if name in facts:
            found.append(replace(facts[name], state="served", ends=None, source=LISTED, checked=today))
        elif _CARRIER.fullmatch(name):
            found.append(Model(name, source=LISTED, checked=today))
    return tuple(found)


def _ids(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The names in a list of models: ``data`` with ``id`` at the API, ``models`` with ``slug`` at ChatGPT."""
    listed = value.get("data") or value.get("models")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    names = (row.get("id") or row.get("slug") for row in rows)
    return tuple(name for name in names if isinstance(name, str) and _NAME.fullmatch(name))


class Proxy:
    """A local ``openai-oauth`` proxy that somebody else runs: whether it is there, asked at most every few seconds."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._answer = False
        self._asked = float("-inf")

    @property
    def seen(self) -> bool:
        """Whether it was there when it was last asked."""
        return self._answer

    async def listens(self) -> bool:
        """Whether anything is at the port. Quicker than a request, and needs no HTTP client."""
        host, _, port = self.base.removeprefix("http://").partition(":")
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                _, writer = await asyncio.open_connection(host, int(port))
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def answers(self, client: httpx.AsyncClient) -> bool:
        """Whether its health route says so. Another program at the port does not count."""
        if time.monotonic() - self._asked < KEPT_SECONDS:
            return self._answer
        reply = await ask(client, "GET", f"{self.base}/health", HEALTH_SECONDS)
        self._answer = reply is not None and reply.good and reply.value.get("ok") is True
        self._asked = time.monotonic()
        return self._answer
