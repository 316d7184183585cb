"""Clips: search and plan, one order, a receipt, then polling and collecting what was paid for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from ima2 import Artifact, Ima2Error, Job, Json, Notice, Phase, Progress, Receipt, Update, VideoRequest
from ima2_provider_grok import failures, fetching, orders, planning
from ima2_provider_grok.capabilities import VIDEO
from ima2_provider_grok.downloads import Downloads
from ima2_provider_grok.exchange import Exchange, no_answer, usage
from ima2_provider_grok.orders import Order
from ima2_provider_grok.polls import Finished, Polls
from ima2_provider_grok.settings import GrokSettings


@dataclass(frozen=True, slots=True)
class Ordered:
    """An accepted order: xAI's id and the body it accepted."""

    id: str
    body: dict[str, Json] = field(repr=False)


class Videos:
    """Makes the clip of one request over one connection."""

    def __init__(self, settings: GrokSettings, exchange: Exchange, downloads: Downloads, job: Job) -> None:
        self._settings, self._exchange, self._downloads, self._job = settings, exchange, downloads, job

    async def run(self, request: VideoRequest) -> AsyncIterator[Update]:
        """Order a clip and collect it."""
        model = orders.checked(request, self._settings.default_video_model)
        seconds = orders.duration_of(request)
        if seconds != request.duration:
            text = f"From several references xAI makes at most {seconds} seconds; {request.duration} were asked for."
            yield Notice("DURATION_CLAMPED", text, {"field": "duration", "from": request.duration, "to": seconds})
        if request.mode in orders.PATHS:
            revised, order = request.prompt, await orders.change(request, model)
        else:
            yield Phase("planning")
            pictures = await orders.pictures_of(request)
            brief = await self._brief(request)
            if brief.used:
                yield brief.used
            revised = await self._planned(request, model, pictures, brief.text)
            order = await orders.generation(request, model, revised, pictures)
        ordered, notice = await self._submit(order)
        receipt = receipt_of(ordered, request, model, revised)
        yield receipt
        if notice:
            yield notice
        async for update in self.collect(receipt, request):
            yield update

    async def collect(self, receipt: Receipt, request: VideoRequest) -> AsyncIterator[Update]:
        """Wait for a clip that was ordered, now or before a restart, and fetch it. Orders nothing."""
        yield Phase("streaming")
        try:
            async for state in Polls(self._settings, self._exchange, self._job).run(receipt.id):
                if isinstance(state, Progress):
                    yield state
                else:
                    if used := usage(state.answer):
                        yield used
                    yield await self._artifact(state, receipt, request)
        except Ima2Error as error:
            error.details.setdefault("xaiVideoRequestId", receipt.id)
            raise

    async def _brief(self, request: VideoRequest) -> planning.Brief:
        if request.options.get("webSearch", True) is False:
            return planning.Brief()
        return await planning.search(
            self._exchange, request.prompt, model=self._planner(request), seconds=self._planner_seconds()
        )

    async def _planned(self, request: VideoRequest, model: str, pictures: list[str], brief: str | None) -> str:
        plan = planning.video_plan(orders.task_of(request, model, len(pictures), brief), tuple(pictures))
        return await planning.planned(
            self._exchange, failures.VIDEO_PLAN, plan, model=self._planner(request), seconds=self._planner_seconds()
        )

    async def _submit(self, order: Order) -> tuple[Ordered, Notice | None]:
        """Place the order. A 400 that is not about content lets the base model have its one order instead."""
        try:
            return await self._place(order.path, order.body), None
        except Ima2Error as error:
            if error.status != 400 or order.fallback is None or failures.is_about_content(error):
                raise
        ordered = await self._place(order.path, order.fallback)
        change = {"from": order.body["model"], "to": VIDEO}
        return ordered, Notice(
            "MODEL_FALLBACK", f"{change['from']} refused this order; {VIDEO} makes the clip.", change
        )

    async def _place(self, path: str, body: dict[str, Json]) -> Ordered:
        seconds = min(self._settings.video_start_timeout_ms / 1000, self._job.remaining())
        answer = await self._exchange.order(failures.VIDEO_ORDER, path, body, seconds)
        for key in ("request_id", "id"):
            number = answer.get(key)
            if isinstance(number, str) and number.strip("."):
                return Ordered(number, body)
        raise no_answer(
            "GROK_VIDEO_REQUEST_FAILED", "xAI took the order but gave no number for it. Check your xAI account."
        )

    async def _artifact(self, finished: Finished, receipt: Receipt, request: VideoRequest) -> Artifact:
        seconds = min(self._settings.video_download_timeout_ms / 1000, max(self._job.remaining(), 1.0))
        try:
            clip = await fetching.collect(self._downloads, fetching.VIDEO, finished.url, seconds, self._job.log)
        except Ima2Error as error:
            error.details["providerUrl"] = finished.url  # the clip is paid for: its owner can still fetch it
            raise
        facts = facts_of(receipt, request, finished)
        revised = receipt.data.get("revisedPrompt")
        return Artifact(
            clip,
            revised_prompt=revised if isinstance(revised, str) else request.prompt,
            url=finished.url,
            model=str(facts["effectiveModel"]),
            facts=facts,
        )

    def _planner(self, request: VideoRequest) -> str:
        return str(request.options.get("plannerModel") or self._settings.planner_model)

    def _planner_seconds(self) -> float:
        return min(self._settings.planner_timeout_ms / 1000, self._job.remaining())


def receipt_of(ordered: Ordered, request: VideoRequest, model: str, revised: str) -> Receipt:
    """What has to be kept of an order, so that a restart can collect the clip and describe it."""
    effective = ordered.body["model"]
    data = {
        "requestedModel": model,
        "effectiveModel": effective,
        "modelFallback": None if effective == model else {"from": model, "to": effective},
        "duration": ordered.body.get("duration"),
        "revisedPrompt": revised,
        "operation": request.mode,
    }
    return Receipt(ordered.id, data)


def facts_of(receipt: Receipt, request: VideoRequest, finished: Finished) -> Mapping[str, Json]:
    """What the sidecar tells of a clip. The length is xAI's where it states one, else what was ordered."""
    kept = receipt.data
    model = kept.get("requestedModel") or request.model or VIDEO
    ordered = kept["duration"] if "duration" in kept else orders.duration_of(request)
    return {
        "xaiVideoRequestId": receipt.id,
        "requestedModel": model,
        "effectiveModel": kept.get("effectiveModel") or model,
        "modelFallback": kept.get("modelFallback"),
        "duration": finished.seconds if finished.seconds is not None else ordered,
        "resolution": request.resolution,
        "aspectRatio": request.aspect_ratio,
    }
