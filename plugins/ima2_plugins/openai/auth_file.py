"""The login file that ``codex login`` writes: read, understood and written back with everything else it holds."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from ima2 import write_whole

EARLY = timedelta(minutes=5)
"""How long before its end a token is renewed."""
STALE = timedelta(days=8)
"""The age at which a token without a stated end is renewed."""
_CLAIM = "https://api.openai.com/auth"
_STORES = {
    "keyring": (
        "Codex keeps its login in the system's keyring, where other programs do not look. Set its option "
        "cli_auth_credentials_store to file and run `codex login` anew, or sign in with ima2."
    ),
    "auto": (
        "No ChatGPT login was found as a file; Codex may keep it in the system's keyring, where other programs do not "
        "look. Set its option cli_auth_credentials_store to file and run `codex login` anew, or sign in with ima2."
    ),
    "ephemeral": (
        "Codex forgets its login when it ends (cli_auth_credentials_store is ephemeral). Set that option to file and "
        "run `codex login` anew, or sign in with ima2."
    ),
}
_OTHER_KINDS = {
    "OPENAI_API_KEY": "Codex is signed in with an API key, not with ChatGPT. Use provider api, or run `codex login`.",
    "personal_access_token": "Codex is signed in with a personal access token, not with ChatGPT. Run `codex login`.",
    "agent_identity": "Codex is signed in as an agent, not with ChatGPT. Run `codex login`.",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """One login. ``raw`` is the whole file, so that what is not understood survives a renewal."""

    path: Path
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    account_id: str = field(repr=False)
    expires: datetime | None
    renewed_at: datetime | None
    raw: Mapping[str, Any] = field(repr=False)
    government: bool = False

    def due(self, now: datetime) -> bool:
        """Whether it is time to renew."""
        if self.expires is not None:
            return self.expires - now < EARLY
        return self.renewed_at is not None and now - self.renewed_at > STALE

    def usable(self, now: datetime) -> bool:
        """Whether the access token has not ended yet, as far as it says."""
        return self.expires is None or self.expires - now > timedelta(seconds=30)


def login_files(codex_home: str = "") -> list[Path]:
    """Where a login may lie, the Codex folder first."""
    home = Path.home()
    folder = Path(codex_home).expanduser() if codex_home else home / ".codex"
    return [folder / "auth.json", home / ".chatgpt-local" / "auth.json", home / ".config" / "codex" / "auth.json"]


def fingerprint(files: Sequence[Path]) -> tuple[object, ...]:
    """Changes whenever one of the files does."""
    marks: list[object] = []
    for path in files:
        try:
            stat = path.stat()
            marks.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            marks.append(None)
    return tuple(marks)


def read(files: Sequence[Path]) -> Tokens | None:
    """The first login that can be used: a file for an API key, or one that is broken, is passed over."""
    return next((tokens for tokens in map(_read_one, files) if tokens), None)


def _read_one(path: Path) -> Tokens | None:
    try:
        return parse(path, orjson.loads(path.read_bytes()))
    except (OSError, orjson.JSONDecodeError):
        return None


def parse(path: Path, raw: Any) -> Tokens | None:
    """A login from a file's JSON; ``None`` when there is no access token or no account in it."""
    tokens = raw.get("tokens") if isinstance(raw, dict) else None
    if not isinstance(tokens, dict):
        return None
    access, refresh = _line(tokens.get("access_token")), _line(tokens.get("refresh_token"))
    identity = account_claims(tokens.get("id_token"))
    account = _line(tokens.get("account_id")) or _line(identity.get("chatgpt_account_id"))
    if not access or not account:
        return None
    expires, last = _moment(claims(access).get("exp")), _date(raw.get("last_refresh"))
    government = identity.get("chatgpt_account_is_fedramp") is True
    return Tokens(path, access, refresh, account, expires, last, raw, government)


def fresh_login(path: Path, answer: Mapping[str, Any], now: datetime) -> Tokens | None:
    """The login that a sign-in gave, in the shape of Codex's file; other keys that the file has stay in it."""
    try:
        before = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        before = None
    account = account_claims(answer.get("id_token")).get("chatgpt_account_id")
    names = ("id_token", "access_token", "refresh_token")
    tokens = {name: answer.get(name) for name in names} | {"account_id": account}
    kept = before if isinstance(before, dict) else {}
    raw = {"OPENAI_API_KEY": None, **kept, "auth_mode": "chatgpt", "tokens": tokens, "last_refresh": _stamp(now)}
    return parse(path, raw)


def merge(old: Tokens, answer: Mapping[str, Any], now: datetime) -> Tokens | None:
    """The login after a renewal: what the answer leaves out stays, as does every other key of the file."""
    names = ("id_token", "access_token", "refresh_token")
    fresh = {name: answer[name] for name in names if isinstance(answer.get(name), str) and answer[name]}
    if "access_token" not in fresh:
        return None
    raw = {**old.raw, "tokens": {**old.raw["tokens"], **fresh}, "last_refresh": _stamp(now)}
    return parse(old.path, raw)


def write(tokens: Tokens) -> None:
    """Put a login in its file's place: whole or not at all, readable by its owner only. A link is followed."""
    path = Path(os.path.realpath(tokens.path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, orjson.dumps(dict(tokens.raw), option=orjson.OPT_INDENT_2), mode=0o600)


def problem_of(codex_home: str = "") -> str | None:
    """Why Codex's folder holds no login that can be used, where it says so itself: the keyring, or another kind."""
    folder = login_files(codex_home)[0].parent
    try:
        store = tomllib.loads((folder / "config.toml").read_text()).get("cli_auth_credentials_store")
    except (OSError, ValueError):
        store = None
    try:
        raw = orjson.loads((folder / "auth.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        raw = None
    if raw is None:
        return _STORES.get(store) if isinstance(store, str) else None
    if not isinstance(raw, dict) or raw.get("tokens"):
        return None
    return next((text for name, text in _OTHER_KINDS.items() if raw.get(name)), None)


def account_claims(token: object) -> dict[str, Any]:
    """What an id token says of the ChatGPT account."""
    found = claims(token).get(_CLAIM)
    return found if isinstance(found, dict) else {}


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def claims(token: object) -> dict[str, Any]:
    """The claims of a JWT, unverified: they only say when to renew and whose it is."""
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        value = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _line(value: object) -> str:
    """A value that may stand in a header, else nothing."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value else ""


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _date(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
