"""Checking an ID token: signed by its issuer (RS256, RFC 7515), for this client, of this sign-in, not ended."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import orjson

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 before the hash (RFC 8017, section 9.2)."""
_SKEW = 120


def verified_claims(token: str, keys: Mapping[str, Any], *, issuer: str, audience: str, nonce: str) -> dict[str, Any]:
    """The claims of a token that is right in every point. ``ValueError`` says in which it is not.

    ``keys`` is the issuer's JSON Web Key Set.
    """
    head, claims, signature = _parts(token)
    if head.get("alg") != "RS256":
        raise ValueError("algorithm")
    key = _key(keys, head.get("kid"))
    if not _signed(token.rpartition(".")[0].encode(), signature, _number(key.get("n")), _number(key.get("e"))):
        raise ValueError("signature")
    aud = claims.get("aud")
    now = time.time()
    if str(claims.get("iss", "")).rstrip("/") != issuer.rstrip("/"):
        raise ValueError("issuer")
    if audience not in (aud if isinstance(aud, list) else [aud]):
        raise ValueError("audience")
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] < now - _SKEW:
        raise ValueError("expired")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ValueError("nonce")
    return claims


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    pieces = token.split(".")
    if len(pieces) != 3:
        raise ValueError("form")
    head, claims = (_object(_bytes(piece)) for piece in pieces[:2])
    return head, claims, _bytes(pieces[2])


def _object(body: bytes) -> dict[str, Any]:
    """A JSON object; anything else is an empty one, which fails every check."""
    value = orjson.loads(body)
    return value if isinstance(value, dict) else {}


def _key(keys: Mapping[str, Any], kid: object) -> dict[str, Any]:
    listed = keys.get("keys")
    found = [one for one in listed if isinstance(one, dict) and one.get("kty") == "RSA"] if listed else []
    for one in found:
        if one.get("kid") == kid:
            return one
    raise ValueError("key")


def _signed(message: bytes, signature: bytes, modulus: int, exponent: int) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    size = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < 2048 or exponent < 3 or len(signature) != size:
        return False
    found = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
    digest = _SHA256 + hashlib.sha256(message).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return hmac.compare_digest(found, wanted)


def _number(text: object) -> int:
    return int.from_bytes(_bytes(text if isinstance(text, str) else ""), "big")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
