"""Which authorities are trusted to vouch for a server."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from ima2.errors import Ima2Error


def trusted(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The authorities of ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, as OpenSSL and curl read them; else certifi's.

    ``CERTIFICATES_INVALID`` names the variable whose file or folder cannot be used.
    """
    file, folder = environ.get("SSL_CERT_FILE", ""), environ.get("SSL_CERT_DIR", "")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not file and not folder:
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    if file:
        _load(context, "SSL_CERT_FILE", cafile=file)
    for one in folder.split(":") if folder else ():
        _load(context, "SSL_CERT_DIR", capath=one)
    return context


def nobody() -> ssl.SSLContext:
    """No authority at all: for connections that are never encrypted, quick to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _load(context: ssl.SSLContext, variable: str, **where: str) -> None:
    try:
        context.load_verify_locations(**where)
    except OSError:  # ssl.SSLError is one
        text = f"{variable} names no readable certificates (PEM). Correct it, or unset it to use the usual authorities."
        raise Ima2Error("CERTIFICATES_INVALID", 502, text) from None
