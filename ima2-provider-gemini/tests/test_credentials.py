"""Which credential is used, and how a service account gets its tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from pydantic import ValidationError
from tests.upstreams.asking import draw, failure, only, sent, told
from tests.upstreams.gemini_answers import MARKER
from tests.upstreams.world import World

import ima2
from ima2_provider_gemini.provider import GeminiProvider
from ima2_provider_gemini.settings import GeminiSettings

KEY = "AIzaTest-key-0123456789"
Providers = Callable[..., GeminiProvider]


@pytest.mark.parametrize(
    ("mode", "key", "with_account", "vertex"),
    [
        ("", KEY, True, False),
        ("apikey", KEY, True, False),
        ("vertex", KEY, True, True),
        ("vertex", None, True, True),
        ("", None, True, True),
        ("apikey", None, True, True),
        ("vertex", KEY, False, False),
        ("anything", KEY, True, False),
    ],
)
async def test_the_mode_decides_and_one_alone_is_used(
    make: Providers, world: World, account: str, mode: str, key: str | None, with_account: bool, vertex: bool
) -> None:
    provider = make(auth_mode=mode, api_key=key, service_account=account if with_account else None)
    assert provider.problem() is None
    await draw(provider)
    assert sent(world).path.startswith("/v1/projects/sand-dunes-7/" if vertex else "/v1beta/")
    assert ("x-goog-api-key" in sent(world).headers) is not vertex


async def test_vertex_is_asked_as_the_project_with_a_bearer_token(make: Providers, world: World, account: str) -> None:
    updates = await draw(make(api_key=None, service_account=account))
    assert only(updates, ima2.Artifact).picture.media_type == "image/png"
    call = sent(world)
    assert call.path == (
        "/v1/projects/sand-dunes-7/locations/global/publishers/google/models/gemini-3.1-flash-image:generateContent"
    )
    assert call.headers["authorization"] == "Bearer ya29.fake-0"
    assert [one.path for one in world.seen] == ["/token", call.path]


async def test_a_token_is_asked_for_once_by_all_who_wait_and_kept(make: Providers, world: World, account: str) -> None:
    world.delay = 0.1
    provider = make(api_key=None, service_account=account)
    await draw(provider, count=4)
    await draw(provider)
    assert len(world.calls("/token")) == 1


async def test_a_token_near_its_end_is_renewed(make: Providers, world: World, account: str) -> None:
    world.state["google.expires_in"] = 200
    provider = make(api_key=None, service_account=account)
    await draw(provider)
    await draw(provider)
    assert len(world.calls("/token")) == 2


async def test_a_refused_token_is_forgotten_and_the_call_not_repeated(
    make: Providers, world: World, account: str
) -> None:
    provider = make(api_key=None, service_account=account)
    await draw(provider)
    world.state["google.tokens"].clear()
    error = await failure(provider)
    assert (error.code, error.status) == ("VERTEX_UPSTREAM_ERROR", 502)
    assert len(world.calls(":generateContent")) == 2
    await draw(provider)
    assert len(world.calls("/token")) == 2


async def test_another_account_gets_another_token(make: Providers, world: World, account: str) -> None:
    provider = make(api_key=None, service_account=account)
    await draw(provider)
    other = {**json.loads(account), "client_email": "other@sand-dunes-7.iam.gserviceaccount.com"}
    provider._service.settings.service_account = type(provider._service.settings.service_account)(json.dumps(other))  # type: ignore[misc]
    await draw(provider)
    assert len(world.calls("/token")) == 2


async def test_a_waiter_that_is_canceled_leaves_the_others_their_token(
    make: Providers, world: World, account: str
) -> None:
    world.delay = 0.3
    provider = make(api_key=None, service_account=account)
    first, second = asyncio.create_task(draw(provider)), asyncio.create_task(draw(provider))
    while not world.calls("/token"):
        await asyncio.sleep(0.01)
    first.cancel()
    assert only(await second, ima2.Artifact)


@pytest.mark.parametrize("refusal", ["invalid_grant", "unauthorized_client"])
async def test_google_giving_no_token_is_an_error_a_person_can_act_on(
    make: Providers, world: World, account: str, refusal: str
) -> None:
    world.state["google.refuse"] = refusal
    error = await failure(make(api_key=None, service_account=account))
    assert (error.code, error.status, error.upstream_code) == ("VERTEX_UPSTREAM_ERROR", 502, refusal)
    assert "clock" in error.text
    assert MARKER not in told(error)
    assert world.calls(":generateContent") == []


async def test_a_forbidden_project_is_a_403(make: Providers, world: World, account: str) -> None:
    world.state["google.project"] = "another-one"
    error = await failure(make(api_key=None, service_account=account))
    assert (error.code, error.status) == ("VERTEX_BAD_REQUEST", 403)


async def test_without_any_credential_nothing_is_sent(make: Providers, world: World) -> None:
    provider = make(api_key=None)
    error = await failure(provider)
    assert (error.code, error.status) == ("GEMINI_API_KEY_MISSING", 401)
    assert provider.problem() == error.text
    assert world.seen == []


@pytest.mark.parametrize(
    "text",
    [
        "{'private_key': 'SECRET'",
        '"SECRET"',
        "null",
        '{"type": "authorized_user", "private_key": "SECRET"}',
        '{"type": "service_account", "project_id": "../x", "client_email": "a@b", "private_key": "SECRET"}',
        '{"type": "service_account", "project_id": "p", "client_email": "a@b", "private_key": ""}',
        '{"type": "service_account", "project_id": "p", "client_email": "a@b", "private_key": "SECRET"}',
        " " * 60_000 + "SECRET",
    ],
)
async def test_a_damaged_service_account_is_named_and_never_shown(make: Providers, world: World, text: str) -> None:
    error = await failure(make(auth_mode="vertex", service_account=text))
    assert (error.code, error.status) == ("GEMINI_API_KEY_MISSING", 401)
    assert "SECRET" not in told(error)
    assert world.seen == []


@pytest.mark.parametrize("key", ["AIza\r\nx: y", "AIza key", "AIzä", "A" * 513])
async def test_a_key_that_no_header_can_hold_is_refused_unshown(make: Providers, world: World, key: str) -> None:
    error = await failure(make(api_key=key))
    assert (error.code, error.status) == ("GEMINI_API_KEY_MISSING", 401)
    assert key not in told(error)
    assert world.seen == []


def test_settings_and_provider_print_no_secret(make: Providers, account: str) -> None:
    settings = GeminiSettings(api_key=KEY, service_account=account)  # type: ignore[arg-type]
    assert KEY not in repr(settings)
    assert "PRIVATE KEY" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://generativelanguage.googleapis.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://user:pass@host",
        "https://host/?key=1",
        "https://",
        "nonsense",
    ],
)
def test_credentials_are_only_sent_encrypted_or_to_this_machine(url: str) -> None:
    with pytest.raises(ValidationError):
        GeminiSettings(base_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "http://localhost:9/", "http://[::1]:9", "https://proxy.example/"]
)
def test_a_proxy_of_ones_own_may_stand_in_for_google(url: str) -> None:
    assert GeminiSettings(base_url=url).base_url == url.rstrip("/")
