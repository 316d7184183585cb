"""Google's two services with the same models, the Gemini API and Vertex AI, and how each lets one in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .credentials import PROJECT, ApiKey, Credential, DefaultCredentials, ServiceAccount, no_credential, service_account
from .default_credentials import Grant, file_document, file_grant, metadata_grant
from .failures import PREFIX, VERTEX_PREFIX
from .settings import GeminiSettings
from .tokens import AccessTokens, account_grant

if TYPE_CHECKING:
    import httpx

MULTI_REGIONS = ("us", "eu")


@dataclass(frozen=True, slots=True)
class Access:
    """Where models are found, and what to show there. ``lists_models``: a GET of the address tells which there are."""

    models_url: str
    headers: dict[str, str] = field(repr=False)
    prefix: str = PREFIX
    token: str = field(default="", repr=False)

    @property
    def lists_models(self) -> bool:
        """Whether the service tells which models there are; Vertex AI has no such list of its publisher models."""
        return self.prefix == PREFIX


def vertex_host(settings: GeminiSettings) -> str:
    """Vertex AI's address of the location, unless a setting names one.

    Source: google-genai 3.6.1 and google-auth 2.63.0.
    """
    if settings.vertex_base_url:
        return settings.vertex_base_url
    location = settings.vertex_location
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def prefix_of(found: Credential) -> str:
    """How error codes begin with a credential: by the service that it is for."""
    return PREFIX if isinstance(found, ApiKey) and not found.express else VERTEX_PREFIX


async def open_access(
    settings: GeminiSettings, found: Credential, tokens: AccessTokens, http: Callable[[], httpx.AsyncClient]
) -> Access:
    """Everything a call needs. Getting a token is free. Raises `Ima2Error` when there is none to be had."""
    headers, host = {"content-type": "application/json"}, vertex_host(settings)
    if isinstance(found, ApiKey):
        headers["x-goog-api-key"] = found.value
        if found.express:
            return Access(f"{host}/v1/publishers/google/models", headers, VERTEX_PREFIX)
        return Access(f"{settings.base_url}/v1beta/models", headers)
    grant = await tokens.grant(found, lambda: _ask(settings, found, http()))
    headers["authorization"] = f"Bearer {grant.token}"
    if grant.quota_project:
        headers["x-goog-user-project"] = grant.quota_project
    place = f"projects/{_project(settings, found, grant)}/locations/{settings.vertex_location}"
    return Access(f"{host}/v1/{place}/publishers/google/models", headers, VERTEX_PREFIX, grant.token)


async def _ask(
    settings: GeminiSettings, found: ServiceAccount | DefaultCredentials, client: httpx.AsyncClient
) -> Grant:
    if isinstance(found, ServiceAccount):
        return await account_grant(client, found, settings.token_url)
    if not found.path:
        return await metadata_grant(client, settings.metadata_host)
    content = file_document(found.path)
    if content["type"] == "service_account":
        import json

        return await account_grant(client, service_account(json.dumps(content)), settings.token_url)
    return await file_grant(client, content, settings.token_url)


def _project(settings: GeminiSettings, found: Credential, grant: Grant) -> str:
    """The project to work in: of the service account that was saved, else the setting's, else what is known of one."""
    own = grant.project if isinstance(found, ServiceAccount) else settings.vertex_project or grant.project
    project = own or grant.quota_project
    if not re.fullmatch(PROJECT, project):
        raise no_credential("These credentials name no Google Cloud project. Set GOOGLE_CLOUD_PROJECT.")
    return project
