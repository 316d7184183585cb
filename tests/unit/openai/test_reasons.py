"""Each label of a failure is sorted: refused or failed, and whether trying again can help."""

from __future__ import annotations

import asyncio
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from tests.unit.openai.conftest import Api, Oauth, port_of
from tests.upstreams.asking import failure
from tests.upstreams.world import World

from ima2_plugins.openai import diagnostics, errors
from ima2_plugins.openai.reasons import MEANINGS, REASONS, Kind
from ima2_plugins.openai.upstream_error import UpstreamError, parse_value

AGAIN = re.compile(r"try again|try once more", re.IGNORECASE)
SDK_CODES = """
server_error rate_limit_exceeded invalid_prompt bio_policy misalignment_policy_violation data_residency_mismatch
image_content_policy_violation image_too_small image_too_large image_parse_error invalid_image invalid_image_format
invalid_base64_image invalid_image_url invalid_image_mode image_file_too_large unsupported_image_media_type
empty_image_file failed_to_download_image image_file_not_found vector_store_timeout
""".split()


def test_every_kind_has_a_meaning_and_every_label_a_kind() -> None:
    assert set(MEANINGS) == set(get_args(Kind))
    assert set(REASONS.values()) <= set(MEANINGS)


@pytest.mark.parametrize("label", [*SDK_CODES, "max_output_tokens", "content_filter", "max_messages", "steered"])
def test_every_label_of_the_sdk_is_known(label: str) -> None:
    assert label in REASONS


@pytest.mark.parametrize("label", sorted(REASONS))
@pytest.mark.parametrize("upstream", ["key", "proxy", "login", "words"])
def test_only_what_was_not_billed_and_can_pass_advises_to_try_again(label: str, upstream: errors.Upstream) -> None:
    meaning = MEANINGS[REASONS[label]]
    begun = errors.failure(UpstreamError(code=label), upstream)
    assert not AGAIN.search(begun.text), begun.text
    assert begun.details["retry"] is False
    error = errors.failure(UpstreamError(code=label, status=400), upstream)
    assert not AGAIN.search(error.text) or meaning.again, error.text
    assert (error.details["retry"], error.details["failureKind"]) == (meaning.again, meaning.outcome)
    assert (error.code == "SAFETY_REFUSAL") == (meaning.outcome == "refused")


def test_no_sentence_about_an_answer_that_was_begun_advises_to_try_again() -> None:
    texts = [
        *diagnostics._SENTENCES.values(),
        *errors.REFUSED.values(),
        errors.timed_out(1).text,
        errors.too_large().text,
    ]
    texts.append(errors.unreachable(httpx.ReadError("x"), "key").text)
    assert not [text for text in texts if AGAIN.search(text)]


def test_a_login_is_never_told_about_api_keys() -> None:
    for upstream in ("proxy", "login", "words"):
        for code in ("invalid_api_key", "token_expired", None):
            error = errors.failure(UpstreamError(code=code, status=401), upstream)
            assert error.status == 401
            assert "OPENAI_API_KEY" not in error.text
            assert "API key" not in error.text


@pytest.mark.parametrize(
    ("words", "code", "status", "fragment"),
    [
        ("BIO", "SAFETY_REFUSAL", 422, "policies"),
        ("REGION", "INVALID_REQUEST", 403, "country or region"),
        ("RESIDENCY", "INVALID_REQUEST", 400, "region"),
        ("REDIRECT", "UPSTREAM_REDIRECT", 502, "redirect"),
        ("FAILED_image_too_small", "INVALID_REQUEST", 400, "input pictures"),
        ("FAILED_misalignment_policy_violation", "SAFETY_REFUSAL", 422, "policies"),
        ("EMPTY INCOMPLETE_steered", "IMAGE_TOOL_FAILED", 422, "stopped"),
        ("EMPTY INCOMPLETE_max_output_tokens", "IMAGE_TOOL_FAILED", 422, "allowance"),
        ("FAIL413", "INVALID_REQUEST", 413, "too large"),
    ],
)
async def test_each_reason_has_its_own_sentence(
    api: Api, openai: World, words: str, code: str, status: int, fragment: str
) -> None:
    error = await failure(api(), f"{words} kite")
    assert (error.code, error.status) == (code, status)
    assert fragment in error.text
    assert len(openai.calls("/responses")) == 1


async def test_a_time_to_wait_may_be_a_date(api: Api) -> None:
    wait = (await failure(api(), "RETRYDATE kite")).retry_after
    assert wait is not None
    assert 30 < wait <= 60


def test_an_error_below_detail_is_read_too() -> None:
    assert parse_value({"detail": {"code": "usage_limit_reached", "message": "x"}}, 429).kind == "usage"


async def test_a_certificate_that_is_not_trusted_is_told_as_that(api: Api, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(api(base_url=f"https://127.0.0.1:{port}/v1"))
    assert (error.code, error.status) == ("NETWORK_FAILED", 502)
    assert "SSL_CERT_FILE" in error.text


def own_certificate(folder: Path) -> Path:
    """A certificate that nobody vouches for, with its key."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    draft = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    path = folder / "certificate.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signed = draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(key.private_bytes(*plain) + signed)
    return path


async def test_a_proxy_of_the_network_that_refuses_is_told_as_that() -> None:
    assert "HTTPS_PROXY" in errors.unreachable(httpx.ProxyError("refused"), "key").text


async def test_a_login_behind_a_proxy_that_died_names_what_to_do(oauth: Oauth, proxy: World) -> None:
    error = await failure(oauth(proxy_port=port_of(proxy)), "FAIL401 kite")
    assert (error.code, error.status) == ("AUTH_API_KEY_INVALID", 401)
    assert "codex login" in error.text
