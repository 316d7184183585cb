"""The provider ``gemini-api``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import cast

import ima2

from .accounts import CREDENTIALS, settings_with
from .calls import model_of, prepare_call, upstream_name
from .catalogue import CAPABILITIES, CHECKED, IMAGE_MODELS
from .credentials import credential
from .image_generation import ImageGeneration
from .service import Service
from .settings import GeminiSettings
from .text_generation import generate_text


class GeminiProvider(ima2.Provider):
    """Pictures and words by Google's Gemini models. One call a picture, several side by side; a story is one call."""

    id = "gemini-api"
    title = "Gemini"
    capabilities = CAPABILITIES
    marks_orders = True
    credentials = CREDENTIALS

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._service = Service(ctx)

    def problem(self) -> str | None:
        """Whether a usable credential is there; nobody is asked."""
        try:
            credential(self._service.settings)
        except ima2.Ima2Error as error:
            return error.text
        return None

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        """Draw ``count`` pictures, or up to ``sequence`` pictures of one story."""
        credential(self._service.settings)
        call = await asyncio.to_thread(prepare_call, request, model_of(request), self._service.settings)
        if call.config.notice:
            yield call.config.notice
        generation = ImageGeneration(self._service, request, call, job)
        count = 1 if request.sequence else max(1, request.count)
        starts = [partial(generation.draw, index) for index in range(count)]
        updates = cast("AsyncGenerator[ima2.Update]", starts[0]() if count == 1 else ima2.merged(starts))
        failed: list[ima2.Failed] = []
        async with aclosing(updates):
            async for update in updates:
                if isinstance(update, ima2.Failed):
                    failed.append(update)
                else:
                    yield update
        for update in _closing_updates(failed, generation.spare):
            yield update

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        """Answer in words, also about pictures and as JSON of a schema; see `generate_text`."""
        return await generate_text(self._service, request)

    async def status(self) -> ima2.ProviderStatus:
        """Ask for the list of models, or sign in at Vertex AI; both are free."""
        if problem := self.problem():
            return ima2.ProviderStatus("auth_required", reason=problem)
        return await self._probe(self._service.settings)

    async def models(self) -> Sequence[ima2.Model]:
        """The picture models of a key's account; empty at Vertex AI, which tells none."""
        listed = await self._service.list_models(self._service.settings.status_timeout_ms / 1000)
        names = {str(one.get("name", "")).removeprefix("models/"): one for one in listed or ()}
        ours = {upstream_name(entry, self._service.settings): entry for entry in IMAGE_MODELS.values()}
        known = [entry.model() for name, entry in ours.items() if name in names]
        others = [
            ima2.Model(name, str(one.get("displayName") or name)[:100], source="models.list", checked=CHECKED)
            for name, one in names.items()
            if name not in ours and ("-image" in name or "banana" in name)
        ]
        return known + others

    async def verify(self, values: Mapping[str, str]) -> ima2.ProviderStatus:
        """Try a key or a service account out, without cost and before it is stored."""
        settings = settings_with(self._service.settings, values)
        try:
            credential(settings)
        except ima2.Ima2Error as error:
            return ima2.ProviderStatus("auth_required", reason=error.text)
        return await self._probe(settings)

    async def reconfigure(self, settings: object) -> None:
        """Use another key, account or address from the next call on."""
        if isinstance(settings, GeminiSettings):
            self._service.reconfigure(settings)

    async def _probe(self, settings: GeminiSettings) -> ima2.ProviderStatus:
        seconds = settings.status_timeout_ms / 1000
        other = None if settings is self._service.settings else settings
        try:
            async with asyncio.timeout(seconds):
                names = await self._service.model_names(seconds, other)
        except TimeoutError:
            return ima2.ProviderStatus("offline", reason="Google did not answer in time.")
        except ima2.Ima2Error as error:
            return ima2.ProviderStatus(_state(error), reason=error.text)
        usable = tuple(
            entry.id for entry in IMAGE_MODELS.values() if names is None or upstream_name(entry, settings) in names
        )
        if not usable:
            return ima2.ProviderStatus("no_image_model", reason="This key may use none of the picture models.")
        return ima2.ProviderStatus("ready", usable)


def _closing_updates(failed: list[ima2.Failed], spare: list[ima2.Artifact]) -> list[ima2.Update]:
    """What is told at the end: pictures beyond those of their calls take the places of calls that failed; of the rest
    it is said that they were not kept."""
    updates: list[ima2.Update] = []
    waiting = iter(spare)
    for miss in sorted(failed, key=lambda one: one.index):
        extra = next(waiting, None)
        updates.append(miss if extra is None else replace(extra, index=miss.index))
    if extra_count := len(list(waiting)):
        text = "The model made more pictures than were asked for; those were not kept."
        updates.append(ima2.Notice("EXTRA_IMAGES_IGNORED", text, {"extraIgnored": extra_count}))
    return updates


def _state(error: ima2.Ima2Error) -> str:
    """The word for a probe that failed."""
    if error.code.endswith("_NETWORK_FAILED") or error.code == "GENERATION_TIMEOUT":
        return "offline"
    refused = error.status in (400, 401, 403) or error.upstream_code in ("UNAUTHENTICATED", "invalid_grant")
    return "auth_required" if refused else "error"
