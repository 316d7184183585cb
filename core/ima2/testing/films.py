"""A provider of clips that behaves in one plain way, and clips for it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from functools import lru_cache

from ima2.capabilities import Capabilities, Model, Option, VideoModes
from ima2.contracts import Job, Provider
from ima2.models import (
    Artifact,
    Notice,
    Phase,
    Picture,
    Progress,
    Receipt,
    TextRequest,
    TextResult,
    Update,
    Usage,
    VideoRequest,
)


def clip(seconds: float = 2.0, width: int = 160, height: int = 96) -> Picture:
    """A small real clip, ten frames a second, black at first and brighter with each frame. Needs PyAV and Pillow.

    The same measures give the same bytes within one process.
    """
    return _clip(float(seconds), width, height)


@lru_cache
def _clip(seconds: float, width: int, height: int) -> Picture:
    import av
    from PIL import Image

    out, count = io.BytesIO(), round(seconds * 10)
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            level = 255 * number // max(1, count - 1)
            picture = Image.new("RGB", (width, height), (level, level, level))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Picture(out.getvalue(), "video/mp4")


class FilmProvider(Provider):
    """Makes a clip in three steps: plan, receipt, clip.

    It stops for good at the step named by ``hold`` (``planning`` or ``submitted``), or fails with ``error`` after the
    receipt. ``asked`` holds the requests it got, ``resumed`` the receipts it was to collect, ``canceled`` how often
    it was cut off.
    """

    id = "film"
    title = "Film"
    is_video_default = True
    marks_orders = True
    capabilities = Capabilities(
        media=("video",),
        models=(Model("film-1", media="video"), Model("film-2", media="video")),
        default_video_model="film-1",
        links=True,
        video=VideoModes(
            modes=("text", "image", "reference", "edit", "extend"),
            durations={"text": (1, 15), "image": (1, 15), "reference": (1, 10), "edit": (1, 15), "extend": (2, 10)},
            resolutions=("480p", "720p"),
            aspect_ratios=("16:9", "1:1", "auto"),
            max_references=7,
            models={"edit": ("film-1",), "extend": ("film-1",)},
        ),
        options=(
            Option("continuity", "list", "What came before"),
            Option("storyboard", "flag", "The start is a storyboard", default=False),
            Option("plannerModel", "text", "Who words the prompt"),
        ),
        code_prefix="FILM",
    )

    def __init__(
        self,
        made: Picture | None = None,
        *,
        hold: str = "",
        error: Exception | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:
        self._made, self._hold, self._error, self._notices = made, hold, error, notices
        self.asked: list[VideoRequest] = []
        self.resumed: list[Receipt] = []
        self.canceled = 0
        self.held = asyncio.Event()

    async def videos(self, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        self.asked.append(request)
        yield Phase("planning")
        for notice in self._notices:
            yield notice
        await self._stop_at("planning")
        await job.order()
        data = {"requestedModel": request.model, "revisedPrompt": "a planned prompt"}
        receipt = Receipt(f"film-{job.id}", data, {"filmId": f"film-{job.id}"})
        yield receipt
        async for update in self._collected(receipt, request):
            yield update

    async def resume(self, receipt: Receipt, request: VideoRequest, job: Job) -> AsyncIterator[Update]:
        self.resumed.append(receipt)
        async for update in self._collected(receipt, request):
            yield update

    async def text(self, request: TextRequest) -> TextResult:
        return TextResult(f"{len(request.pictures)} frames were seen.", "film-words")

    async def _collected(self, receipt: Receipt, request: VideoRequest) -> AsyncIterator[Update]:
        yield Phase("streaming")
        yield Progress(0.5)
        await self._stop_at("submitted")
        if self._error is not None:
            raise self._error
        yield Usage({"ticks": 7}, cost=0.3)
        made = self._made or clip(2.0)
        length = None if request.clip else request.duration
        facts = {"filmId": receipt.id, "requestedModel": request.model, "duration": length}
        revised = str(receipt.data.get("revisedPrompt"))
        yield Artifact(made, revised_prompt=revised, url="https://clips.example/made.mp4", facts=facts)

    async def _stop_at(self, step: str) -> None:
        if self._hold == step:
            self.held.set()
            try:
                await asyncio.sleep(3600)
            finally:
                self.canceled += 1
