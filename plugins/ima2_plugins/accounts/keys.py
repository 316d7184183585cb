"""Keys and key files: checked, tried out upstream, stored, shown masked, removed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

import ima2
from ima2_plugins.accounts.directory import Account

MAX_KEY_CHARS, MAX_FILE_CHARS = 512, 51_200
VERIFY_SECONDS = 12.0
USABLE = frozenset({"ready", "no_image_model"})
"""States of a probe in which the upstream has accepted the credential."""


def refusal(code: str, text: str, status: int = 400) -> ima2.Ima2Error:
    """A failure in the shape that clients of these routes expect."""
    return ima2.Ima2Error(code, status, text, details={"ok": False})


class Keys:
    """What is stored for one account."""

    def __init__(self, ctx: ima2.PluginContext, account: Account) -> None:
        self._configuration = ctx.configuration
        self._account = account
        self._plugin = ctx.configuration.owner(account.provider)

    @property
    def value(self) -> str:
        """The key or the document in force; empty for none."""
        found: Any = getattr(self._configuration.settings(self._plugin), self._account.credential.setting, None)
        return (found.get_secret_value() if isinstance(found, SecretStr) else str(found or "")).strip()

    @property
    def source(self) -> str:
        """Where it comes from: ``env``, ``config`` or ``none``."""
        sources = self._configuration.sources(self._plugin)
        return sources.get(self._account.credential.setting, "config") if self.value else "none"

    def status(self) -> dict[str, Any]:
        """How it reads to clients. ``valid`` asks nobody: it says that there is one."""
        value, credential = self.value, self._account.credential
        shown = None if not value else masked(value) if credential.kind == "key" else summary(credential, value)
        return {
            "configured": bool(value),
            "source": self.source,
            "valid": bool(value),
            "maskedKey": shown,
            "provider": self._account.provider.id,
            "title": credential.title,
            "kind": credential.kind,
            "env": credential.env,
            "hint": credential.hint,
        }

    async def save(self, value: str, *, unchecked: bool) -> None:
        """Store a checked value, and what has to be chosen for it to be used. It counts from the next request on.

        Raises 400 ``ENV_KEY_IMMUTABLE``, ``KEY_VALIDATION_FAILED``, 502 ``KEY_NOT_VALIDATED`` where the upstream could
        not say (not with ``unchecked``), and 500 ``CONFIG_NOT_WRITTEN``.
        """
        self._insist_on_config("It cannot be replaced here.")
        await self._verify(value, unchecked=unchecked)
        await self._configuration.set(self._plugin, self._account.credential.setting, value)
        for field, suitable in self._choices().items():
            if getattr(self._configuration.settings(self._plugin), field) not in suitable:
                await self._choose(field, suitable[0])

    async def remove(self) -> None:
        """Forget it, and what was chosen for it. Raises 400 ``ENV_KEY_IMMUTABLE``."""
        self._insist_on_config("Unset it there.")
        await self._configuration.set(self._plugin, self._account.credential.setting, None)
        for field, suitable in self._choices().items():
            if getattr(self._configuration.settings(self._plugin), field) in suitable:
                await self._choose(field, None)

    def _choices(self) -> Mapping[str, tuple[str, ...]]:
        return self._account.credential.selects

    async def _choose(self, field: str, value: str | None) -> None:
        """What the environment has chosen stays chosen."""
        try:
            await self._configuration.set(self._plugin, field, value)
        except ima2.Ima2Error as error:
            if error.code != "SETTING_FROM_ENVIRONMENT":
                raise

    def _insist_on_config(self, advice: str) -> None:
        if self.source == "env":
            raise refusal("ENV_KEY_IMMUTABLE", f"The key comes from {self._account.credential.env}. {advice}")

    async def _verify(self, value: str, *, unchecked: bool) -> None:
        try:
            async with asyncio.timeout(VERIFY_SECONDS):
                found = await self._account.provider.verify({self._account.credential.name: value})
        except Exception as error:  # a provider that breaks has not said that the key is wrong
            found = ima2.ProviderStatus("offline", reason=error.text if isinstance(error, ima2.Ima2Error) else None)
        if found.state == "auth_required":
            raise refusal("KEY_VALIDATION_FAILED", f"{self._account.provider.title} does not accept it.")
        if found.state not in USABLE and found.state != "unknown" and not unchecked:
            text = f"{self._account.provider.title} could not be asked, so nothing was saved. Try again, or save it"
            text += " unchecked."
            raise refusal("KEY_NOT_VALIDATED", text, 502)


def checked(account: Account, given: object) -> str:
    """A value in the form its credential declares, without the blanks around it. Raises 400 with what is wrong."""
    credential = account.credential
    if credential.kind == "file":
        return _checked_file(credential, given)
    if not isinstance(given, str) or not given.strip():
        raise refusal("MISSING_KEY", "apiKey is required.")
    value = given.strip()
    if len(value) > MAX_KEY_CHARS:
        raise refusal("KEY_TOO_LARGE", f"A key has at most {MAX_KEY_CHARS} characters.")
    if credential.pattern and not re.fullmatch(credential.pattern, value):
        raise refusal("INVALID_KEY_FORMAT", f"That is not the form of a key for {account.alias}.")
    return value


def _checked_file(credential: ima2.Credential, given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise refusal("MISSING_KEY", "serviceAccountJson is required, as text.")
    if len(given) > MAX_FILE_CHARS:
        raise refusal("KEY_TOO_LARGE", f"A key file has at most {MAX_FILE_CHARS} characters.")
    try:
        document = json.loads(given)
    except (ValueError, RecursionError):
        raise refusal("INVALID_JSON", "That is not JSON.") from None
    kind = credential.needs.get("type", "")
    for name, pattern in credential.needs.items():
        found = document.get(name) if isinstance(document, dict) else None
        if not isinstance(found, str) or not re.fullmatch(pattern, found):
            code = f"INVALID_{kind.upper()}" if kind.isidentifier() else "INVALID_KEY_FILE"
            raise refusal(code, f"That is no {credential.title}: {name} is missing or another one.")
    if not isinstance(document, dict):
        raise refusal("INVALID_KEY_FILE", "A key file is a JSON object.")
    return given.strip()


def masked(key: str) -> str:
    """A key as it may be shown."""
    return "***" if len(key) <= 10 else f"{key[:4]}..{key[-2:]}"


def summary(credential: ima2.Credential, text: str) -> str:
    """A key file as it may be shown: the one member that is no secret."""
    value = shown(credential, text)
    return f"{credential.shown.partition('_')[0]}: {value}" if value else "***"


def shown(credential: ima2.Credential, text: str) -> str:
    """The member of a key file that is no secret, empty where there is none."""
    try:
        document = json.loads(text) if credential.shown else None
    except (ValueError, RecursionError):
        return ""
    value = document.get(credential.shown) if isinstance(document, dict) else None
    return value[:100] if isinstance(value, str) else ""
