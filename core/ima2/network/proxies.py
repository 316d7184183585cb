"""Which proxy a request goes through, as the environment says.

``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, in small letters (which win, also when empty) or large
ones. Values and hosts to leave out are read as curl reads them: https://curl.se/docs/manpage.html#--noproxy
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ima2.errors import Ima2Error
from ima2.network.addresses import is_loopback

_SCHEMES = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5h", "socks": "socks5"}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy as an URL (``http``, ``https``, ``socks5`` or ``socks5h``), which may hold a password."""

    url: str = field(repr=False)


class Proxies:
    """The proxies of an environment. A bad value is an error only for who would have to use it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {scheme: _setting(environ, f"{scheme}_proxy") for scheme in ("http", "https", "all")}
        listed = _setting(environ, "no_proxy")[1]
        self._exempt = [entry.lower() for entry in re.split(r"[,\s]+", listed) if entry]

    def find(self, scheme: str, host: str, port: int | None = None) -> Proxy | None:
        """The proxy for an address; ``None`` to connect directly, as always to this machine.

        ``PROXY_INVALID`` names the variable whose value cannot be used.
        """
        name, value = self._values.get(scheme, ("", ""))
        if not value:
            name, value = self._values["all"]
        if not value or is_loopback(host) or self._is_exempt(host, port):
            return None
        return Proxy(_proxy_url(name, value))

    def _is_exempt(self, host: str, port: int | None) -> bool:
        plain = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
        return any(_matches(entry, plain, port) for entry in self._exempt)


def _setting(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable's name as it is written, and its value."""
    if name in environ:
        return name, environ[name].strip()
    return name.upper(), environ.get(name.upper(), "").strip()


def _proxy_url(name: str, value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    known = _SCHEMES.get(scheme.lower())
    try:
        parts = urlsplit(f"{known}://{rest}")
        usable = bool(known and parts.hostname and (parts.port is None or parts.port > 0))
    except ValueError:
        usable = False
    if not usable:
        raise Ima2Error(
            "PROXY_INVALID",
            502,
            f"{name} holds no proxy that can be used. Write it as http://host:port, https://host:port or "
            "socks5://host:port, or unset it.",
        )
    return f"{known}://{rest}"


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split_port(entry)
    if wanted is not None and wanted != port:
        return False
    if address is not None:
        return name == str(address)
    suffix = name.removeprefix("*").removeprefix(".").removesuffix(".")
    return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, int(port[1:]) if port[1:].isdigit() else None
    name, colon, port = entry.partition(":")
    if colon and port.isdigit():
        return name, int(port)
    return entry, None
