"""The provider behind both doors: requests in, updates out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ima2 import (
    Ima2Error,
    ImageRequest,
    Job,
    Notice,
    Phase,
    Provider,
    TextRequest,
    TextResult,
    Update,
    merged,
)
from ima2_plugins.openai.answer import Answer
from ima2_plugins.openai.body import Order, image_body, text_body, tool_choice, weight
from ima2_plugins.openai.exchange import Clock, Door, posted, updates
from ima2_plugins.openai.outcome import diagnosis, emptiness, wordless
from ima2_plugins.openai.settings import SharedSettings

if TYPE_CHECKING:
    import httpx


class ResponsesProvider(Provider):
    """Draws through the hosted image tool of the Responses API.

    ``count`` candidates are as many calls, a ``sequence`` is one. Each call is sent once, with everything that was
    asked for: when it fails, it fails.
    """

    def __init__(
        self, settings: SharedSettings, http: Callable[[], httpx.AsyncClient], log: logging.Logger, door: Door
    ) -> None:
        self._shared = settings
        self._http = http
        self._log = log
        self._door = door
        self._may_search = True

    def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Pictures as they are finished, previews before them where asked for, then what it took."""
        request = self._complete(request)
        search = self._searches(request)
        named = self._shared.force_image_tool_choice
        make = partial(image_body, request, search=search, named=named, research=self._shared.research_suffix)
        order = Order(make, weight(request.source, request.mask, *request.references))
        if request.sequence or request.count == 1:
            return self._call(order, request, job, 0)
        return merged([partial(self._call, order, request, job, index) for index in range(request.count)])

    async def _call(self, order: Order, request: ImageRequest, job: Job, index: int) -> AsyncIterator[Update]:
        clock = Clock.of(min(self._shared.generation_timeout_ms / 1000, job.remaining()))
        if request.options.get("webSearch") and not self._may_search and index == 0:
            yield Notice("WEB_SEARCH_DISABLED", "Web search is switched off for this provider in the settings.")
        answer: Answer | None = None
        failure: Ima2Error | None = None
        try:
            async with posted(self._http(), self._door, order, clock, job.log) as (address, response):
                answer = Answer(address.lane, request.sequence or 1, index, bool(request.partials))
                yield Phase("streaming")
                async with aclosing(updates(address, response, answer, clock)) as told:
                    async for update in told:
                        yield update
        except Ima2Error as error:
            failure = error
        if answer is not None:
            for update in answer.closing():
                yield update
            failure = failure or answer.error or (None if answer.pictures else emptiness(answer, request))
        if failure is not None:
            if answer is not None:
                failure.details = {**diagnosis(answer, request, self._tools(request)), **failure.details}
            raise failure

    async def text(self, request: TextRequest) -> TextResult:
        """Words from words and pictures, by one call without the image tool. 422 ``EMPTY_RESPONSE`` for none."""
        request = replace(request, model=request.model or self.capabilities.default_model)
        effort = str(request.options.get("reasoningEffort") or self._default("reasoningEffort"))
        search = bool(request.options.get("webSearch")) and self._may_search
        order = Order(partial(text_body, request, effort=effort, search=search), weight(*request.pictures))
        clock = Clock.of(self._shared.generation_timeout_ms / 1000)
        async with posted(self._http(), self._door, order, clock, self._log) as (address, response):
            answer = Answer(address.lane, 0)
            async for _ in updates(address, response, answer, clock):
                pass
        if answer.error is not None:
            raise answer.error
        if answer.refused or answer.incomplete or not answer.text.strip():
            raise wordless(answer)
        return TextResult(answer.text, request.model, answer.usage)

    def _complete(self, request: ImageRequest) -> ImageRequest:
        options = {option.name: option.default for option in self.capabilities.options}
        given = {name: value for name, value in request.options.items() if value is not None}
        model = request.model or self.capabilities.default_model
        return replace(request, model=model, options={**options, **given})

    def _searches(self, request: ImageRequest) -> bool:
        return bool(request.options["webSearch"]) and self._may_search

    def _tools(self, request: ImageRequest) -> dict[str, object]:
        choice = tool_choice(request, named=self._shared.force_image_tool_choice)
        return {
            "toolTypes": ["web_search"] * self._searches(request) + ["image_generation"],
            "toolChoiceKind": choice if isinstance(choice, str) else choice["type"],
        }

    def _default(self, name: str) -> object:
        option = self.capabilities.option(name)
        return option.default if option else None
