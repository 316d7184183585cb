"""One job from its provider's first word to its end: takes updates, keeps what comes, tells what happens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from ima2.aliases import camel
from ima2.contracts import Job
from ima2.errors import Ima2Error
from ima2.interfaces import Checked, JobResult, JobView, Label, Output
from ima2.jobs.record import now_ms
from ima2.kernel import guard
from ima2.kernel.guard import provider_failure
from ima2.library import Gallery
from ima2.library.names import url_of
from ima2.library.sidecar import from_facts
from ima2.media.decode import MediaError
from ima2.media.sniff import EXTENSIONS
from ima2.models import (
    Artifact,
    Failed,
    ImageRequest,
    Json,
    Notice,
    Partial,
    Phase,
    Picture,
    Progress,
    Receipt,
    Update,
    Usage,
    VideoRequest,
)
from ima2.studio.answers import Answers
from ima2.studio.artifacts import accept, differences
from ima2.studio.facts import facts_of, used_of
from ima2.studio.file_names import file_key
from ima2.studio.live_job import LiveJob
from ima2.studio.usage import UsageTotal
from ima2.version import VERSION

_OWN = "request_id prompt user_prompt provider created_at session_id client_node_id version".split()
RESERVED = frozenset({*_OWN, *map(camel, _OWN)})
"""Facts that no provider may set: what the kernel knows of a job."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every run needs: where files go, how long a provider may take, how many random bytes name a file, and
    how many bytes a result may have."""

    library: Gallery
    timeout_s: float = 1800.0
    name_bytes: int = 4
    max_result_bytes: int = 512 << 20


@dataclass(slots=True)
class JobRun:
    """The state of a running job. ``receipt`` is set when paid work of an earlier process is collected."""

    live: LiveJob
    checked: Checked
    label: Label
    view: JobView
    place: Workplace
    receipt: Receipt | None = None
    kept: list[Output] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    missed: list[tuple[int | None, Exception]] = field(default_factory=list)
    warnings: list[Mapping[str, Json]] = field(default_factory=list)
    usage: UsageTotal = field(default_factory=UsageTotal)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.started -= self.live.running.age
        self.warnings += [*self.label.warnings, *map(warning, self.checked.notices)]

    # -- the work ------------------------------------------------------------------------------

    async def collect(self) -> None:
        """Take the provider's updates to their end. A failure after the first file is kept as a note beside it; one
        before it is raised."""
        provider = self.checked.provider
        most = self.place.max_result_bytes
        answers = Answers(provider, self.checked.request, max_bytes=most, reserved=RESERVED)
        log = logging.getLogger(f"ima2.provider.{provider.id}")
        job = Job(self.live.id, time.monotonic() + self.place.timeout_s, log, self.receipt, self.live.running.order)
        try:
            async with asyncio.timeout(self.place.timeout_s) as limit:
                if self.receipt is None and not provider.marks_orders and not provider.free:
                    await job.order()
                async with aclosing(guard.stream(provider.id, self._updates(job))) as stream:
                    async for update in stream:
                        self._note_url(update)
                        if (usable := answers.check(update)) is not None:
                            await self._take(usable)
        except Exception as error:  # whatever a provider raises: what came before it is kept all the same
            late = isinstance(error, TimeoutError) and limit.expired()  # else it is the provider's own impatience
            self._miss(_too_late() if late else provider_failure(provider.id, error))
        self._settle_misses()
        self.warnings += map(warning, answers.notices)
        if not self.kept:
            raise next((one.error for one in self.failed if isinstance(one.error, Ima2Error)), self._nothing())

    def _updates(self, job: Job) -> AsyncIterator[Update]:
        provider, request = self.checked.provider, self.checked.request
        if isinstance(request, ImageRequest):
            return provider.resume_images(self.receipt, request, job) if self.receipt else provider.images(request, job)
        return provider.resume(self.receipt, request, job) if self.receipt else provider.videos(request, job)

    async def _take(self, update: Update) -> None:
        if self.live.running.over:
            return
        match update:
            case Phase(name):
                self.live.running.phase(name)
            case Partial(picture, index):
                self.live.tell("partial", {"image": picture, **self.view.preview(index)})
            case Artifact():
                await self._keep(update)
            case Usage():
                self.usage.add(update)
            case Notice():
                self.warnings.append(warning(update))
            case Failed(index, error):
                await self._set_aside(error)
                self._miss(error, index)
            case Receipt():
                await self._accepted(update)
            case Progress(fraction, stalled):
                self.live.tell("progress", {"progress": fraction, "stalled": stalled})

    async def _accepted(self, receipt: Receipt) -> None:
        first, self.receipt = self.receipt is None, receipt
        await self.live.running.keep(receipt, receipt.facts)
        if first and (event := self.view.ordered(receipt)):
            self.live.tell(*event)

    def _note_url(self, update: object) -> None:
        """Where the upstream keeps a paid clip is on record before anything else happens to it."""
        is_video = isinstance(self.checked.request, VideoRequest)
        if is_video and isinstance(update, Artifact) and isinstance(update.url, str):
            self.live.running.note({"provider_url": update.url})

    async def _set_aside(self, error: Exception) -> None:
        """Keep what came of a picture or clip that is not whole: it was paid for."""
        if not isinstance(error, MediaError) or not error.data:
            return
        picture = Picture(error.data, error.media_type or "application/octet-stream")
        try:
            spooled = await self.place.library.spool(picture, {"request_id": self.live.id})
        except Ima2Error:
            return
        text = "What arrived is no whole file; its bytes were kept aside."
        self.warnings.append({"code": error.code, "message": text, "url": spooled.url})

    def _miss(self, error: Exception, index: int | None = None) -> None:
        self.missed.append((index, error))

    def _settle_misses(self) -> None:
        """Say which of those asked for did not come, each with its reason. What broke after everything had come is no
        failure of anything: a note."""
        there = {one.index for one in self.kept}
        missing = [place for place in range(self._wanted()) if place not in there]
        for index, error in sorted(self.missed, key=lambda miss: miss[0] is None):
            place = index if index in missing else next(iter(missing), None)
            code = error.code if isinstance(error, Ima2Error) else "UNKNOWN"
            if place is None:
                text = "Everything had come when the upstream's answer broke off."
                self.warnings.append({"code": "ENDED_EARLY", "message": text, "reason": code})
                return
            missing.remove(place)
            self.failed.append(Failed(place, error))
            self.warnings.append({"code": "IMAGE_FAILED", "index": place, "reason": code})

    def _wanted(self) -> int:
        request = self.checked.request
        return max(request.count, request.sequence) if isinstance(request, ImageRequest) else 1

    def _nothing(self) -> Ima2Error:
        if isinstance(self.checked.request, ImageRequest):
            return Ima2Error("EMPTY_RESPONSE", 422, "No image data returned. Try another size, quality or model.")
        code = self.checked.provider.capabilities.code("VIDEO_EMPTY_RESPONSE")
        return Ima2Error(code, 502, "The provider ended without a clip. Try again.")

    # -- keeping -------------------------------------------------------------------------------

    async def _keep(self, artifact: Artifact) -> None:
        request = self.checked.request
        picture, extra, notice = await accept(artifact, request, self.checked.provider.capabilities.formats)
        created_at = now_ms()
        key = self.key(artifact.index, EXTENSIONS[picture.media_type])
        said = {**facts_of(request, self.label, self.result(), artifact, picture, created_at), **extra}
        output = Output(key, url_of(key), picture, said, artifact, created_at, artifact.index)
        said |= {**self.view.facts(artifact, self._with(output)), "version": VERSION}
        self.live.running.add_file(key)
        output = await self._store(output, said)
        self.kept.append(output)
        self.kept.sort(key=lambda one: one.index)
        notices = differences(request, artifact, used_of(request, artifact, picture))
        self.warnings += [warning(one) for one in (*([notice] if notice else ()), *notices)]
        if not self.live.running.over and (shown := self.view.picture(output, self.result())) is not None:
            self.live.tell("image", shown)

    async def _store(self, output: Output, facts: Mapping[str, Json]) -> Output:
        """Put a file into the gallery, else into the spool: what is paid is never lost for want of a place."""
        embedded, library = output.picture.media_type.startswith("image/"), self.place.library
        try:
            kept = await library.keep(output.key, output.picture, from_facts(facts), embedded=embedded)
        except Exception as error:
            spooled = await library.spool(output.picture, from_facts(facts), key=output.key)
            reason = error.text if isinstance(error, Ima2Error) else type(error).__name__
            text = f"The gallery could not take the file ({reason}) It was kept aside and moves there later."
            self.warnings.append(
                {"code": "STORAGE_FAILED", "message": text, "filename": output.key, "url": spooled.url}
            )
            return replace(output, url=spooled.url, facts=from_facts(facts), spooled=True)
        self.warnings += map(warning, kept.warnings)
        artifact = replace(output.artifact, picture=kept.picture)
        return replace(output, picture=kept.picture, facts=kept.facts, artifact=artifact)

    def key(self, index: int, extension: str) -> str:
        """The key of file ``index``."""
        return file_key(self.live.id, self.label, index, extension, self.place.name_bytes)

    async def finish(self) -> None:
        """Write down what is known only at the end: what the job took. A file that is stored stays stored: what cannot
        be written is a warning."""
        result, count = self.result(), len(self.kept)
        for place, output in enumerate(self.kept):
            share = self.usage.share(output.index, count)
            tokens = dict(share.tokens) if share.tokens is not None else None
            took = {"usage": tokens, "web_search_calls": share.searches, "elapsed": result.elapsed, "cost": share.cost}
            more = {**took, **self.view.facts(output.artifact, result)}
            self.kept[place] = await self._amend(output, more)

    async def _amend(self, output: Output, facts: Mapping[str, Json]) -> Output:
        more = from_facts(facts)
        if not output.spooled:
            try:
                self.warnings += map(warning, await self.place.library.amend(output.key, more))
            except KeyError:
                text = "The file was taken out of the gallery before its job was over."
                self.warnings.append({"code": "FILE_GONE", "message": text, "filename": output.key})
        return replace(output, facts={**output.facts, **more})

    # -- what came of it -----------------------------------------------------------------------

    def result(self, data: Mapping[str, Json] | None = None) -> JobResult:
        """What came of the job so far."""
        return JobResult(
            self.live.id,
            self.checked.request,
            tuple(self.kept),
            tuple(self.failed),
            list(self.warnings),
            self.usage.tokens,
            self.usage.searches,
            self.usage.cost,
            self.checked.estimate,
            round(time.monotonic() - self.started, 1),
            self.receipt,
            data or {},
        )

    def _with(self, output: Output) -> JobResult:
        """The result as it will be once this file is kept too."""
        kept = sorted((*self.kept, output), key=lambda one: one.index)
        return replace(self.result(), kept=tuple(kept))


def _too_late() -> Ima2Error:
    return Ima2Error("JOB_TIMEOUT", 504, "The job took longer than is allowed.")


def warning(notice: Notice) -> dict[str, Json]:
    """A notice as an entry of ``warnings``."""
    return {"code": notice.code, "message": notice.text, **notice.details}
