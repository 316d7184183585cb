"""Checks the signed claim of a service account as Google's token endpoint does."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from tests.upstreams.world import World

AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def problem(world: World, form: Any) -> str | None:
    """What is wrong with a signed claim (RFC 7523), if anything."""
    if not isinstance(form, dict) or form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return "Unsupported grant type."
    try:
        head, claims, signature = str(form["assertion"]).split(".")
        header, claim = (json.loads(_unpadded(one)) for one in (head, claims))
        if header.get("alg") != "RS256" or header.get("typ") != "JWT":
            return "Invalid JWT header."
        _verify(world.state.get("google.public_key"), f"{head}.{claims}".encode(), _unpadded(signature))
    except Exception:  # whatever is wrong with it, Google says the same
        return "Invalid JWT Signature."
    now = time.time()
    if claim.get("aud") != AUDIENCE or claim.get("scope") != SCOPE or "@" not in claim.get("iss", ""):
        return "Invalid claims."
    if not (now - 300 < claim["iat"] <= now + 1 and 0 < claim["exp"] - claim["iat"] <= 3600):
        return "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."
    return None


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _verify(public_key: str | None, signed: bytes, signature: bytes) -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if public_key is None:
        return
    key = load_pem_public_key(public_key.encode())
    assert isinstance(key, RSAPublicKey)
    key.verify(signature, signed, PKCS1v15(), SHA256())
