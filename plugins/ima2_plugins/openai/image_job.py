"""One request for pictures: as many calls as candidates, and what each of them brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from ima2 import Ima2Error, ImageRequest, Job, Notice, Phase, Update, merged
from ima2_plugins.openai.body import IMAGES_MODEL, input_pictures
from ima2_plugins.openai.calls import Answered, Call
from ima2_plugins.openai.diagnostics import diagnostics, empty_error
from ima2_plugins.openai.fallbacks import notices
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.transport import Deadline, read_updates

if TYPE_CHECKING:
    from collections.abc import Sequence


class ImageJob:
    """Runs the calls of one request. ``remarks`` are told first; ``search`` is whether the web may be searched;
    ``priced``, whether drawing is paid by tokens."""

    def __init__(
        self,
        request: ImageRequest,
        job: Job,
        *,
        seconds: float,
        remarks: Sequence[Notice],
        search: bool,
        priced: bool,
    ) -> None:
        self._request = request
        self._job = job
        self._seconds = seconds
        self._remarks = remarks
        self._search = search
        self._priced = priced
        self._told: set[str] = set()
        self._ordered = False
        self._ordering = asyncio.Lock()

    async def order(self) -> None:
        """Mark the job as ordered, once, before its first call."""
        async with self._ordering:
            if not self._ordered:
                await self._job.order()
                self._ordered = True

    async def updates(self, call: Call) -> AsyncIterator[Update]:
        """Pictures as they are finished, previews before them where asked for, then what it took."""
        for remark in self._remarks:
            yield remark
        request = self._request
        single = bool(request.sequence) or request.count == 1
        streams = [partial(self._one, call, index) for index in range(1 if single else request.count)]
        async with aclosing(self._one(call, 0) if single else merged(streams)) as updates:  # type: ignore[type-var]
            async for update in updates:
                yield update

    async def _one(self, call: Call, index: int) -> AsyncIterator[Update]:
        deadline = Deadline.after(min(self._seconds, self._job.remaining()))
        reader: ResponseReader | None = None
        failure: Ima2Error | None = None
        try:
            async with call.answer(deadline) as answered:
                reader = self._reader(answered, index)
                for notice in self._news(call, answered):
                    yield notice
                yield Phase("streaming")
                updates = read_updates(answered.endpoint, answered.response, reader, deadline)
                async with aclosing(updates) as stream:
                    async for update in stream:
                        yield update
        except Ima2Error as error:
            failure = error
        if reader is not None:
            for update in reader.closing():
                yield update
            failure = failure or reader.error or (None if reader.pictures else empty_error(reader, self._request))
        if failure is not None:
            if reader is not None:
                failure.details = {**diagnostics(reader, self._request, self._tools(call)), **failure.details}
            raise failure

    def _reader(self, answered: Answered, index: int) -> ResponseReader:
        request, attempt = self._request, answered.attempt
        alone = attempt.endpoint == "images"
        model = IMAGES_MODEL if alone else attempt.model
        return ResponseReader(
            answered.endpoint.upstream,
            request.sequence or 1,
            index,
            bool(request.partials),
            model=model,
            drawing=attempt.drawing,
            replaced=model != request.model,
            priced=self._priced,
            pictures_in=bool(input_pictures(request) or request.mask),
            shared=bool(request.sequence),
        )

    def _news(self, call: Call, answered: Answered) -> list[Notice]:
        """What differs from what was asked, said once for all candidates."""
        found = notices(call.asked, answered.attempt, search=self._search)
        fresh = [one for one in found if one.text not in self._told]
        self._told |= {one.text for one in fresh}
        return fresh

    def _tools(self, call: Call) -> dict[str, Any]:
        choice = call.asked.choice
        return {
            "toolTypes": ["web_search"] * self._search + ["image_generation"],
            "toolChoiceKind": "image_generation" if choice == "named" else choice,
        }
