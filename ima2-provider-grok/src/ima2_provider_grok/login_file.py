"""The login that is shared with progrok: ``~/.progrok/auth.json``.

Its shape is progrok's (camelCase; ``expiresAt`` in milliseconds). What else is in the file stays there. It is written
whole or not at all, readable by its owner only, under a lock that spans processes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ima2 import Ima2Error, Json, private_folder, write_whole

EARLY_MS = 120_000
"""A token is renewed this long before it runs out."""


@dataclass(frozen=True, slots=True)
class Login:
    """A signed-in account. ``expires_at`` is in milliseconds since the epoch, ``None`` when unknown."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: float | None = None
    token_endpoint: str | None = None
    email: str | None = None
    id_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, content: Json) -> Self | None:
        """The login in a file's content, ``None`` when there is no token in it."""
        if not isinstance(content, Mapping):
            return None
        texts = {key: value for key, value in content.items() if isinstance(value, str) and value}
        expires = content.get("expiresAt")
        if "accessToken" not in texts:
            return None
        return cls(
            texts["accessToken"],
            texts.get("refreshToken"),
            expires if isinstance(expires, int | float) and not isinstance(expires, bool) else None,
            texts.get("tokenEndpoint"),
            texts.get("email"),
            texts.get("idToken"),
        )

    def fields(self) -> dict[str, Json]:
        """The file's fields of this login; what is not known is left out."""
        named = {
            "accessToken": self.access_token,
            "refreshToken": self.refresh_token,
            "expiresAt": self.expires_at,
            "tokenEndpoint": self.token_endpoint,
            "email": self.email,
            "idToken": self.id_token,
        }
        return {key: value for key, value in named.items() if value is not None}

    def is_due(self) -> bool:
        """Whether it has to be renewed before it is used; one that cannot be is used up to its end."""
        early = EARLY_MS if self.refresh_token else 0
        return self.expires_at is not None and time.time() * 1000 + early >= self.expires_at


class LoginFile:
    """Reads and writes the login. All methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lock_path(self) -> Path:
        """The file that is locked while the login is being changed."""
        return self.path.with_name(self.path.name + ".lock")

    def make_folder(self) -> None:
        """Make the folder of the file, readable by its owner only, if it is missing."""
        private_folder(self.path.parent)

    def read(self) -> Login | None:
        """The login as it is now, ``None`` when there is none or the file cannot be understood."""
        return Login.of(self._content())

    def write(self, login: Login, *, fresh: bool = False) -> None:
        """Store a login. With ``fresh`` what an older account left is dropped; else unknown and unnamed fields stay."""
        kept: dict[str, Any] = self._content()
        if fresh:
            kept = {key: value for key, value in kept.items() if key not in _FIELDS}
        try:
            self.make_folder()
            write_whole(self.path, json.dumps({**kept, **login.fields()}, indent=2).encode() + b"\n", mode=0o600)
        except OSError as error:
            text = f"The login could not be saved in {self.path} ({error.strerror}). Make the folder writable."
            raise Ima2Error("GROK_LOGIN_NOT_SAVED", 500, text) from None

    def delete(self) -> bool:
        """Sign out. Says whether there was a login."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


_FIELDS = frozenset({"accessToken", "refreshToken", "expiresAt", "tokenEndpoint", "email", "idToken"})
