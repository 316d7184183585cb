"""What went wrong on the way to an upstream, in one sentence that says where to look."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from ima2.errors import Ima2Error

_SENTENCES = {
    "certificate": "{service} was not asked: its certificate is not trusted. Behind a company's proxy, name the "
    "company's certificates with SSL_CERT_FILE or SSL_CERT_DIR.",
    "tls": "{service} could not be reached: no encrypted connection came about. Check the address and any proxy.",
    "proxy": "{service} could not be reached: the proxy refused or did not answer. Check HTTPS_PROXY, HTTP_PROXY, "
    "ALL_PROXY and NO_PROXY.",
    "dns": "{service} could not be reached: its name was not found. Check the network and the address.",
    "refused": "{service} could not be reached: nothing accepts connections at its address.",
    "timeout": "{service} gave no answer in time.",
    "redirect": "{service} sent the request elsewhere (a redirect), which is not followed. Check its base URL.",
    "broken": "The connection to {service} broke before its answer was whole.",
    "unreadable": "{service} answered with something that is no HTTP, or cannot be unpacked. Check its base URL "
    "and any proxy.",
    "address": "{service} cannot be asked: its address is no URL that can be used. Check its base URL.",
    "network": "{service} could not be reached. Check the network and try again.",
}


def network_error(
    error: BaseException, *, service: str = "The service", code: str = "NETWORK_FAILED", status: int = 502
) -> Ima2Error:
    """An httpx (or OS) error as an `Ima2Error` with ``code`` and ``status`` whose sentence gives the reason.

    ``service`` is a name for people, such as ``xAI``. ``details["networkReason"]`` is one of certificate, tls, proxy,
    dns, refused, timeout, redirect, broken, unreadable, address, network. An `Ima2Error` is handed back as it is.
    """
    if isinstance(error, Ima2Error):
        return error
    reason = network_reason(error)
    text = _SENTENCES[reason].format(service=service)
    return Ima2Error(code, status, text, details={"networkReason": reason})


def redirect_error(*, service: str = "The service", code: str = "NETWORK_FAILED", status: int = 502) -> Ima2Error:
    """The same for an answer 3xx: requests are not repeated elsewhere."""
    text = _SENTENCES["redirect"].format(service=service)
    return Ima2Error(code, status, text, details={"networkReason": "redirect"})


def is_network_error(error: BaseException) -> bool:
    """Whether `network_error` can say more about an exception than its type."""
    import httpx

    return isinstance(error, httpx.HTTPError | httpx.InvalidURL | OSError)


def network_reason(error: BaseException) -> str:
    """One word for the reason; see `network_error`."""
    import httpx

    causes = list(_causes(error))
    if isinstance(error, httpx.ProxyError):
        return "proxy"
    if any(isinstance(one, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(one) for one in causes):
        return "certificate"
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "tls"
    if any(isinstance(one, socket.gaierror) for one in causes):
        return "dns"
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return "refused"
    for kinds, reason in (
        ((httpx.TimeoutException, TimeoutError), "timeout"),
        ((httpx.TooManyRedirects,), "redirect"),
        ((httpx.ConnectError,), "network"),
        ((httpx.UnsupportedProtocol, httpx.InvalidURL), "address"),
        ((httpx.DecodingError, httpx.LocalProtocolError), "unreadable"),
        ((httpx.RemoteProtocolError,), _protocol(error)),
        ((httpx.ReadError, httpx.WriteError, httpx.StreamError, ConnectionError), "broken"),
    ):
        if isinstance(error, kinds):
            return reason
    return "network"


def _protocol(error: BaseException) -> str:
    return (
        "broken"
        if "disconnected" in str(error) or "incomplete" in str(error) or "closed" in str(error)
        else "unreadable"
    )


def _causes(error: BaseException | None, depth: int = 8) -> Iterator[BaseException]:
    """An exception, what led to it, and the members of groups."""
    if error is None or depth == 0:
        return
    yield error
    for one in getattr(error, "exceptions", ()):
        yield from _causes(one, depth - 1)
    yield from _causes(error.__cause__ or error.__context__, depth - 1)
