"""Asking GitHub: files by the guarded download, its API by the shared client, both at addresses of the settings."""

from __future__ import annotations

from typing import Any

import ima2
from ima2_plugins.prompts.importing.candidates import SourceFile
from ima2_plugins.prompts.importing.github import Place
from ima2_plugins.prompts.settings import PromptSettings

AGENT = "ima2-prompt-import-discovery"
ANSWER_BYTES = 8 * 2**20


class GitHub:
    """Files and answers of GitHub. ``ctx`` gives the ways there and the limits."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._ctx = ctx

    @property
    def settings(self) -> PromptSettings:
        """The newest ones."""
        settings: PromptSettings = self._ctx.settings
        return settings

    async def file(self, place: Place, too_large: str = "REMOTE_FILE_TOO_LARGE") -> SourceFile:
        """A file as text. 413, 504 ``REMOTE_FETCH_TIMEOUT``, 422 where GitHub refuses, 502 where it is not reached."""
        base, settings = self.settings.github_raw_url, self.settings
        # A redirect could lead to any host, so none is followed: GitHub serves files without.
        limits = ima2.FetchLimits(
            max_bytes=settings.max_file_bytes, seconds=settings.fetch_timeout_ms / 1000, redirects=0, trusted=(base,)
        )
        try:
            found = await self._ctx.fetch(place.raw_url(base), limits)
        except ima2.FetchError as error:
            raise _file_error(error, place.path, too_large) from None
        text = found.data.decode("utf-8", "replace")
        return SourceFile(place.path.rpartition("/")[2], text, place.origin, place.tags)

    async def api(self, path: str) -> tuple[int, Any, dict[str, str]]:
        """An answer of the API: its status, its JSON (``None`` where it has none) and its headers."""
        import asyncio

        import httpx

        headers = {"user-agent": AGENT, "accept": "application/vnd.github+json"}
        if self.settings.github_token is not None and (token := self.settings.github_token.get_secret_value()):
            headers["authorization"] = f"Bearer {token}"
        url = self.settings.github_api_url.rstrip("/") + path
        try:
            async with (
                asyncio.timeout(self.settings.fetch_timeout_ms / 1000),
                self._ctx.http().stream("GET", url, headers=headers) as response,
            ):
                return response.status_code, await _body(response), dict(response.headers)
        except TimeoutError:
            raise ima2.Ima2Error("REMOTE_FETCH_TIMEOUT", 504, "GitHub did not answer in time.") from None
        except (httpx.HTTPError, OSError) as error:
            raise ima2.network_error(error, service="GitHub", code="REMOTE_FETCH_FAILED") from None


async def _body(response: Any) -> Any:
    try:
        return await ima2.read_json_limited(response, ANSWER_BYTES)
    except ValueError:
        return None


def _file_error(error: ima2.FetchError, path: str, too_large: str) -> ima2.Ima2Error:
    if error.code == "FETCH_TOO_LARGE":
        return ima2.Ima2Error(too_large, 413, f"{path} is larger than a prompt file may be.")
    if error.code == "FETCH_TIMEOUT":
        return ima2.Ima2Error("REMOTE_FETCH_TIMEOUT", 504, f"GitHub did not send {path} in time.")
    if error.http_status:
        text = f"GitHub answered with HTTP {error.http_status} to {path}."
        return ima2.Ima2Error("REMOTE_FETCH_FAILED", 422, text)
    moved = error.text.endswith("sent on too often.")
    text = f"{path} has moved elsewhere." if moved else f"{path}: {error.text}"
    return ima2.Ima2Error("REMOTE_FETCH_FAILED", 422 if moved or error.text.endswith("empty.") else 502, text)
