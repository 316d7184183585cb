"""The provider ``gemini-api``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import ima2

from . import messages
from .catalogue import CAPABILITIES, ENTRIES, MAX_REFERENCES, Entry
from .credentials import credential
from .service import Service
from .settings import MODEL_NAME
from .sizes import Shape, shape

_EDIT = "Edit the first picture as follows and leave everything else in it as it is: "


@dataclass(frozen=True, slots=True)
class _Order:
    """A request made ready: what every one of its calls sends."""

    prompt: str = field(repr=False)
    entry: Entry
    shape: Shape
    content: bytes = field(repr=False)
    upstream: str


class GeminiProvider(ima2.Provider):
    """Pictures and words by Google's Gemini models. One call a picture; several run side by side."""

    id = "gemini-api"
    title = "Gemini"
    capabilities = CAPABILITIES

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
        """Draw ``count`` pictures, or the one picture that a sequence comes to here."""
        credential(self._service.settings)
        order = await asyncio.to_thread(self._order, request)
        if order.shape.notice:
            yield order.shape.notice
        count = 1 if request.sequence else max(1, request.count)
        starts = [partial(self._draw, order, index, job) for index in range(count)]
        updates = cast("AsyncGenerator[ima2.Update]", starts[0]() if count == 1 else ima2.merged(starts))
        async with aclosing(updates):
            async for update in updates:
                yield update

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        """Answer in words, also about pictures. Raises 400 ``INVALID_GEMINI_API_TEXT_MODEL`` for what is no name."""
        settings = self._service.settings
        model = request.model or settings.text_model
        if not re.fullmatch(MODEL_NAME, model):
            raise ima2.Ima2Error("INVALID_GEMINI_API_TEXT_MODEL", 400, "That is no name of a Gemini model.")
        content = await asyncio.to_thread(messages.body, request.prompt, request.pictures, system=request.system)
        answer = await self._service.generate(model, content, settings.generation_timeout_ms / 1000)
        return ima2.TextResult(messages.text(answer), model, messages.usage(answer))

    async def status(self) -> ima2.ProviderStatus:
        """Ask for the list of models, or sign the service account in; both are free."""
        settings = self._service.settings
        if problem := self.problem():
            return ima2.ProviderStatus("auth_required", reason=problem)
        try:
            async with asyncio.timeout(settings.status_timeout_ms / 1000):
                names = await self._service.names(settings.status_timeout_ms / 1000)
        except TimeoutError:
            return ima2.ProviderStatus("offline", reason="Google did not answer in time.")
        except ima2.Ima2Error as error:
            return ima2.ProviderStatus(_state(error), reason=error.text)
        usable = tuple(name for name in ENTRIES if names is None or self._upstream(name) in names)
        if not usable:
            return ima2.ProviderStatus("no_image_model", reason="This key may use none of the picture models.")
        return ima2.ProviderStatus("ready", usable)

    def _order(self, request: ima2.ImageRequest) -> _Order:
        """Check and write down. What is refused here is refused before anything is sent."""
        entry = ENTRIES.get(request.model or self.capabilities.default_model)
        if entry is None:
            names = ", ".join(ENTRIES)
            raise ima2.Ima2Error("INVALID_GEMINI_API_IMAGE_MODEL", 400, f"The Gemini model must be one of: {names}.")
        if request.mask is not None:
            raise ima2.Ima2Error("GEMINI_API_MASK_UNSUPPORTED", 400, "Gemini edits whole pictures and takes no mask.")
        pictures = [*([request.source] if request.source else []), *request.references]
        if len(pictures) > MAX_REFERENCES:
            raise ima2.Ima2Error("GROK_REF_TOO_MANY", 400, f"Gemini takes at most {MAX_REFERENCES} pictures a request.")
        form = shape(request.size, entry)
        prompt = f"{_EDIT}{request.prompt}" if request.source else request.prompt
        content = messages.body(prompt, pictures, shape=form)
        return _Order(request.prompt, entry, form, content, self._upstream(entry.id))

    async def _draw(self, order: _Order, index: int, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        """One call, one picture."""
        seconds = min(self._service.settings.generation_timeout_ms / 1000, job.remaining())
        answer = await self._service.generate(order.upstream, order.content, seconds)
        picture, words = await asyncio.to_thread(messages.picture, answer)
        facts = {"aspectRatio": order.shape.ratio, "imageSize": order.shape.size} if order.shape.ratio else {}
        yield ima2.Usage(messages.usage(answer), cost=order.entry.prices[order.shape.billed_size], index=index)
        yield ima2.Artifact(picture, index, revised_prompt=words or order.prompt, facts=facts)

    def _upstream(self, model: str) -> str:
        """Google's name of a model."""
        settings = self._service.settings
        return {"nano-banana-2": settings.nano_banana_2, "nano-banana-pro": settings.nano_banana_pro}[model]


def _state(error: ima2.Ima2Error) -> str:
    """The word for a probe that failed."""
    if error.code in ("GEMINI_API_NETWORK_FAILED", "GENERATION_TIMEOUT"):
        return "offline"
    refused = error.status in (400, 401, 403) or error.upstream_code in ("UNAUTHENTICATED", "invalid_grant")
    return "auth_required" if refused else "error"
