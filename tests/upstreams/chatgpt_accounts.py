"""A fake of OpenAI's accounts: signing in for Codex in a browser and by code, and “Sign in with ChatGPT”.

A ``GET`` of the address that a browser would open comes back with a redirect, as after a person's consent.
``state["accounts.denied"]`` makes it say no, ``state["accounts.pending"]`` is how often a code is not entered yet,
``state["accounts.no_device"]`` switches signing in by code off, ``state["accounts.spoil"]`` spoils ID tokens: by
``signature``, ``algorithm``, ``nonce``, ``audience``, ``issuer`` or ``expired``. ``state["accounts.early"]`` forbids
renewals for so many seconds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.upstreams.world import World

CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
ISSUED = "issued_client_1"
Login = Callable[[World], dict[str, Any]]


def routes_of(world: World, login: Login) -> list[Route]:
    """All of it but the token endpoint of Codex's client, which `exchange` answers."""
    world.state["accounts.login"] = login

    async def authorize(request: Request) -> Response:
        await world.note(request)
        return _consent(world, dict(request.query_params), words=False)

    async def words(request: Request) -> Response:
        await world.note(request)
        return _consent(world, dict(request.query_params), words=True)

    async def usercode(request: Request) -> Response:
        body = await world.note(request)
        if world.state.get("accounts.no_device"):
            return JSONResponse({"error": "not found"}, 404)
        if body != {"client_id": CLIENT}:
            return JSONResponse({"error": "invalid_client"}, 400)
        return JSONResponse({"device_auth_id": "dev_1", "user_code": "ABCD-12345", "interval": "0.05"})

    async def device(request: Request) -> Response:
        body = await world.note(request)
        left = world.state.get("accounts.pending", 0)
        if body != {"device_auth_id": "dev_1", "user_code": "ABCD-12345"} or left > 0:
            world.state["accounts.pending"] = left - 1
            return JSONResponse({"error": "pending"}, 403 if left % 2 else 404)
        verifier = secrets.token_urlsafe(48)
        code = _code(
            world, {"code_challenge": _hash(verifier), "redirect_uri": f"{world.base_url}/deviceauth/callback"}
        )
        return JSONResponse({"authorization_code": code, "code_challenge": _hash(verifier), "code_verifier": verifier})

    async def token(request: Request) -> Response:
        return _words_token(world, await world.note(request))

    async def about(_: Request) -> Response:
        return JSONResponse({"issuer": world.base_url, "jwks_uri": f"{world.base_url}/keys.json"})

    async def keys(_: Request) -> Response:
        return JSONResponse({"keys": [_public()]})

    return [
        Route("/oauth/authorize", authorize),
        Route("/api/accounts/authorize", words),
        Route("/api/accounts/oauth/token", token, methods=["POST"]),
        Route("/api/accounts/deviceauth/usercode", usercode, methods=["POST"]),
        Route("/api/accounts/deviceauth/token", device, methods=["POST"]),
        Route("/.well-known/openid-configuration", about),
        Route("/keys.json", keys),
    ]


def _consent(world: World, query: dict[str, str], *, words: bool) -> Response:
    """A browser comes back from here with a code, or with an error."""
    wanted = "dynamic_agent_client" if words and query.get("client_id") != ISSUED else ISSUED if words else CLIENT
    right = (
        query.get("client_id") == wanted
        and query.get("response_type") == "code"
        and query.get("code_challenge_method") == "S256"
        and "offline_access" in query.get("scope", "")
        and urlsplit(query.get("redirect_uri", "")).hostname in ("127.0.0.1", "localhost")
        and (
            not words or (query.get("nonce") and query.get("resource") and query.get("ext_agent_host_id", "urn:uuid:"))
        )
    )
    if not right:
        return JSONResponse({"error": "invalid_request", "query": query}, 400)
    back = {"state": query["state"]}
    world.state.setdefault("accounts.clients", []).append(query["client_id"])
    if world.state.get("accounts.denied"):
        back["error"] = "access_denied"
    else:
        back["code"] = _code(world, query)
        back |= {"client_id": ISSUED} if words else {}
    return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 302)


def _code(world: World, query: dict[str, str]) -> str:
    code = f"code_{secrets.token_hex(8)}"
    world.state.setdefault("accounts.codes", {})[code] = query
    return code


def exchange(world: World, form: dict[str, Any], client: str = CLIENT) -> Response:
    """The answer to a code of Codex's client, which counts once."""
    return _redeemed(world, form, client) or JSONResponse(
        {name: value for name, value in world.state["accounts.login"](world)["tokens"].items() if name != "account_id"}
    )


def _redeemed(world: World, form: dict[str, Any], client: str) -> Response | None:
    query = world.state.get("accounts.codes", {}).pop(form.get("code"), None)
    right = (
        query is not None
        and form.get("grant_type") == "authorization_code"
        and form.get("client_id") == client
        and form.get("redirect_uri") == query["redirect_uri"]
        and _hash(form.get("code_verifier", "")) == query["code_challenge"]
    )
    world.state["accounts.query"] = query
    return None if right else JSONResponse({"error": "invalid_grant"}, 400)


def _words_token(world: World, form: dict[str, Any]) -> Response:
    if form.get("grant_type") == "refresh_token":
        if form.get("refresh_token") != world.state.get("words.refresh") or form.get("client_id") != ISSUED:
            return JSONResponse({"error": "invalid_grant"}, 400)
    elif wrong := _redeemed(world, form, ISSUED):
        return wrong
    query = world.state.get("accounts.query") or {}
    world.state["words.access"] = f"words_{secrets.token_hex(8)}"
    world.state["words.refresh"] = f"wr_{secrets.token_hex(8)}"
    return JSONResponse(
        {
            "access_token": world.state["words.access"],
            "refresh_token": world.state["words.refresh"],
            "expires_in": world.state.get("words.lifetime", 3600),
            "earliest_refresh_at": int(time.time()) + world.state.get("accounts.early", 0),
            "id_token": _identity(world, query.get("nonce", "")),
        }
    )


def _identity(world: World, nonce: str) -> str:
    spoil = world.state.get("accounts.spoil")
    claims = {
        "iss": "https://elsewhere.invalid" if spoil == "issuer" else world.base_url,
        "aud": "somebody" if spoil == "audience" else ISSUED,
        "nonce": "other" if spoil == "nonce" else nonce,
        "exp": int(time.time()) + (-9000 if spoil == "expired" else 3600),
        "email": "kite@example.invalid",
    }
    head = {"alg": "none" if spoil == "algorithm" else "RS256", "kid": "key-1"}
    message = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
    signature = _key().sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
    if spoil == "signature":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return f"{message}.{_part(signature)}"


@lru_cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


def _public() -> dict[str, str]:
    numbers = _key().public_key().public_numbers()
    return {"kty": "RSA", "kid": "key-1", "n": _part(numbers.n.to_bytes(256, "big")), "e": "AQAB"}


def _hash(verifier: str) -> str:
    return _part(hashlib.sha256(verifier.encode()).digest())


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def address_query(url: str) -> dict[str, str]:
    """The query of an address, for tests."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
