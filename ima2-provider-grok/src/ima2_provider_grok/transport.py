"""The way in: where requests go and in whose name. All that differs between the two providers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ima2 import Ima2Error
from ima2_provider_grok.settings import GrokSettings


class Connection:
    """An upstream that answers xAI's API below ``base_url``, with authorization where it wants one."""

    base_url: str
    login_hint: str
    """What a person can do when the credentials are not accepted."""

    async def headers(self) -> dict[str, str]:
        """Authorization for the next request; fresh each time it is asked."""
        return {}

    async def replace(self, headers: dict[str, str]) -> bool:
        """Hear of a 401. Says whether there are other credentials now, so that asking again makes sense."""
        return False


class Transport(ABC):
    """Finds a `Connection` for a job. Never falls over to another one."""

    @abstractmethod
    async def connect(self, *, start: bool = True) -> Connection:
        """The connection to use now; ``start=False`` starts no helper process. Without a credential: `Ima2Error`."""

    @abstractmethod
    def problem(self) -> str | None:
        """What is missing, in one sentence with the remedy."""

    @abstractmethod
    async def reconfigure(self, settings: GrokSettings) -> None:
        """Take new settings, for connections to come."""

    async def close(self) -> None:
        """End what `connect` started."""


class KeyConnection(Connection):
    """xAI itself, with an API key."""

    login_hint = "Check the xAI API key in the settings (or XAI_API_KEY)."

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self._key = key

    async def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._key}"}


class KeyTransport(Transport):
    """``grok-api``: the key of the settings, read anew for every job."""

    def __init__(self, settings: GrokSettings) -> None:
        self._settings = settings

    async def connect(self, *, start: bool = True) -> Connection:
        missing = self.problem()
        if missing or self._settings.api_key is None:
            raise Ima2Error("API_KEY_REQUIRED", 401, missing or "")
        key = self._settings.api_key.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise Ima2Error("AUTH_API_KEY_INVALID", 401, "The xAI API key holds characters no key has. Enter it again.")
        return KeyConnection(self._settings.base_url, key)

    async def reconfigure(self, settings: GrokSettings) -> None:
        self._settings = settings

    def problem(self) -> str | None:
        if self._settings.api_key:
            return None
        return "No xAI API key yet. Set XAI_API_KEY, or save one in the settings, to use grok-api."
