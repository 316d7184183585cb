"""The provider ``demo``: requests in, drawings and words out, with the manners of a real one."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, ParamSpec, TypeVar

import ima2
from ima2_plugins.demo.settings import DemoSettings
from ima2_plugins.demo.words import FAILURES, ORDER, Wishes, wishes

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SMALLEST, _LARGEST = 64, 4096
_FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_SAVED: dict[str, dict[str, Any]] = {
    "png": {"compress_level": 3},
    "jpeg": {"quality": 90},
    "webp": {"quality": 86, "method": 2},
}
_WXH = re.compile(r"(\d{1,5})x(\d{1,5})")
_ABOUT = "Offline drawings and words by rule, for trying things out. No model is asked."


@dataclass(slots=True)
class Course:
    """How far one request is: every picture counts its previews and itself as steps."""

    job: ima2.Job
    steps: int
    pause: float
    """Seconds before each step."""
    done: int = 0
    decoding: bool = field(default=False)

    async def wait(self) -> None:
        """Let the pause pass. Raises 504 ``DEMO_TIMEOUT`` when the job's time is over before."""
        left = self.job.remaining()
        await asyncio.sleep(min(self.pause, left))
        if self.pause > left:
            raise ima2.Ima2Error(
                "DEMO_TIMEOUT", 504, "The demo took longer than it was given. Ask for a shorter delay."
            )

    def step(self) -> ima2.Progress:
        """One step more."""
        self.done += 1
        return ima2.Progress(self.done / self.steps)


class DemoProvider(ima2.Provider):
    """Draws in two threads, off the event loop. The same request gives the same bytes."""

    id = "demo"
    free = True
    title: ClassVar[str] = "Demo (offline drawings)"
    capabilities = ima2.Capabilities(
        models=(ima2.Model("demo", "Demo painter"),),
        default_model="demo",
        sizes=ima2.Sizes(listed=("1024x1024", "1536x1024", "1024x1536"), free=True, auto=True, max_edge=_LARGEST),
        formats=tuple(_FORMATS),
        max_references=5,
        max_count=8,
        edit=True,
        mask=True,
        partials=3,
        sequence=8,
        text=True,
        options=(ima2.Option("seed", "number", "Seed", default=0, error_code="DEMO_SEED_INVALID"),),
        prices=(ima2.Price("demo", "image", 0.0),),
        code_prefix="DEMO",
    )

    def __init__(self, settings: DemoSettings) -> None:
        self._settings = settings
        self._threads: ThreadPoolExecutor | None = None

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def status(self) -> ima2.ProviderStatus:
        return ima2.ProviderStatus("ready", models=("demo",), reason=_ABOUT)

    async def images(self, request: ima2.ImageRequest, job: ima2.Job) -> AsyncIterator[ima2.Update]:
        wanted = wishes(request.prompt)
        size, seed = _size(request.size), _seed(request)
        if request.format not in _FORMATS:
            raise ima2.Ima2Error(
                "DEMO_FORMAT_UNSUPPORTED", 400, "The demo draws png, jpeg and webp. Choose one of them."
            )
        yield ima2.Phase("planning")
        await self._misbehave(wanted.fail or self._settings.fail, job)
        briefs = await self._threaded(_briefs, request, wanted, size, seed)
        delay = self._settings.delay_ms if wanted.delay_ms is None else wanted.delay_ms
        stages = request.partials + 1
        course = Course(job, len(briefs) * stages, delay / 1000 / stages)
        yield ima2.Phase("streaming")
        draws = [partial(self._one, request, draw, index, course) for index, draw in enumerate(briefs)]
        if request.sequence:
            for draw in draws:
                async for update in draw():
                    yield update
        elif len(draws) == 1:
            async for update in draws[0]():
                yield update
        else:
            async for update in ima2.merged(draws):
                yield update
        yield ima2.Usage(cost=0.0)

    async def text(self, request: ima2.TextRequest) -> ima2.TextResult:
        """Words by rule: the schema filled from its fields' names, or a sentence. Marked as the demo's."""
        import json

        from ima2_plugins.demo.writing import Form, plain_answer, subject_of

        wanted = wishes(request.prompt)
        await self._misbehave(wanted.fail or self._settings.fail, ima2.Job("words"))
        delay = self._settings.delay_ms if wanted.delay_ms is None else wanted.delay_ms
        await asyncio.sleep(delay / 1000)
        subject = subject_of(ORDER.sub("", request.prompt))
        if request.schema is None:
            answer = plain_answer(subject, len(request.pictures), len(request.messages))
        else:
            answer = json.dumps(Form(request.schema, subject).fill(), ensure_ascii=False)
        return ima2.TextResult(answer, "demo", cost=0.0)

    async def _one(
        self, request: ima2.ImageRequest, draw: Callable[[], Any], index: int, course: Course
    ) -> AsyncIterator[ima2.Update]:
        """One picture: drawn, shown in stages, delivered."""
        image = await self._threaded(draw)
        for stage in range(request.partials):
            await course.wait()
            blurred = await self._threaded(_blurred, image, stage / request.partials)
            yield ima2.Partial(blurred, index)
            yield course.step()
        await course.wait()
        if not course.decoding:
            course.decoding = True
            yield ima2.Phase("decoding")
        data = await self._threaded(_encoded, image, request.format)
        yield course.step()
        yield ima2.Artifact(ima2.Picture(data, _FORMATS[request.format]), index)

    async def _misbehave(self, fail: str, job: ima2.Job) -> None:
        if fail == "crash":
            raise RuntimeError("the demo was asked to crash")
        if fail == "hang":
            await asyncio.sleep(job.remaining())
            raise ima2.Ima2Error("DEMO_TIMEOUT", 504, "The demo was asked to hang, and its time is over.")
        if fail:
            code, status, text = FAILURES[fail]
            raise ima2.Ima2Error(code, status, text, retry_after=5.0 if status == 429 else None)

    async def _threaded(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2, "demo-painter")
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))


def _size(words: str) -> tuple[int, int] | None:
    """Width and height, ``None`` for ``auto``; 400 ``DEMO_SIZE_UNSUPPORTED`` for what cannot be drawn."""
    if words == "auto":
        return None
    found = _WXH.fullmatch(words)
    if found:
        width, height = int(found[1]), int(found[2])
        if min(width, height) >= _SMALLEST and max(width, height) <= _LARGEST:
            return width, height
    text = f"The demo draws WxH from {_SMALLEST} to {_LARGEST} pixels an edge, or auto. Choose another size."
    raise ima2.Ima2Error("DEMO_SIZE_UNSUPPORTED", 400, text)


def _seed(request: ima2.ImageRequest) -> float:
    seed = request.options.get("seed")
    if seed is None:
        return 0.0
    if isinstance(seed, bool) or not isinstance(seed, int | float):
        raise ima2.Ima2Error("DEMO_SEED_INVALID", 400, "The seed must be a number.")
    return float(seed)


def _briefs(
    request: ima2.ImageRequest, wanted: Wishes, size: tuple[int, int] | None, seed: float
) -> list[Callable[[], Any]]:
    """What to draw, one call each. Pillow is imported here, by the first request."""
    from ima2_plugins.demo import inputs
    from ima2_plugins.demo.painting import Brief, paint

    tints = inputs.tints(request.references)
    source = inputs.decoded(request.source) if request.source else None
    mask = inputs.decoded(request.mask) if request.mask else None
    size = size or _auto(source.size if source else (1024, 1024))
    brief = partial(Brief, wanted, size, request.quality, seed, tints=tints)
    if request.sequence:
        briefs = [brief(place=(index, request.sequence)) for index in range(request.sequence)]
    else:
        briefs = [brief(number=index) for index in range(request.count)]
    if source is None:
        return [partial(paint, one) for one in briefs]
    return [partial(inputs.edited, source, mask, one) for one in briefs]


def _auto(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a picture to change, as far as it can be drawn."""
    if min(size) >= _SMALLEST and max(size) <= _LARGEST:
        return size
    text = f"The picture to change must have {_SMALLEST} to {_LARGEST} pixels an edge, or ask for a size."
    raise ima2.Ima2Error("DEMO_SIZE_UNSUPPORTED", 400, text)


def _blurred(image: Any, share: float) -> ima2.Picture:
    """A preview: half as large, the softer the earlier."""
    from PIL import ImageFilter

    small = ima2.flat_picture(image.reduce(2)).convert("RGB")
    small = small.filter(ImageFilter.GaussianBlur(max(1.0, min(small.size) * 0.045 * (1 - share))))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=70)
    return ima2.Picture(out.getvalue(), "image/jpeg")


def _encoded(image: Any, form: str) -> bytes:
    out = io.BytesIO()
    image = ima2.flat_picture(image) if form == "jpeg" else image
    image.save(out, form.upper(), **_SAVED[form])
    return out.getvalue()
