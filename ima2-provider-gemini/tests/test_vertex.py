"""Vertex AI: its hosts, a key in express mode, Application Default Credentials of every kind, codes of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.upstreams.asking import draw, failure, only, sent, told
from tests.upstreams.google_accounts import MARKER
from tests.upstreams.world import World

import ima2
from ima2_provider_gemini.access import vertex_host
from ima2_provider_gemini.provider import GeminiProvider
from ima2_provider_gemini.settings import GeminiSettings

Providers = Callable[..., GeminiProvider]
Write = Callable[..., Path]
USER = {"type": "authorized_user", "client_id": "client-1", "client_secret": "secret-1", "refresh_token": "1//refresh"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without any credentials, on no machine of Google's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLOUDSDK_CONFIG", "APPDATA", "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def write(home: Path) -> Write:
    """Writes a credentials file and returns its path."""

    def file(path: str = "adc.json", **fields: Any) -> Path:
        place = home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(fields))
        return place

    return file


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_host(location: str, host: str) -> None:
    assert vertex_host(GeminiSettings(vertex_location=location)) == host
    assert vertex_host(GeminiSettings(vertex_location=location, vertex_base_url="https://own.example/")) == (
        "https://own.example"
    )


async def test_a_region_stands_in_the_path(make: Providers, world: World, account: str) -> None:
    world.state["google.location"] = "europe-west4"
    await draw(make(api_key=None, service_account=account, vertex_location="europe-west4"))
    assert "/locations/europe-west4/" in sent(world).path


async def test_a_key_may_be_shown_to_vertex_in_express_mode(make: Providers, world: World) -> None:
    provider = make(auth_mode="express")
    await draw(provider)
    call = sent(world)
    assert call.path == "/v1/publishers/google/models/gemini-3.1-flash-image:generateContent"
    assert "x-goog-api-key" in call.headers
    assert "authorization" not in call.headers
    assert (await provider.status()).state == "ready"


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("FAIL429", "VERTEX_RATE_LIMITED"),
        ("FAIL500", "VERTEX_UPSTREAM_ERROR"),
        ("SAFETY", "VERTEX_SAFETY_BLOCKED"),
        ("EMPTY", "VERTEX_NO_IMAGE"),
        ("NOTJSON", "VERTEX_NETWORK_FAILED"),
    ],
)
async def test_errors_of_vertex_have_codes_of_their_own(make: Providers, word: str, code: str) -> None:
    assert (await failure(make(auth_mode="express"), word)).code == code


async def test_the_default_credentials_are_the_file_that_is_named(make: Providers, world: World, write: Write) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    path = write(**USER, quota_project_id="quota-9")
    provider = make(auth_mode="adc", credentials_file=str(path), vertex_project="sand-dunes-7")
    assert provider.problem() is None
    assert only(await draw(provider), ima2.Artifact)
    call = sent(world)
    assert "/projects/sand-dunes-7/" in call.path
    assert call.headers["x-goog-user-project"] == "quota-9"
    await draw(provider)
    assert len(world.calls("/token")) == 1


async def test_gclouds_own_login_is_found_and_a_newer_one_counts_at_once(
    make: Providers, world: World, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    write(".config/gcloud/application_default_credentials.json", **USER, quota_project_id="quota-9")
    provider = make(auth_mode="adc")
    await draw(provider)
    assert "/projects/quota-9/" in sent(world).path
    other = write("elsewhere/application_default_credentials.json", **USER, quota_project_id="quota-10")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(other.parent))
    await draw(provider)
    assert "/projects/quota-10/" in world.calls(":generateContent")[-1].path


async def test_vertex_without_key_or_account_falls_back_on_them(make: Providers, world: World, write: Write) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    path = write(**USER)
    settings = {"credentials_file": str(path), "vertex_project": "sand-dunes-7"}
    await draw(make(auth_mode="vertex", api_key=None, **settings))
    assert "authorization" in sent(world).headers
    assert (await failure(make(api_key=None, **settings))).code == "GEMINI_API_KEY_MISSING"


async def test_a_service_accounts_file_is_signed_for_as_a_saved_one(
    make: Providers, world: World, write: Write, account: str
) -> None:
    path = write(**json.loads(account), quota_project_id="quota-9")
    await draw(make(auth_mode="adc", credentials_file=str(path)))
    call = sent(world)
    assert "/projects/sand-dunes-7/" in call.path
    assert call.headers["x-goog-user-project"] == "quota-9"


def external(world: World, source: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A federated identity's file."""
    world.state["google.subject"] = "subject-token-1"
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{world.base_url}/sts",
        "credential_source": source,
        **more,
    }


@pytest.mark.parametrize("kind", ["file", "url", "impersonated"])
async def test_a_federated_identity_is_exchanged(
    make: Providers, world: World, write: Write, home: Path, kind: str
) -> None:
    (home / "subject").write_text("subject-token-1")
    as_json = {"type": "json", "subject_token_field_name": "id_token"}
    source = {"url": f"{world.base_url}/subject", "format": as_json} if kind == "url" else {"file": f"{home}/subject"}
    address = f"{world.base_url}/impersonate/bot@p.iam.gserviceaccount.com:generateAccessToken"
    more = {"service_account_impersonation_url": address} if kind == "impersonated" else {}
    path = write(**external(world, source, **more))
    await draw(make(auth_mode="adc", credentials_file=str(path), vertex_project="sand-dunes-7"))
    assert sent(world).headers["authorization"] == f"Bearer {world.state['google.tokens'][-1]}"
    assert bool(world.calls("/impersonate")) is bool(more)


async def test_a_federated_login_is_refreshed_where_its_file_says(make: Providers, world: World, write: Write) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    fields = {**USER, "type": "external_account_authorized_user", "token_url": f"{world.base_url}/sts"}
    path = write(**fields, audience="//iam.googleapis.com/locations/global/workforcePools/p/providers/q")
    await draw(make(auth_mode="adc", credentials_file=str(path), vertex_project="sand-dunes-7"))
    assert len(world.calls("/sts")) == 1


async def test_another_account_is_impersonated(
    make: Providers, world: World, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", f"{world.base_url}/impersonate/{{}}:generateAccessToken")
    address = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/bot@p.iam:generateAccessToken"
    fields = {"type": "impersonated_service_account", "service_account_impersonation_url": address}
    path = write(**fields, source_credentials=USER, delegates=[])
    await draw(make(auth_mode="adc", credentials_file=str(path), vertex_project="sand-dunes-7"))
    assert sent(world).headers["authorization"] == "Bearer ya29.fake-1"


async def test_a_machine_at_google_asks_its_metadata_server(make: Providers, world: World, home: Path) -> None:
    world.state["google.project"] = "their-project"
    host = world.base_url.removeprefix("http://")
    await draw(make(auth_mode="adc", metadata_host=host))
    assert "/projects/their-project/" in sent(world).path
    world.state["google.no_account"] = True
    error = await failure(make(auth_mode="adc", metadata_host=host))
    assert (error.code, "metadata server" in error.text) == ("GEMINI_API_KEY_MISSING", True)


@pytest.mark.parametrize(
    ("fields", "fragment"),
    [
        ({"type": "gdch_service_account"}, "Distributed Cloud"),
        ({"type": "something_new"}, "authorized_user"),
        ({"type": "external_account", "credential_source": {"certificate": {}}}, "certificate"),
        ({**USER, "refresh_token": "SECRET-stale"}, "Sign in again"),
        ({**USER}, "GOOGLE_CLOUD_PROJECT"),
        ({"type": "authorized_user", "client_id": "SECRET"}, "Sign in again"),
    ],
)
async def test_what_cannot_be_used_is_explained_and_never_shown(
    make: Providers, world: World, write: Write, fields: dict[str, Any], fragment: str
) -> None:
    world.state["google.refresh_token"] = "1//refresh"
    error = await failure(make(auth_mode="adc", credentials_file=str(write(**fields))))
    assert fragment in error.text
    assert not any(secret in told(error) for secret in ("SECRET", MARKER))
    assert world.calls(":generateContent") == []


async def test_a_file_cannot_send_secrets_to_an_open_address(make: Providers, world: World, write: Write) -> None:
    fields = {**USER, "type": "external_account_authorized_user", "token_url": "http://evil.example/token"}
    path = write(**fields, audience="//iam.googleapis.com/locations/global/workforcePools/p/providers/q")
    error = await failure(make(auth_mode="adc", credentials_file=str(path), vertex_project="p-1"))
    assert (error.code, error.upstream_type) == ("VERTEX_UPSTREAM_ERROR", "TransportError")


@pytest.mark.parametrize(("text", "fragment"), [("{", "JSON"), ("[]", "JSON")])
async def test_a_damaged_file_is_named(make: Providers, home: Path, text: str, fragment: str) -> None:
    (home / "adc.json").write_text(text)
    assert fragment in (await failure(make(auth_mode="adc", credentials_file=str(home / "adc.json")))).text


async def test_without_any_the_way_to_them_is_said(make: Providers, home: Path) -> None:
    provider = make(auth_mode="adc")
    assert "gcloud auth application-default login" in str(provider.problem())
    assert "not there" in str(make(auth_mode="adc", credentials_file=str(home / "none.json")).problem())
    assert (await failure(provider)).status == 401


async def test_credentials_are_tried_out_before_they_are_stored(make: Providers, world: World, account: str) -> None:
    provider = make(api_key=None)
    assert (await provider.verify({"key": "AIzaTest-key-0123456789"})).state == "ready"
    assert (await provider.verify({"key": "AIzaWrong"})).state == "auth_required"
    assert (await provider.verify({"service_account": account})).state == "ready"
    assert (await provider.verify({"service_account": "{}"})).state == "auth_required"
    world.state["google.refuse"] = "invalid_grant"
    assert (await provider.verify({"service_account": account})).state == "auth_required"
    assert provider.problem() is not None
    assert world.calls(":generateContent") == []


async def test_other_settings_count_from_the_next_call_on(make: Providers, world: World) -> None:
    provider = make(api_key=None)
    await provider.reconfigure(GeminiSettings(api_key="AIzaTest-key-0123456789", base_url=world.base_url))  # type: ignore[arg-type]
    assert only(await draw(provider), ima2.Artifact)


def test_credentials_name_their_settings() -> None:
    fields = GeminiSettings.model_fields
    assert [one.name for one in GeminiProvider.credentials] == ["key", "service_account", "adc"]
    assert all(one.setting in fields for one in GeminiProvider.credentials if one.setting)
