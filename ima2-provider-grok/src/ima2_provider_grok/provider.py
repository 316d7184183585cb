"""The two providers. They share everything but the transport: where requests go, and in whose name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ima2 import (
    Credential,
    Ima2Error,
    ImageRequest,
    Job,
    Json,
    LoginStep,
    Model,
    Provider,
    ProviderStatus,
    Quota,
    Receipt,
    TextRequest,
    TextResult,
    Update,
    VideoRequest,
)
from ima2_provider_grok import catalogue, failures, probe, quota, sign_in, text
from ima2_provider_grok.capabilities import capabilities
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.fetching import Collector, FetchFile
from ima2_provider_grok.images import Images
from ima2_provider_grok.login_transport import LoginTransport
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.substitutes import Substitutes
from ima2_provider_grok.transport import KeyConnection, KeyTransport, Transport
from ima2_provider_grok.videos import Videos

if TYPE_CHECKING:
    import httpx

    Client = Callable[[], httpx.AsyncClient]

_VERIFY_SECONDS = 10.0


class XaiProvider(Provider):
    """Pictures, clips and words from xAI, over one transport. A job that lacks its credential takes no other."""

    marks_orders: ClassVar[bool] = True

    def __init__(self, settings: GrokSettings, http: Client, fetch: FetchFile, transport: Transport) -> None:
        self._settings, self._http, self._fetch, self._transport = settings, http, fetch, transport
        self._substitutes = Substitutes()
        self.capabilities = capabilities(settings)

    async def close(self) -> None:
        await self._transport.close()

    def problem(self) -> str | None:
        return self._transport.problem()

    async def reconfigure(self, settings: object) -> None:
        """Take new settings: they count for the next job, and a job under way keeps those it began with."""
        if not isinstance(settings, GrokSettings):
            raise TypeError(f"expected GrokSettings, not {type(settings).__name__}")
        self._settings = settings
        self.capabilities = capabilities(settings)
        await self._transport.reconfigure(settings)

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        """Search, plan and draw; with a source picture edit it directly."""
        exchange = await self._exchange(job.order)
        images = Images(self._settings, exchange, self._collector(exchange, job), job, self._substitutes)
        async for update in images.run(request):
            yield update

    async def videos(self, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Search, plan, order and collect a clip. With a receipt in the job it is only collected."""
        exchange = await self._exchange(job.order)
        videos = Videos(self._settings, exchange, self._collector(exchange, job), job, self._substitutes)
        async for update in videos.collect(job.receipt, request) if job.receipt else videos.run(request):
            yield update

    async def resume(self, receipt: Receipt, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        """Collect a clip that was ordered before a restart."""
        exchange = await self._exchange()
        videos = Videos(self._settings, exchange, self._collector(exchange, job), job, self._substitutes)
        async for update in videos.collect(receipt, request):
            yield update

    async def text(self, request: TextRequest) -> TextResult:
        """Answer in words; pictures are looked at."""
        seconds = self._settings.generation_timeout_ms / 1000
        model = request.model or self._settings.planner_model
        exchange = await self._exchange()
        return await text.answer(exchange, self._substitutes, request, model=model, seconds=seconds)

    async def status(self) -> ProviderStatus:
        """``ready``, ``no_image_model``, ``auth_required``, ``offline``, or ``error`` with its status."""
        return await probe.status(self._http, self._transport, self._settings)

    async def models(self) -> Sequence[Model]:
        """The account's own models. Raises `Ima2Error` when xAI does not tell them in time."""
        exchange = Exchange(self._http, await self._transport.connect(start=False))
        return tuple(catalogue.account_model(name) for name in await probe.names(exchange, _VERIFY_SECONDS))

    async def _exchange(self, before_order: Callable[[], Awaitable[None]] | None = None) -> Exchange:
        return Exchange(self._http, await self._transport.connect(), before_order)

    def _collector(self, exchange: Exchange, job: Job) -> Collector:
        return Collector(self._fetch, exchange.connection.base_url, job.log)


class GrokProvider(XaiProvider):
    """``grok``: covered by a subscription, signed in with `ima2 grok login` (or through a progrok proxy)."""

    id: ClassVar[str] = "grok"
    title: ClassVar[str] = "Grok"
    is_video_default: ClassVar[bool] = True
    credentials: Sequence[Credential] = (sign_in.CREDENTIAL,)

    def __init__(self, settings: GrokSettings, http: Client, fetch: FetchFile) -> None:
        self._login = LoginTransport(settings, http)
        super().__init__(settings, http, fetch, self._login)

    def runtime(self) -> Mapping[str, Json]:
        """The proxy's address, whether one is in use or not."""
        port, url = self._login.address()
        return {"configuredPort": self._settings.proxy_port, "actualPort": port, "url": url}

    def login(self, method: str = "") -> AsyncGenerator[LoginStep, str | None]:
        """Sign in by ``browser``, ``device`` or ``paste``. The stored login changes only once the new one is whole."""
        return sign_in.steps(method or "browser", self._login.account)

    async def logout(self, name: str = "") -> bool:
        """Forget the stored login."""
        return await asyncio.to_thread(self._login.account.file.delete)

    async def verify(self, values: Mapping[str, str]) -> ProviderStatus:
        """Whether the stored login is accepted; a login is no value that could be handed over."""
        return await self.status()

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
    credentials: Sequence[Credential] = (
        Credential(
            "api_key",
            "xAI API key",
            setting="api_key",
            env="XAI_API_KEY",
            pattern=r"xai-[!-~]{1,508}",
            hint="Made at console.x.ai; each picture, clip and search is billed to its team.",
            alias="xai",
        ),
    )

    def __init__(self, settings: GrokSettings, http: Client, fetch: FetchFile) -> None:
        super().__init__(settings, http, fetch, KeyTransport(settings))

    async def verify(self, values: Mapping[str, str]) -> ProviderStatus:
        """Whether xAI takes the ``api_key``: ``ready``, ``auth_required``, ``offline``, or ``error``. Costs nothing."""
        key = values.get("api_key", "").strip()
        if not key or not (key.isascii() and key.isprintable()):
            return ProviderStatus("auth_required", reason="That is no key of xAI.")
        exchange = Exchange(self._http, KeyConnection(self._settings.base_url, key))
        try:
            return ProviderStatus("ready", await probe.names(exchange, _VERIFY_SECONDS))
        except failures.UpstreamError as error:
            if error.code == "GROK_AUTH_FAILED":
                return ProviderStatus("auth_required", reason="xAI does not accept this key.")
            return probe.status_of(error)
        except Ima2Error as error:
            return ProviderStatus("offline", reason=error.text)
