"""What both providers share: requests in, updates out."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import orjson

from ima2 import Ima2Error, ImageRequest, Job, Notice, Provider, TextRequest, TextResult, Update
from ima2_plugins.openai.body import RequestBody, image_body, images_body, text_body, weight
from ima2_plugins.openai.calls import Call
from ima2_plugins.openai.catalogue import efforts_of
from ima2_plugins.openai.diagnostics import text_error
from ima2_plugins.openai.fallbacks import Attempt, Fallbacks
from ima2_plugins.openai.image_job import ImageJob
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.settings import SharedSettings
from ima2_plugins.openai.transport import Auth, Deadline, read_updates

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import httpx


class ResponsesProvider(Provider):
    """Draws through the hosted image tool of the Responses API.

    ``count`` candidates are as many calls, a ``sequence`` is one. Each call is sent once, with everything that was
    asked for; only a refusal that cost nothing is followed by another attempt, which is told.
    """

    marks_orders = True
    priced = False
    """Whether drawing is paid by tokens."""

    def __init__(
        self, settings: SharedSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger, auth: Auth
    ) -> None:
        self._shared = settings
        self._http = http
        self._log = log
        self._auth = auth
        self._fallbacks = Fallbacks(())
        self._may_search = True

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Pictures as they are finished, previews before them where asked for, then what it took."""
        request = self._complete(request)
        self.check(request)
        asked = await self._plan(request)
        search = self._searches(request) and asked.endpoint == "responses"
        drawing = ImageJob(
            request,
            job,
            seconds=self._shared.generation_timeout_ms / 1000,
            remarks=self._remarks(request, asked),
            search=search,
            priced=self.priced,
        )
        sources = (request.source, request.mask, *request.references)
        call = Call(
            self._http(),
            self._auth,
            RequestBody(partial(self._body, request, search), weight(*sources)),
            asked,
            self._fallbacks,
            self.capabilities.models,
            job.log,
            drawing.order,
            images=self._images_may_follow(request),
            edits=any(source is not None for source in (request.source, *request.references)),
        )
        async with aclosing(cast("AsyncGenerator[Update, None]", drawing.updates(call))) as updates:
            async for update in updates:
                yield update

    async def text(self, request: TextRequest) -> TextResult:
        """Words from words and pictures, after earlier turns; with a schema, a JSON document."""
        option = self._default("reasoningEffort")
        effort = str(request.options.get("reasoningEffort") or option)
        search = bool(request.options.get("webSearch")) and self._may_search
        asked = Attempt(request.model or self.capabilities.default_model, choice="auto")
        body = RequestBody(
            lambda attempt: text_body(request, model=attempt.model, effort=effort, search=search),
            weight(*request.pictures),
        )
        models = self.capabilities.models
        auth = await self._text_auth()
        call = Call(self._http(), auth, body, asked, self._fallbacks, models, self._log, _free)
        deadline = Deadline.after(self._shared.generation_timeout_ms / 1000)
        async with call.answer(deadline) as answered:
            model = answered.attempt.model
            reader = ResponseReader(answered.endpoint.upstream, 0, model=model, replaced=model != asked.model)
            async for _ in read_updates(answered.endpoint, answered.response, reader, deadline):
                pass
        if reader.error is not None:
            raise reader.error
        if reader.refused or reader.incomplete or not reader.text.strip():
            raise text_error(reader)
        if request.schema is not None:
            _insist_on_json(reader.text)
        return TextResult(reader.text, reader.served or model, reader.usage)

    def check(self, request: ImageRequest) -> None:
        """Refuse what the catalogue knows to be refused upstream, before anything is sent: `Ima2Error`, 400."""
        effort = str(request.options.get("reasoningEffort"))
        if effort not in (able := efforts_of(request.model)):
            text = f"{request.model} takes as reasoning effort: {', '.join(able)}."
            raise Ima2Error("INVALID_REASONING_EFFORT", 400, text)

    # -- what the two differ in -------------------------------------------------------------------

    @abstractmethod
    async def _plan(self, request: ImageRequest) -> Attempt:
        """The first attempt for a request."""

    def _remarks(self, request: ImageRequest, asked: Attempt) -> list[Notice]:
        """What is to be said before anything is sent."""
        return []

    def _images_may_follow(self, request: ImageRequest) -> bool:
        """Whether ChatGPT's endpoint for pictures alone can do this, where Responses cannot."""
        return False

    async def _text_auth(self) -> Auth:
        """Who is asked for words."""
        return self._auth

    # -- parts of a request -----------------------------------------------------------------------

    def _choice(self, request: ImageRequest) -> Attempt:
        """The image tool by name, or ``required``: always that for a series, which takes several calls."""
        named = self._shared.force_image_tool_choice and not request.sequence
        return Attempt(request.model, choice="named" if named else "required")

    def _body(self, request: ImageRequest, search: bool, attempt: Attempt) -> dict[str, Any]:
        if attempt.endpoint == "images":
            return images_body(request)
        return image_body(request, attempt, search=search, research=self._shared.research_suffix)

    def _complete(self, request: ImageRequest) -> ImageRequest:
        options = {option.name: option.default for option in self.capabilities.options}
        given = {name: value for name, value in request.options.items() if value is not None}
        model = request.model or self.capabilities.default_model
        return replace(request, model=model, options={**options, **given})

    def _searches(self, request: ImageRequest) -> bool:
        return bool(request.options["webSearch"]) and self._may_search

    def _default(self, name: str) -> object:
        option = self.capabilities.option(name)
        return option.default if option else None


async def _free() -> None:
    """Words are not ordered: they belong to no job of their own."""


def _insist_on_json(answer: str) -> None:
    try:
        orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise Ima2Error(
            "ANSWER_INVALID", 502, "The model's answer is not the JSON document it was asked for."
        ) from None
