"""Every way Google can fail, and what a user is told. Nothing is sent twice, nothing secret gets out."""

from __future__ import annotations

import logging
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.upstreams.asking import failure, told
from tests.upstreams.gemini_answers import MARKER
from tests.upstreams.world import World

from ima2_provider_gemini import transport
from ima2_provider_gemini.provider import GeminiProvider

KEY = "AIzaTest-key-0123456789"
ROWS = [
    ("FAIL400", "GEMINI_API_BAD_REQUEST", 400, "INVALID_ARGUMENT"),
    ("BADKEY", "GEMINI_API_BAD_REQUEST", 400, "INVALID_ARGUMENT"),
    ("FAIL401", "GEMINI_API_UPSTREAM_ERROR", 502, "UNAUTHENTICATED"),
    ("FAIL403", "GEMINI_API_BAD_REQUEST", 403, "PERMISSION_DENIED"),
    ("FAIL429", "GEMINI_API_RATE_LIMITED", 429, "RESOURCE_EXHAUSTED"),
    ("QUOTA200", "GEMINI_API_RATE_LIMITED", 429, "RESOURCE_EXHAUSTED"),
    ("LOCATION", "GEMINI_API_BAD_REQUEST", 400, "FAILED_PRECONDITION"),
    ("FAIL500", "GEMINI_API_UPSTREAM_ERROR", 502, "INTERNAL"),
    ("FAIL503", "GEMINI_API_UPSTREAM_ERROR", 502, "UNAVAILABLE"),
    ("HTML502", "GEMINI_API_UPSTREAM_ERROR", 502, None),
    ("REDIRECT", "GEMINI_API_UPSTREAM_ERROR", 502, None),
    ("SAFETY", "GEMINI_API_SAFETY_BLOCKED", 400, "SAFETY"),
    *[
        (f"REASON_{reason}", "GEMINI_API_SAFETY_BLOCKED", 400, reason)
        for reason in (
            "IMAGE_SAFETY",
            "PROHIBITED_CONTENT",
            "IMAGE_PROHIBITED_CONTENT",
            "BLOCKLIST",
            "SPII",
            "RECITATION",
            "IMAGE_RECITATION",
            "MODEL_ARMOR",
            "ESCALATION",
            "PUP_LIMITED_DISABLED",
        )
    ],
    *[
        (f"REASON_{reason}", "GEMINI_API_NO_IMAGE", 502, reason)
        for reason in (
            *("NO_IMAGE", "IMAGE_OTHER", "MAX_TOKENS", "OTHER", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"),
            *("LANGUAGE", "CONTINUATION", "NEVER_HEARD_OF"),
        )
    ],
    *[
        (f"BLOCK_{reason}", "GEMINI_API_SAFETY_BLOCKED", 400, reason)
        for reason in ("SAFETY", "OTHER", "BLOCKLIST", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK", "NEVER_HEARD_OF")
    ],
    ("BLOCK", "GEMINI_API_SAFETY_BLOCKED", 400, "PROHIBITED_CONTENT"),
    ("EMPTY", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOPARTS", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOCANDIDATES", "GEMINI_API_NO_IMAGE", 502, None),
    ("ODD", "GEMINI_API_NO_IMAGE", 502, "_redacted"),
    ("NOTPICTURE", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOTBASE64", "GEMINI_API_NO_IMAGE", 502, "STOP"),
    ("NOTJSON", "GEMINI_API_NETWORK_FAILED", 502, None),
    ("CUT", "GEMINI_API_NETWORK_FAILED", 502, None),
]


@pytest.mark.parametrize(("word", "code", "status", "upstream"), ROWS)
async def test_a_failure_has_its_code_is_asked_once_and_leaks_nothing(
    provider: GeminiProvider,
    world: World,
    caplog: pytest.LogCaptureFixture,
    word: str,
    code: str,
    status: int,
    upstream: str | None,
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await failure(provider, f"a secret-kite {word}")
    assert (error.code, error.status, error.upstream_code) == (code, status, upstream)
    assert len(world.calls(":generateContent")) == 1
    said = told(error) + caplog.text
    assert not any(secret in said for secret in (KEY, MARKER, "secret-kite"))
    assert error.text.endswith(".")


async def test_the_time_to_wait_is_passed_on(provider: GeminiProvider) -> None:
    assert (await failure(provider, "FAIL429")).retry_after == 31.0


async def test_a_date_to_wait_for_is_passed_on_in_seconds(provider: GeminiProvider) -> None:
    assert (await failure(provider, "DATE429")).retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize(
    ("words", "fragment", "retry"),
    [
        ("REASON_NO_IMAGE UNBILLED", "Try again.", True),
        ("REASON_NO_IMAGE", "was billed", False),
        ("REASON_MAX_TOKENS UNBILLED", "Rephrase the prompt.", False),
        ("REASON_IMAGE_SAFETY UNBILLED", "Change the prompt", False),
        ("BLOCK_JAILBREAK", "Change the prompt", False),
    ],
)
async def test_trying_again_is_advised_only_where_it_can_help_and_nothing_was_billed(
    provider: GeminiProvider, words: str, fragment: str, retry: bool
) -> None:
    error = await failure(provider, words)
    assert fragment in error.text
    assert ("Try again." in error.text) is retry
    assert error.details["retry"] is retry


@pytest.mark.parametrize(
    ("word", "fragment"), [("LOCATION", "location"), ("REDIRECT", "redirect"), ("QUOTA200", "quota"), ("CUT", "billed")]
)
async def test_what_is_wrong_is_said_in_a_sentence_of_its_own(
    provider: GeminiProvider, word: str, fragment: str
) -> None:
    assert fragment in (await failure(provider, word)).text


@pytest.mark.parametrize(
    ("reason", "kind"), [("IMAGE_SAFETY", "unsafe"), ("BLOCKLIST", "refused"), ("IMAGE_OTHER", "failed")]
)
async def test_a_reason_has_its_kind(provider: GeminiProvider, reason: str, kind: str) -> None:
    assert (await failure(provider, f"REASON_{reason}")).details["failureKind"] == kind


async def test_a_certificate_that_is_not_trusted_is_called_that(make: Callable[..., GeminiProvider]) -> None:
    with untrusted_server() as address:
        error = await failure(make(base_url=address))
    assert error.code == "GEMINI_API_NETWORK_FAILED"
    assert "certificate" in error.text
    assert address not in told(error)


@pytest.mark.parametrize(("word", "fragment"), [("BLOCK", "prompt was rejected"), ("SAFETY", "image was filtered")])
async def test_a_block_says_whether_the_prompt_or_the_picture_was_meant(
    provider: GeminiProvider, word: str, fragment: str
) -> None:
    assert fragment in (await failure(provider, word)).text


async def test_a_bad_key_is_called_a_bad_key(make: Callable[..., GeminiProvider]) -> None:
    error = await failure(make(api_key="AIzaSomebodyElse"), "a kite")
    assert (error.code, error.status) == ("GEMINI_API_BAD_REQUEST", 400)
    assert "key" in error.text


async def test_too_slow_is_a_timeout_and_not_the_network(make: Callable[..., GeminiProvider]) -> None:
    error = await failure(make(generation_timeout_ms=200), "HANG")
    assert (error.code, error.status) == ("GENERATION_TIMEOUT", 504)


async def test_nobody_there_is_the_network(make: Callable[..., GeminiProvider]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = await failure(make(base_url=address), "a kite")
    assert (error.code, error.status, error.upstream_type) == ("GEMINI_API_NETWORK_FAILED", 502, "ConnectError")
    assert address not in told(error)


@pytest.mark.parametrize("word", ["HUGE", "BOMB"])
async def test_an_answer_beyond_all_measure_is_cut_off(
    provider: GeminiProvider, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER", 6_000_000)
    assert (await failure(provider, word)).code == "GEMINI_API_UPSTREAM_ERROR"


@contextmanager
def untrusted_server() -> Iterator[str]:
    """A server whose certificate nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
