"""Pictures: search and plan once, then one call per candidate; or scene by scene; or a direct edit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ima2 import (
    Artifact,
    Failed,
    Ima2Error,
    ImageRequest,
    Job,
    Json,
    Notice,
    Phase,
    Picture,
    Update,
    Usage,
    merged,
    size_of,
)
from ima2_provider_grok import failures, fetching, image_orders, outcomes, planning, prompts, sizes, substitutes, wire
from ima2_provider_grok.exchange import Exchange, usage
from ima2_provider_grok.fetching import Collector
from ima2_provider_grok.image_orders import ImageOrder, image_order
from ima2_provider_grok.planning import Planner
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.substitutes import Substitutes

Pictures = list[dict[str, str]]


class Images:
    """Makes the pictures of one request over one connection."""

    def __init__(
        self, settings: GrokSettings, exchange: Exchange, collector: Collector, job: Job, substitutes: Substitutes
    ) -> None:
        self._settings, self._exchange, self._collector, self._job = settings, exchange, collector, job
        self._substitutes = substitutes
        self._told: set[str] = set()

    async def run(self, request: ImageRequest) -> AsyncIterator[Update]:
        """The updates of a request, whichever of the three kinds it is."""
        model = image_orders.image_model(request, self._settings)
        sources = await wire.references(image_orders.inputs(request, model))
        for notice in image_orders.notices(request, model):
            yield notice
        stream: AsyncIterator[Update]
        if request.plain:
            stream = self._edit(request, model, sources)
        elif request.sequence:
            stream = self._sequence(request, model, sources)
        else:
            stream = self._candidates(request, model, sources)
        async for update in stream:
            yield update

    async def _candidates(self, request: ImageRequest, model: str, sources: Pictures) -> AsyncIterator[Update]:
        yield Phase("planning")
        order = None
        async for step in self._plan(request, model, sources):
            if isinstance(step, ImageOrder):
                order = step
            else:
                yield step
        yield Phase("streaming")
        if order is not None:
            async for update in self._several(order, request.count):
                yield update

    async def _edit(self, request: ImageRequest, model: str, sources: Pictures) -> AsyncIterator[Update]:
        yield Phase("streaming")
        async for update in self._several(image_order(request, model, sources, request.prompt), request.count):
            yield update

    async def _several(self, order: ImageOrder, count: int) -> AsyncIterator[Update]:
        if count <= 1:
            async for update in self._draw(order, 0):
                yield update
            return
        result = BatchResult()
        async for update in merged([partial(self._draw, order, index) for index in range(count)]):
            result.note(update)
            yield update
        result.require_one()

    async def _sequence(self, request: ImageRequest, model: str, sources: Pictures) -> AsyncIterator[Update]:
        """One picture after the other. A failed search or plan ends it; a failed image call is passed over."""
        result = BatchResult()
        for index in range(request.sequence):
            scene = replace(request, prompt=prompts.sequence_prompt(request.prompt, index + 1, request.sequence))
            yield Phase("planning")
            order = None
            async for step in self._plan(scene, model, sources):
                if isinstance(step, ImageOrder):
                    order = step
                else:
                    yield replace(step, index=index) if isinstance(step, Usage) else step
            yield Phase("streaming")
            if order is None:
                return
            try:
                async for made in self._draw(order, index):
                    result.note(made)
                    yield made
            except Ima2Error as error:
                failed = Failed(index, error)
                result.note(failed)
                yield failed
        result.require_one()

    async def _plan(
        self, request: ImageRequest, model: str, sources: Pictures
    ) -> AsyncIterator[Usage | Notice | ImageOrder]:
        """What the planning takes, then the order that comes of it."""
        wanted = str(request.options.get("plannerModel") or self._settings.planner_model)
        seconds = self._within(self._settings.planner_timeout_ms / 1000)
        planner = Planner(self._exchange, self._substitutes, wanted, seconds)
        brief = planning.Brief()
        if request.options.get("webSearch", True) is not False:
            brief = await planner.search(request.prompt)
            if brief.used:
                yield brief.used
        task = prompts.image_task(
            prompt=request.prompt,
            model=model,
            parameters=sizes.parameters(request.size, image_orders.ratios_of(model)),
            references=len(sources),
            brief=brief.text,
        )
        planned = await planner.plan(failures.PLAN, planning.image_plan(task, tuple(wire.urls(sources))))
        for update in planned.updates():
            yield update
        yield image_order(request, model, sources, planned.prompt)

    async def _draw(self, order: ImageOrder, index: int) -> AsyncIterator[Update]:
        seconds = self._within(self._settings.generation_timeout_ms / 1000)
        answer, model = await self._substitutes.order(self._exchange, failures.IMAGE, order.path, order.body, seconds)
        if used := usage(answer, index):
            yield used
        served = substitutes.served_model(answer, model)
        for notice in self._differences(order.model, model, served):
            yield notice
        item, more = picture_in(answer)
        if more:
            text = f"xAI sent {more + 1} pictures where one was ordered; the first one was kept."
            yield Notice("EXTRA_IMAGES_IGNORED", text, {"extraIgnored": more})
        picture, url = await self._collect(item)
        revised = item.get("revised_prompt")
        words = order.revised
        if not order.keep_revised and isinstance(revised, str) and revised.strip():
            words = revised.strip()
        facts = {"requestedModel": order.asked, "effectiveModel": served} if order.asked != served else {}
        yield Artifact(picture, index, words, url, served, facts, used_in(answer, picture))

    async def _collect(self, item: Mapping[str, Json]) -> tuple[Picture, str | None]:
        """The picture of an item: out of the answer itself where it is whole there, else from its address."""
        url, inline = item.get("url"), item.get("b64_json")
        url = url if isinstance(url, str) and url else None
        if isinstance(inline, str) and inline:
            try:
                return await asyncio.to_thread(fetching.inline, inline), url
            except Ima2Error:
                if url is None:
                    raise
        seconds = self._within(self._settings.image_download_timeout_ms / 1000)
        try:
            return await self._collector.collect(fetching.IMAGE, str(url), seconds), url
        except Ima2Error as error:
            error.details["providerUrl"] = url  # the picture is paid for: its owner can still fetch it
            raise

    def _differences(self, wanted: str, ordered: str, served: str) -> Iterator[Notice]:
        """Says once a job that a model was replaced, or that xAI served another one than was ordered."""
        for notice in substitutes.notices(wanted, ordered, served):
            if notice.text not in self._told:
                self._told.add(notice.text)
                yield notice

    def _within(self, seconds: float) -> float:
        return min(seconds, self._job.remaining())


@dataclass(slots=True)
class BatchResult:
    """Whether anything was made, and the last thing that went wrong."""

    any_made: bool = False
    last: Exception | None = None

    def note(self, update: Update) -> None:
        """Hear of an update."""
        self.any_made = self.any_made or isinstance(update, Artifact)
        if isinstance(update, Failed):
            self.last = update.error

    def require_one(self) -> None:
        """Raise the last error when nothing was made."""
        if not self.any_made and self.last is not None:
            raise self.last


def picture_in(answer: Mapping[str, Json]) -> tuple[dict[str, Json], int]:
    """The first picture in an answer, with its ``url`` or ``b64_json``, and how many more there are.

    None, and a ``block_reason`` or an item that does not ``respect_moderation``: 422 ``SAFETY_REFUSAL``.
    """
    items = wire.objects(answer, "data")
    allowed = [one for one in items if one.get("respect_moderation") is not False]
    usable = [one for one in allowed if one.get("url") or one.get("b64_json")]
    if usable:
        return usable[0], len(usable) - 1
    reason = answer.get("block_reason")
    if reason or len(allowed) < len(items):
        raise failures.output_refusal(reason)
    raise outcomes.error("empty", "xAI answered without a picture. Change the prompt.")


def used_in(answer: Mapping[str, Json], picture: Picture) -> dict[str, Json]:
    """What was really used: size and format by the bytes, quality where the answer names it."""
    size = size_of(picture.data)
    found = {"size": f"{size[0]}x{size[1]}" if size else None, "format": picture.media_type.partition("/")[2]}
    found["quality"] = answer["quality"] if isinstance(answer.get("quality"), str) else None
    return {name: value for name, value in found.items() if value}
