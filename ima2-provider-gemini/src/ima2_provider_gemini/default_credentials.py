"""Application Default Credentials: where they are, and the token that each kind gets.

Source: google.auth (``_default``, ``_cloud_sdk``) 2.63.0. Google's own library reads the files and builds the requests;
they are sent through our client, so that proxies and certificates are the same for everything.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ima2

from .credentials import MAX_ACCOUNT_CHARS, DefaultCredentials, document, no_credential, project_of
from .settings import GeminiSettings, upstream_url
from .transport import send

if TYPE_CHECKING:
    import httpx

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
KINDS = (
    "authorized_user",
    "service_account",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
)
"""Kinds of files that can be used. (``gdch_service_account`` cannot: its library insists on a client of its own.)"""
LIFETIME_SECONDS = 3600.0
_SECONDS = 15.0
_PROJECTS = "cloudresourcemanager.googleapis.com"
_PRODUCT = Path("/sys/class/dmi/id/product_name")


@dataclass(frozen=True, slots=True)
class Grant:
    """A bearer token, how long it is good (seconds), and the projects that its credentials name."""

    token: str = field(repr=False)
    lifetime: float
    project: str = ""
    quota_project: str = ""


def locate(settings: GeminiSettings) -> DefaultCredentials:
    """The credentials to use: the file that is named, gcloud's, else the metadata server where there is one.

    Raises 401 ``GEMINI_API_KEY_MISSING`` when there are none. Looks at files' presence only.
    """
    if settings.credentials_file:
        path = Path(settings.credentials_file).expanduser()
        if not path.is_file():
            raise no_credential("The file that GOOGLE_APPLICATION_CREDENTIALS names is not there.")
        return DefaultCredentials(str(path), path.stat().st_mtime_ns)
    path = gcloud_folder() / "application_default_credentials.json"
    if path.is_file():
        return DefaultCredentials(str(path), path.stat().st_mtime_ns)
    if _is_at_google(settings):
        return DefaultCredentials("")
    raise no_credential(
        "No Application Default Credentials found. Run `gcloud auth application-default login`, or set"
        " GOOGLE_APPLICATION_CREDENTIALS to a credentials file."
    )


def gcloud_folder() -> Path:
    """Where gcloud keeps its files."""
    if folder := os.environ.get("CLOUDSDK_CONFIG"):
        return Path(folder)
    roaming = os.environ.get("APPDATA") if os.name == "nt" else None
    return Path(roaming) / "gcloud" if roaming else Path.home() / ".config" / "gcloud"


def file_document(path: str) -> dict[str, Any]:
    """A credentials file that can be used. Raises 401 ``GEMINI_API_KEY_MISSING``, never with anything of its text."""
    try:
        text = Path(path).read_text("utf-8")[: MAX_ACCOUNT_CHARS + 1]
    except (OSError, UnicodeDecodeError):
        raise no_credential("The file of Application Default Credentials cannot be read.") from None
    found = document(text)
    if found is None:
        raise no_credential("The file of Application Default Credentials is not a JSON object.")
    kind = found.get("type")
    if kind == "gdch_service_account":
        raise no_credential(
            "Credentials of the kind gdch_service_account are for Google Distributed Cloud, not for Vertex AI."
        )
    if kind not in KINDS:
        raise no_credential(f"Credentials files of this kind are unknown. Known are: {', '.join(KINDS)}.")
    source = found.get("credential_source")
    if isinstance(source, dict) and "certificate" in source:
        raise no_credential(
            "Credentials with a certificate (mTLS) are not supported. Use a file, URL or program as source."
        )
    return found


async def metadata_grant(client: httpx.AsyncClient, host: str) -> Grant:
    """The token of the machine's own service account, from the metadata server. Raises `Ima2Error`."""
    root = f"http://{host}/computeMetadata/v1"

    async def get(path: str) -> bytes:
        flavour = {"metadata-flavor": "Google"}
        reply = await send(client, "GET", f"{root}/{path}", headers=flavour, seconds=_SECONDS)
        if reply.status != 200:
            raise no_credential("Google's metadata server knows no service account for this machine.")
        return reply.body

    answer = document((await get("instance/service-accounts/default/token")).decode("utf-8", "replace")) or {}
    token, lifetime = answer.get("access_token"), answer.get("expires_in", LIFETIME_SECONDS)
    if not isinstance(token, str) or not isinstance(lifetime, int | float):
        raise no_credential("Google's metadata server gave no access token.")
    project = {"project": (await get("project/project-id")).decode("utf-8", "replace").strip()}
    return Grant(token, float(lifetime), project_of(project, "project"))


async def file_grant(client: httpx.AsyncClient, found: dict[str, Any], token_url: str) -> Grant:
    """The token that a credentials file is exchanged for. Raises 502 ``GEMINI_API_UPSTREAM_ERROR``."""
    loop = asyncio.get_running_loop()
    return await asyncio.to_thread(_refresh, found, _Requests(client, loop, {TOKEN_URL: token_url}))


def _refresh(found: dict[str, Any], request: _Requests) -> Grant:
    # Imported here and by name: it takes long, is needed for Vertex AI only and has no types.
    auth, problems = import_module("google.auth"), import_module("google.auth.exceptions")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            credentials, project = auth.load_credentials_from_dict(found, scopes=[SCOPE], request=request)
            credentials.refresh(request)
    except (problems.GoogleAuthError, ValueError, TypeError, KeyError) as error:
        raise _no_token(error) from None
    expiry = credentials.expiry
    now = datetime.now(UTC).replace(tzinfo=None)
    lifetime = (expiry - now).total_seconds() if expiry else LIFETIME_SECONDS
    names = {"project": project, "quota": credentials.quota_project_id}
    return Grant(str(credentials.token), lifetime, project_of(names, "project"), project_of(names, "quota"))


def _no_token(error: Exception) -> ima2.Ima2Error:
    """What Google's library could not do, without its words: they may quote the file or an answer."""
    told = next((one for one in error.args if isinstance(one, dict)), {})
    return ima2.Ima2Error(
        "GEMINI_API_UPSTREAM_ERROR",
        502,
        "Google gave no access token for the Application Default Credentials. Sign in again with"
        " `gcloud auth application-default login`, or check the credentials file.",
        upstream_code=told.get("error"),
        upstream_type=type(error).__name__,
    )


@dataclass(frozen=True, slots=True)
class _Response:
    """An answer as google.auth reads it."""

    status: int
    data: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class _Requests:
    """google.auth's ``transport.Request`` over our client; called in a thread, while the loop does the sending."""

    def __init__(
        self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop, addresses: Mapping[str, str]
    ) -> None:
        self._client, self._loop, self._addresses = client, loop, addresses

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Response:
        if urlsplit(url).hostname == _PROJECTS:
            return _Response(404, b"{}")  # the project comes from the settings: looking it up takes another permission
        content = body if isinstance(body, bytes | None) else str(body).encode()
        sending = send(
            self._client,
            method,
            _check_address(self._addresses.get(url, url)),
            headers=dict(headers or {}),
            content=content,
            seconds=min(timeout or _SECONDS, _SECONDS),
        )
        try:
            reply = asyncio.run_coroutine_threadsafe(sending, self._loop).result(_SECONDS + 5)
        except TimeoutError:  # the loop has gone
            raise import_module("google.auth.exceptions").TransportError("no answer") from None
        except ima2.Ima2Error as error:
            raise import_module("google.auth.exceptions").TransportError(error.code) from None
        return _Response(reply.status, reply.body, {"content-type": "application/json"})


def _check_address(url: str) -> str:
    """An address from a credentials file: encrypted, this machine's, or the metadata server of a cloud."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in ("169.254.169.254", "metadata.google.internal"):
        return url
    try:
        upstream_url(url.split("?")[0])
    except ValueError:
        raise import_module("google.auth.exceptions").TransportError("an address without https") from None
    return url


def _is_at_google(settings: GeminiSettings) -> bool:
    """Whether a metadata server can be expected: a machine of Google's says so itself, without being asked."""
    if settings.metadata_host != GeminiSettings.model_fields["metadata_host"].default or "K_SERVICE" in os.environ:
        return True
    try:
        return _PRODUCT.read_text().startswith("Google")
    except OSError:
        return False
