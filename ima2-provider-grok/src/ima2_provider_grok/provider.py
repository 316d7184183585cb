"""The two providers. They share everything but the lane: where requests go, and in whose name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

from ima2 import (
    Ima2Error,
    ImageRequest,
    Job,
    Json,
    Provider,
    ProviderStatus,
    Quota,
    Receipt,
    TextRequest,
    TextResult,
    Update,
    VideoRequest,
)
from ima2_provider_grok import failures, quota, wire, words
from ima2_provider_grok.capabilities import capabilities
from ima2_provider_grok.downloads import Downloads
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.images import Images
from ima2_provider_grok.lanes import KeyLane, Lane
from ima2_provider_grok.login_lane import LoginLane
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.videos import Videos

if TYPE_CHECKING:
    import httpx

_IMAGE_MODELS = "grok-imagine"


class XaiProvider(Provider):
    """Pictures, clips and words from xAI, over one lane. A job that lacks the lane's credential never takes another."""

    def __init__(self, settings: GrokSettings, http: Callable[[], httpx.AsyncClient], lane: Lane) -> None:
        self._settings, self._http, self._lane = settings, http, lane
        self.capabilities = capabilities(settings)

    async def close(self) -> None:
        await self._lane.close()

    def problem(self) -> str | None:
        return self._lane.problem()

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Search, plan and draw; with a source picture edit it directly."""
        exchange = await self._exchange()
        async for update in Images(self._settings, exchange, self._downloads(exchange), job).run(request):
            yield update

    async def videos(self, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Search, plan, order and collect a clip. With a receipt in the job it is only collected."""
        exchange = await self._exchange()
        videos = Videos(self._settings, exchange, self._downloads(exchange), job)
        async for update in videos.collect(job.receipt, request) if job.receipt else videos.run(request):
            yield update

    async def resume(self, receipt: Receipt, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Collect a clip that was ordered before a restart."""
        exchange = await self._exchange()
        async for update in Videos(self._settings, exchange, self._downloads(exchange), job).collect(receipt, request):
            yield update

    async def text(self, request: TextRequest) -> TextResult:
        """Answer in words; pictures are looked at."""
        seconds = self._settings.generation_timeout_ms / 1000
        model = request.model or self._settings.planner_model
        return await words.answered(await self._exchange(), request, model=model, seconds=seconds)

    async def status(self) -> ProviderStatus:
        """``ready``, ``no_image_model``, ``auth_required``, ``offline``, or ``error`` with its status."""
        try:
            exchange = Exchange(self._http, await self._lane.connect(start=False))
            answer = await exchange.ask(failures.MODELS, "models", self._settings.status_timeout_ms / 1000)
        except Ima2Error as error:
            return _status_of(error)
        models = tuple(str(model["id"]) for model in wire.objects(answer, "data") if model.get("id"))
        able = any(model.startswith(_IMAGE_MODELS) for model in models)
        return ProviderStatus("ready" if able else "no_image_model", models)

    async def _exchange(self) -> Exchange:
        return Exchange(self._http, await self._lane.connect())

    def _downloads(self, exchange: Exchange) -> Downloads:
        return Downloads(self._http, exchange.connection.base_url)


def _status_of(error: Ima2Error) -> ProviderStatus:
    if isinstance(error, failures.Refusal):
        return ProviderStatus("error", reason=f"HTTP {error.http_status}")
    if error.status == 401:
        return ProviderStatus("auth_required", reason=error.text)
    return ProviderStatus("offline")


class GrokProvider(XaiProvider):
    """``grok``: covered by a subscription, signed in with `ima2 grok login` (or through a progrok proxy)."""

    id: ClassVar[str] = "grok"
    title: ClassVar[str] = "Grok"
    is_video_default: ClassVar[bool] = True

    def __init__(self, settings: GrokSettings, http: Callable[[], httpx.AsyncClient]) -> None:
        self._login = LoginLane(settings, http)
        super().__init__(settings, http, self._login)

    def runtime(self) -> Mapping[str, Json]:
        """The proxy's address, whether one is in use or not."""
        port, url = self._login.address()
        return {"configuredPort": self._settings.proxy_port, "actualPort": port, "url": url}

    async def quota(self) -> Quota:
        """The month's allowance of the stored login. Raises ``GROK_NETWORK_FAILED`` when the page cannot be reached."""
        try:
            connection = self._login.native()
            return await quota.read(self._http, connection, self._settings.billing_url)
        except Ima2Error as error:
            if error.status == 401:
                return Quota(authenticated=False)
            raise


class GrokApiProvider(XaiProvider):
    """``grok-api``: billed to an API key of xAI."""

    id: ClassVar[str] = "grok-api"
    title: ClassVar[str] = "Grok API"

    def __init__(self, settings: GrokSettings, http: Callable[[], httpx.AsyncClient]) -> None:
        super().__init__(settings, http, KeyLane(settings))
