"""Pictures: search and plan once, then one call per candidate; or scene by scene; or a direct edit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial

from ima2 import Artifact, Failed, Ima2Error, ImageRequest, Job, Json, Phase, Source, Update, Usage, merged
from ima2_provider_grok import failures, fetching, planning, prompts, sizes, wire
from ima2_provider_grok.capabilities import IMAGE, IMAGE_QUALITY, MAX_REFERENCES
from ima2_provider_grok.downloads import Downloads
from ima2_provider_grok.exchange import Exchange, no_answer, usage
from ima2_provider_grok.settings import GrokSettings


@dataclass(frozen=True, slots=True)
class Drawing:
    """One image call, ready to be sent."""

    path: str
    body: dict[str, Json] = field(repr=False)
    revised: str = field(repr=False)
    asked: str
    """The model of the request; `model` draws, which is another one for quality ``high``."""
    keep_revised: bool
    """Whether the planner's words are the revised prompt; of an edit xAI's own are."""

    @property
    def model(self) -> str:
        """The model that draws."""
        return str(self.body["model"])


class Images:
    """Makes the pictures of one request over one connection."""

    def __init__(self, settings: GrokSettings, exchange: Exchange, downloads: Downloads, job: Job) -> None:
        self._settings, self._exchange, self._downloads, self._job = settings, exchange, downloads, job

    async def run(self, request: ImageRequest) -> AsyncIterator[Update]:
        """The updates of a request, whichever of the three kinds it is."""
        model = image_model(request, self._settings)
        sources = await wire.addresses(inputs(request))
        stream: AsyncIterator[Update]
        if request.plain:
            stream = self._edit(request, model, sources)
        elif request.sequence:
            stream = self._sequence(request, model, sources)
        else:
            stream = self._candidates(request, model, sources)
        async for update in stream:
            yield update

    async def _candidates(self, request: ImageRequest, model: str, sources: list[str]) -> AsyncIterator[Update]:
        yield Phase("planning")
        used, drawing = await self._plan(request, model, sources)
        if used:
            yield used
        yield Phase("streaming")
        async for update in self._several(drawing, request.count):
            yield update

    async def _edit(self, request: ImageRequest, model: str, sources: list[str]) -> AsyncIterator[Update]:
        yield Phase("streaming")
        async for update in self._several(drawing_of(request, model, sources, request.prompt), request.count):
            yield update

    async def _several(self, drawing: Drawing, count: int) -> AsyncIterator[Update]:
        if count <= 1:
            async for update in self._draw(drawing, 0):
                yield update
            return
        outcome = Outcome()
        async for update in merged([partial(self._draw, drawing, index) for index in range(count)]):
            outcome.note(update)
            yield update
        outcome.require_one()

    async def _sequence(self, request: ImageRequest, model: str, sources: list[str]) -> AsyncIterator[Update]:
        """One picture after the other. A failed search or plan ends it; a failed image call is passed over."""
        outcome = Outcome()
        for index in range(request.sequence):
            scene = replace(request, prompt=prompts.of_sequence(request.prompt, index + 1, request.sequence))
            yield Phase("planning")
            used, drawing = await self._plan(scene, model, sources)
            if used:
                yield replace(used, index=index)
            yield Phase("streaming")
            try:
                async for update in self._draw(drawing, index):
                    outcome.note(update)
                    yield update
            except Ima2Error as error:
                failed = Failed(index, error)
                outcome.note(failed)
                yield failed
        outcome.require_one()

    async def _plan(self, request: ImageRequest, model: str, sources: list[str]) -> tuple[Usage | None, Drawing]:
        planner = str(request.options.get("plannerModel") or self._settings.planner_model)
        seconds = self._settings.planner_timeout_ms / 1000
        brief = planning.Brief()
        if request.options.get("webSearch", True) is not False:
            brief = await planning.search(self._exchange, request.prompt, model=planner, seconds=self._within(seconds))
        task = prompts.image_task(
            prompt=request.prompt,
            model=model,
            parameters=sizes.parameters(request.size),
            references=len(sources),
            brief=brief.text,
        )
        prompt = await planning.planned(
            self._exchange,
            failures.PLAN,
            planning.image_plan(task, tuple(sources)),
            model=planner,
            seconds=self._within(seconds),
        )
        return brief.used, drawing_of(request, model, sources, prompt)

    async def _draw(self, drawing: Drawing, index: int) -> AsyncIterator[Update]:
        seconds = self._within(self._settings.generation_timeout_ms / 1000)
        answer = await self._exchange.order(failures.IMAGE, drawing.path, drawing.body, seconds)
        if used := usage(answer, index):
            yield used
        item = drawn(answer)
        url, revised = item.get("url"), item.get("revised_prompt")
        if isinstance(url, str) and url:
            seconds = self._within(self._settings.image_download_timeout_ms / 1000)
            picture = await fetching.collect(self._downloads, fetching.IMAGE, url, seconds, self._job.log)
        else:
            url = None
            picture = await asyncio.to_thread(fetching.inline, str(item["b64_json"]))
        words = drawing.revised
        if not drawing.keep_revised and isinstance(revised, str) and revised.strip():
            words = revised.strip()
        facts = {"requestedModel": drawing.asked, "effectiveModel": drawing.model}
        yield Artifact(picture, index, words, url, drawing.model, facts if drawing.asked != drawing.model else {})

    def _within(self, seconds: float) -> float:
        return min(seconds, self._job.remaining())


@dataclass(slots=True)
class Outcome:
    """Whether anything was made, and the last thing that went wrong."""

    made: bool = False
    last: Exception | None = None

    def note(self, update: Update) -> None:
        """Hear of an update."""
        self.made = self.made or isinstance(update, Artifact)
        if isinstance(update, Failed):
            self.last = update.error

    def require_one(self) -> None:
        """Raise the last error when nothing was made."""
        if not self.made and self.last is not None:
            raise self.last


def image_model(request: ImageRequest, settings: GrokSettings) -> str:
    """The model that draws. Quality ``high`` is a model of its own with xAI."""
    model = request.model or settings.default_image_model
    if model not in (IMAGE, IMAGE_QUALITY):
        text = f"Grok draws with {IMAGE} or {IMAGE_QUALITY}; choose one of them."
        raise Ima2Error("INVALID_GROK_IMAGE_MODEL", 400, text)
    return IMAGE_QUALITY if request.quality == "high" else model


def inputs(request: ImageRequest) -> tuple[Source, ...]:
    """All input pictures, the one to be edited first. At most three."""
    if request.mask is not None:
        raise Ima2Error("GROK_MASK_UNSUPPORTED", 400, "Grok cannot edit by mask; describe the place in words instead.")
    sources = request.references if request.source is None else (request.source, *request.references)
    if len(sources) > MAX_REFERENCES:
        text = f"Grok takes at most {MAX_REFERENCES} pictures with a request; {len(sources)} were given."
        raise Ima2Error("GROK_REF_TOO_MANY", 400, text)
    return sources


def drawing_of(request: ImageRequest, model: str, sources: list[str], prompt: str) -> Drawing:
    """The call for a prompt: plain generation, or an edit as soon as there is an input picture."""
    body: dict[str, Json] = {"model": model, "prompt": prompt, "n": 1, "response_format": "url"}
    pictures = [{"type": "image_url", "url": url} for url in sources]
    if len(pictures) == 1:
        body["image"] = pictures[0]
    elif pictures:
        body["images"] = pictures
    body.update(sizes.parameters(request.size))
    path = "images/edits" if pictures else "images/generations"
    return Drawing(path, body, prompt, request.model or model, keep_revised=not request.plain)


def drawn(answer: Json) -> dict[str, Json]:
    """The picture in an answer: its ``url`` or its ``b64_json``."""
    items = wire.objects(answer, "data")
    item = items[0] if items else {}
    if item.get("respect_moderation") is False:
        raise failures.moderated()
    if item.get("url") or item.get("b64_json"):
        return item
    raise no_answer("GROK_EMPTY_RESPONSE", "xAI answered without a picture. Try again, or change the prompt.")
