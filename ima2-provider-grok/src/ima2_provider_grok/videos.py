"""Clips: search and plan, one order, a receipt, then polling and collecting what was paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field

from ima2 import Artifact, Ima2Error, Job, Json, Notice, Phase, Progress, Receipt, Update, Usage, VideoRequest
from ima2_provider_grok import catalogue, failures, fetching, outcomes, planning, substitutes, video_orders, wire
from ima2_provider_grok.catalogue import VIDEO
from ima2_provider_grok.exchange import Exchange, usage
from ima2_provider_grok.failures import UpstreamError
from ima2_provider_grok.fetching import Collector
from ima2_provider_grok.planning import Planner
from ima2_provider_grok.polls import Finished, Polls, finished_clip
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.substitutes import Substitutes
from ima2_provider_grok.video_orders import VideoOrder


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted order: xAI's id and the body it accepted."""

    id: str
    body: dict[str, Json] = field(repr=False)


class Videos:
    """Makes the clip of one request over one connection."""

    def __init__(
        self, settings: GrokSettings, exchange: Exchange, collector: Collector, job: Job, substitutes: Substitutes
    ) -> None:
        self._settings, self._exchange, self._collector, self._job = settings, exchange, collector, job
        self._substitutes = substitutes

    async def run(self, request: VideoRequest) -> AsyncIterator[Update]:
        """Order a clip and collect it."""
        request = video_orders.with_files(request)
        model = video_orders.check(request, self._settings.default_video_model)
        seconds = video_orders.duration_of(request)
        if seconds != request.duration:
            text = f"From several references xAI makes at most {seconds} seconds; {request.duration} were asked for."
            yield Notice("DURATION_CLAMPED", text, {"field": "duration", "from": request.duration, "to": seconds})
        if request.mode in video_orders.PATHS:
            revised, order = request.prompt, await video_orders.change(request, model)
        else:
            yield Phase("planning")
            pictures = await video_orders.pictures_of(request)
            revised = ""
            async for update in self._plan(request, model, wire.urls(pictures), len(pictures)):
                if isinstance(update, str):
                    revised = update
                else:
                    yield update
            order = await video_orders.generation(request, self._substitutes.current(model), revised, pictures)
        accepted = await self._submit(order)
        receipt = receipt_of(accepted, request, model, revised)
        yield receipt
        if receipt.data["modelFallback"]:
            change = receipt.data["modelFallback"]
            text = f"{change['from']} refused this order; {change['to']} makes the clip."
            yield Notice("MODEL_FALLBACK", text, change)
        async for made in self.collect(receipt, request):
            yield made

    async def collect(self, receipt: Receipt, request: VideoRequest) -> AsyncIterator[Update]:
        """Wait for a clip that was ordered, now or before a restart, and fetch it. Orders nothing."""
        yield Phase("streaming")
        try:
            async for state in Polls(self._settings, self._exchange, self._job).run(receipt.id):
                if isinstance(state, Progress):
                    yield state
                    continue
                if used := usage(state.answer):  # a clip that moderation holds back is billed too
                    yield used
                clip = finished_clip(state.answer)
                for notice in difference(receipt, clip):
                    yield notice
                yield await self._artifact(clip, receipt, request)
        except Ima2Error as error:
            error.details.setdefault("xaiVideoRequestId", receipt.id)
            raise

    async def _plan(
        self, request: VideoRequest, model: str, urls: list[str], pictures: int
    ) -> AsyncIterator[Usage | Notice | str]:
        """What the planning takes, then the prompt that comes of it."""
        wanted = str(request.options.get("plannerModel") or self._settings.planner_model)
        seconds = min(self._settings.planner_timeout_ms / 1000, self._job.remaining())
        planner = Planner(self._exchange, self._substitutes, wanted, seconds)
        brief = planning.Brief()
        if request.options.get("webSearch", True) is not False:
            brief = await planner.search(request.prompt)
            if brief.used:
                yield brief.used
        task = video_orders.task_of(request, model, pictures, brief.text)
        planned = await planner.plan(failures.VIDEO_PLAN, planning.video_plan(task, tuple(urls)))
        for update in planned.updates():
            yield update
        yield planned.prompt

    async def _submit(self, order: VideoOrder) -> Accepted:
        """Place the order. A refusal that is not about content lets another model have its one order instead: the
        replacement of one that is gone, else the base model of one that answered 400."""
        model = str(order.body["model"])
        try:
            return await self._place(order.path, order.body)
        except UpstreamError as error:
            gone, other = error.no_model, self._other(order, error)
            if other is None:
                raise (substitutes.unavailable(model, error) if gone else error) from None
        try:
            accepted = await self._place(order.path, other)
        except UpstreamError as error:
            raise (substitutes.unavailable(model, error) if error.no_model else error) from None
        if gone:
            self._substitutes.remember(model, str(other["model"]))
        return accepted

    def _other(self, order: VideoOrder, error: UpstreamError) -> dict[str, Json] | None:
        if error.no_model:
            model = catalogue.replacement_of(str(order.body["model"]))
            return {**order.body, "model": model} if model else order.fallback
        return None if error.status != 400 or failures.is_about_content(error) else order.fallback

    async def _place(self, path: str, body: dict[str, Json]) -> Accepted:
        seconds = min(self._settings.video_start_timeout_ms / 1000, self._job.remaining())
        answer = await self._exchange.order(failures.VIDEO_ORDER, path, body, seconds)
        for key in ("request_id", "id"):
            number = answer.get(key)
            if isinstance(number, str) and number.strip("."):
                return Accepted(number, body)
        raise outcomes.error("no-number", "xAI took the order but gave no number for it. Check your xAI account.")

    async def _artifact(self, clip: Finished, receipt: Receipt, request: VideoRequest) -> Artifact:
        seconds = min(self._settings.video_download_timeout_ms / 1000, max(self._job.remaining(), 1.0))
        try:
            picture = await self._collector.collect(fetching.VIDEO, clip.url, seconds)
        except Ima2Error as error:
            error.details["providerUrl"] = clip.url  # the clip is paid for: its owner can still fetch it
            raise
        facts = facts_of(receipt, request, clip)
        revised = receipt.data.get("revisedPrompt")
        return Artifact(
            picture,
            revised_prompt=revised if isinstance(revised, str) else request.prompt,
            url=clip.url,
            model=clip.model or str(facts["effectiveModel"]),
            facts=facts,
            used={"format": "mp4"},
        )


def receipt_of(accepted: Accepted, request: VideoRequest, model: str, revised: str) -> Receipt:
    """What has to be kept of an order, so that a restart can collect the clip and describe it."""
    effective = accepted.body["model"]
    models = {
        "requestedModel": model,
        "effectiveModel": effective,
        "modelFallback": None if effective == model else {"from": model, "to": effective},
    }
    data = {
        **models,
        "duration": accepted.body.get("duration"),
        "revisedPrompt": revised,
        "operation": request.mode,
    }
    return Receipt(accepted.id, data, {"xaiVideoRequestId": accepted.id, **models})


def difference(receipt: Receipt, clip: Finished) -> Iterator[Notice]:
    """Says that a clip was made with another model than the one its order was accepted for."""
    ordered = receipt.data.get("effectiveModel")
    if clip.model is not None and isinstance(ordered, str):
        yield from substitutes.notices(ordered, ordered, clip.model)


def facts_of(receipt: Receipt, request: VideoRequest, clip: Finished) -> Mapping[str, Json]:
    """What the sidecar tells of a clip. The length is xAI's where it states one, else what was ordered.

    ``effectiveModel`` is the model the order was accepted for, ``servedModel`` the one the answer names.
    """
    kept = receipt.data
    model = kept.get("requestedModel") or request.model or VIDEO
    effective = kept.get("effectiveModel") or model
    ordered = kept["duration"] if "duration" in kept else video_orders.duration_of(request)
    return {
        "xaiVideoRequestId": receipt.id,
        "requestedModel": model,
        "effectiveModel": effective,
        "servedModel": clip.model or effective,
        "modelFallback": kept.get("modelFallback"),
        "duration": clip.seconds if clip.seconds is not None else ordered,
        "resolution": request.resolution,
        "aspectRatio": request.aspect_ratio,
    }
