"""One answered call: sent once, and after a refusal that cost nothing sent as the fallbacks say."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ima2 import Ima2Error, Model, safe_label
from ima2_plugins.openai import errors
from ima2_plugins.openai.body import RequestBody
from ima2_plugins.openai.catalogue import working_models
from ima2_plugins.openai.fallbacks import Attempt, Fallbacks
from ima2_plugins.openai.transport import Auth, Deadline, Endpoint, Rejected, post

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx answer, unread: how it was asked for, who gave it."""

    attempt: Attempt
    endpoint: Endpoint
    response: httpx.Response


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, to whom and on which conditions.

    ``before`` is awaited right before each POST that may cost money. ``images`` says whether the endpoint for pictures
    alone may follow; ``edits``, whether it would be asked to edit.
    """

    client: httpx.AsyncClient
    auth: Auth
    body: RequestBody
    asked: Attempt
    fallbacks: Fallbacks
    models: tuple[Model, ...]
    log: logging.Logger
    before: Callable[[], Awaitable[None]]
    images: bool = False
    edits: bool = False

    @asynccontextmanager
    async def answer(self, deadline: Deadline) -> AsyncIterator[Answered]:
        """The answer to this call. Leaving the context closes the connection; `Ima2Error` when there is none."""
        endpoint = await self._endpoint(self.asked)
        attempt = self.fallbacks.recall(endpoint.upstream, self.asked)
        async with AsyncExitStack() as stack:
            while True:
                if attempt.endpoint != self.asked.endpoint:
                    endpoint = await self._endpoint(attempt)
                await self.before()
                try:
                    answered = await stack.enter_async_context(self._post(endpoint, attempt, deadline))
                    break
                except Rejected as rejection:
                    attempt = self._after(rejection, attempt)
            self.fallbacks.remember(endpoint.upstream, self.asked, attempt)
            yield answered

    @asynccontextmanager
    async def _post(self, endpoint: Endpoint, attempt: Attempt, deadline: Deadline) -> AsyncIterator[Answered]:
        async def content(to: Endpoint) -> bytes:
            return await self.body.content(attempt, to.extra)

        async with post(self.client, self.auth, endpoint, content, deadline) as (asked, response):
            yield Answered(attempt, asked, response)

    async def _endpoint(self, attempt: Attempt) -> Endpoint:
        if attempt.endpoint == "images":
            return await self.auth.endpoint("images/edits" if self.edits else "images/generations")
        return await self.auth.endpoint("responses")

    def _after(self, rejection: Rejected, failed: Attempt) -> Attempt:
        """The next attempt, or the failure as an exception."""
        cause, upstream = rejection.cause, rejection.upstream
        following = self.fallbacks.follow(self.asked, failed, cause, upstream, images=self.images)
        if following is None:
            self.fallbacks.forget(upstream, self.asked)
            raise self._failure(rejection, failed) from None
        self.log.info("upstream answered %s (%s); trying it another way", cause.status, cause.kind)
        return following

    def _failure(self, rejection: Rejected, failed: Attempt) -> Ima2Error:
        cause = rejection.cause
        refused = failed.drawing if cause.about_drawing and failed.drawing else failed.model
        working = working_models(self.models, self.asked.model, failed.model)
        error = errors.failure(cause, rejection.upstream, wait=rejection.wait, model=refused, working=working)
        request_id = safe_label(rejection.request_id)
        self.log.info("upstream answered %s, told as %s (its request %s)", cause.status, error.code, request_id)
        return error
