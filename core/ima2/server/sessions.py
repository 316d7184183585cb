"""Signing in from another machine: who may try how often, and the session that takes the token's place."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from pathlib import Path

from ima2.errors import Ima2Error
from ima2.files import private_folder, write_whole

COOKIE = "ima2_lan"
SHORTEST = 16
"""Characters a token has at least: guessing one must not be worth the try."""
SESSION_S = 30 * 86_400
GUESSES = 10
"""Wrong tokens that one address may send within `WINDOW_S` seconds."""
WINDOW_S = 60.0
_REMEMBERED = 4096


class Guesses:
    """Counts wrong tokens by the address they came from (IPv6: by its network)."""

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[int, float]] = {}

    def check(self, address: str) -> None:
        """429 ``TOO_MANY_GUESSES`` for an address that has had its tries."""
        count, until = self._wrong.get(_network(address), (0, 0.0))
        left = until - time.monotonic()
        if count >= GUESSES and left > 0:
            text = "Too many wrong tokens came from this address. Wait a minute and try again."
            raise Ima2Error("TOO_MANY_GUESSES", 429, text, retry_after=left)

    def count(self, address: str) -> None:
        """Note a wrong one."""
        network, now = _network(address), time.monotonic()
        count, until = self._wrong.pop(network, (0, 0.0))
        self._wrong[network] = (count + 1, until) if until > now else (1, now + WINDOW_S)
        if len(self._wrong) > _REMEMBERED:
            del self._wrong[next(iter(self._wrong))]


class Sessions:
    """The token of a server, and the sessions that stand for it. They end with the token, not with the process.

    ``folder`` holds the secret that sessions are signed with; where it cannot be kept, a restart ends all sessions.
    """

    def __init__(self, token: str, folder: Path) -> None:
        self._token = token.encode()
        self._guesses = Guesses()
        self._key = hmac.digest(_secret(folder / "sessions.key"), self._token, hashlib.sha256)

    def sign_in(self, token: str, address: str) -> str:
        """A new session for who knows the token; see `check_token`."""
        self.check_token(token, address)
        head = f"{int(time.time()) + SESSION_S}.{secrets.token_urlsafe(18)}"
        return f"{head}.{self._signature(head)}"

    def check_token(self, token: str, address: str) -> None:
        """401 ``TOKEN_REQUIRED`` for a wrong token, 429 ``TOO_MANY_GUESSES`` after too many of them."""
        self._guesses.check(address)
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token):
            self._guesses.count(address)
            raise Ima2Error("TOKEN_REQUIRED", 401, "That is not the token.")

    def knows(self, session: str) -> bool:
        """Whether a session was signed here and has not ended."""
        head, _, signature = session.rpartition(".")
        until = head.partition(".")[0]
        signed = hmac.compare_digest(signature.encode(), self._signature(head).encode())
        return signed and until.isdecimal() and int(until) > time.time()

    def _signature(self, head: str) -> str:
        return hmac.new(self._key, head.encode(), hashlib.sha256).hexdigest()


def require_long(token: str) -> None:
    """500 ``LAN_TOKEN_TOO_SHORT`` for a token that could be guessed."""
    if len(token) < SHORTEST:
        text = (
            f"The token of IMA2_LAN_TOKEN has {len(token)} characters; it needs {SHORTEST} or more. One to take: "
            f"{secrets.token_urlsafe(24)}"
        )
        raise Ima2Error("LAN_TOKEN_TOO_SHORT", 500, text)


def _secret(path: Path) -> bytes:
    try:
        found = path.read_bytes()
    except OSError:
        found = b""
    if len(found) < 32:
        found = secrets.token_bytes(32)
        try:
            private_folder(path.parent)
            write_whole(path, found)
        except OSError:
            pass
    return found


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address) or ip.ipv4_mapped:
        return address
    return str(ipaddress.ip_network(f"{ip}/64", strict=False))
