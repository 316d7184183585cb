"""One request from admission to its end, whoever asked and whoever draws."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ima2.contracts import Job, Provider
from ima2.errors import Ima2Error, canceled
from ima2.jobs.job_errors import interrupted, suspended
from ima2.jobs.jobs import Jobs, RunningJob
from ima2.jobs.leases import Verdict
from ima2.jobs.record import JobRecord, now_ms
from ima2.kernel.publisher import Publisher
from ima2.kernel.registry import Registry
from ima2.library import Library
from ima2.media.sniff import EXTENSIONS
from ima2.models import (
    Artifact,
    Event,
    Failed,
    Json,
    Notice,
    Partial,
    Phase,
    Progress,
    Receipt,
    Update,
    Usage,
)
from ima2.studio.memory import Trim
from ima2.studio.video_jobs import film_provider, resumed
from ima2.version import VERSION
from ima2.ways.way import Limits, Made, Outcome, Way

log = logging.getLogger("ima2.studio")
Telling = Callable[[str, Mapping[str, Json]], None]


class Studio:
    """Runs jobs: asks the provider, keeps what comes, tells what happens, and says how it ended."""

    def __init__(
        self,
        registry: Registry,
        jobs: Jobs,
        library: Library,
        publisher: Publisher,
        *,
        limits: Limits | None = None,
        default_provider: str = "",
        job_timeout_s: float = 1800.0,
    ) -> None:
        self.registry = registry
        self.jobs = jobs
        self.library = library
        self.limits = limits or Limits()
        self._publisher = publisher
        self._default = default_provider
        self._timeout = job_timeout_s
        self._trim = Trim()

    def provider(self, name: Any = None) -> Provider:
        """The provider a client names. Absent, ``null`` and ``auto`` mean the default; anything unknown is refused."""
        if name is None or name in {"auto", ""}:
            return self.registry.provider(self.default_provider())
        if not isinstance(name, str):
            raise Ima2Error("UNKNOWN_PROVIDER", 400, "provider must be a string.")
        return self.registry.provider(name)

    def default_provider(self) -> str:
        """The id that ``auto`` stands for: the setting's, else the one provider that says it is the default."""
        if self._default and self._default != "auto":
            return self._default
        claims = sorted(name for name, one in self.registry.providers.items() if one.is_default)
        if len(claims) != 1:
            reason = f"{' and '.join(claims)} both claim to be the default" if claims else "no provider is the default"
            raise Ima2Error(
                "UNKNOWN_PROVIDER", 400, f"Name a provider: {reason}. The setting `provider` can choose one."
            )
        return claims[0]

    def film_provider(self, name: Any = None) -> Provider:
        """The provider of clips that a client names; see `ima2.studio.video_jobs.film_provider`."""
        return film_provider(self.registry, self._default, name)

    # -- a job ---------------------------------------------------------------------------------

    async def admit(self, way: Way) -> RunningJob:
        """Let the way's job in, or refuse."""
        return await self.jobs.admit(way.draft())

    def start(self, way: Way, running: RunningJob, heard: Telling | None = None) -> asyncio.Task[Outcome]:
        """Run an admitted job in a task of its own: it outlives its client. ``heard`` hears what the sinks hear."""
        return self.jobs.start(running, self.run(way, running, heard))

    def verdict(self, record: JobRecord) -> Verdict:
        """What becomes of a job of a process that went away: collected where its work is ordered and can be."""
        return "collect" if resumed(record, self.registry, self.limits) is not None else "close"

    def resume(self, running: RunningJob) -> None:
        """Go on with a job that was taken over from a process that went away."""
        way = resumed(running.record, self.registry, self.limits)
        if way is not None:
            self.start(way, running).add_done_callback(seen)

    async def run(self, way: Way, running: RunningJob, heard: Telling | None = None) -> Outcome:
        """Run a job to its end, which is recorded and told whatever happens.

        Raises `Ima2Error` as the client should see it.
        """
        outcome = Outcome(warnings=list(way.warnings), started=time.monotonic() - running.age)

        def tell(name: str, data: Mapping[str, Json]) -> None:
            whole = {"requestId": way.id, **data}
            self._publisher.publish(Event(name, way.id, whole, origin=self._publisher.origin))
            if heard is not None:
                heard(name, whole)

        try:
            if way.streams_at_once:
                running.phase("streaming")
            if begun := way.begun():
                tell(*begun)
            await self._collect(way, running, outcome, tell)
            await self._finish(way, outcome)
            await running.complete(way.end_meta(outcome), way.reply(outcome), way.http_status(outcome))
        except asyncio.CancelledError:
            if running.suspended:
                raise suspended() from None
            if not running.over:
                raise
            raise (canceled() if running.record.status == "canceled" else interrupted()) from None
        except Exception as error:
            known = outcome.error = error if isinstance(error, Ima2Error) else crash(way.provider.id, error)
            event = {**way.refusal(known, outcome), "status": known.status, "requestId": way.id}
            await running.fail(known, event, way.end_meta(outcome))
            raise known from None
        finally:
            self._trim.soon()
        return outcome

    async def _collect(self, way: Way, running: RunningJob, outcome: Outcome, tell: Telling) -> None:
        """Take the provider's updates. A failure after the first picture is kept as a note beside it."""
        deadline = time.monotonic() + self._timeout
        job = Job(running.id, deadline, logging.getLogger(f"ima2.provider.{way.provider.id}"))
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._timeout):
                async with aclosing(_as_generator(way.updates(job))) as stream:
                    async for update in stream:
                        await self._take(update, way, running, outcome, tell)
        except TimeoutError:
            self._miss(outcome, Ima2Error("JOB_TIMEOUT", 504, "The job took longer than is allowed."))
        except Ima2Error as error:
            self._miss(outcome, error)
        except Exception as error:  # a bug of the provider: what came before it is kept all the same
            self._miss(outcome, crash(way.provider.id, error))
        if not outcome.made:
            raise next((one.error for one in outcome.failed if isinstance(one.error, Ima2Error)), way.nothing())

    async def _take(self, update: Update, way: Way, running: RunningJob, outcome: Outcome, tell: Telling) -> None:
        if running.over:
            return
        match update:
            case Phase(name):
                running.phase(name)
            case Partial(picture, index):
                tell("partial", {"image": picture, **way.preview(index)})
            case Artifact():
                running.note(way.noted(update))
                made = await self._keep(update, way, outcome)
                if way.tells_pictures and not running.over:
                    tell("image", way.picture_event(made, outcome))
            case Usage():
                outcome.add_usage(update)
            case Notice(code, text, details):
                outcome.warnings.append({"code": code, "message": text, **details})
            case Failed():
                self._miss(outcome, update.error, update.index)
            case Receipt():
                await running.keep(update, way.noted(update))
                if event := way.event_of(update):
                    tell(*event)
            case Progress(fraction, stalled):
                tell("progress", {"progress": fraction, "stalled": stalled})

    def _miss(self, outcome: Outcome, error: Exception, index: int | None = None) -> None:
        place = index if index is not None else len(outcome.made) + len(outcome.failed)
        outcome.failed.append(Failed(place, error))
        code = error.code if isinstance(error, Ima2Error) else "UNKNOWN"
        outcome.warnings.append({"code": "IMAGE_FAILED", "index": place, "reason": code})

    # -- keeping -------------------------------------------------------------------------------

    async def _keep(self, artifact: Artifact, way: Way, outcome: Outcome) -> Made:
        picture, extra = await way.as_asked(artifact, outcome)
        extension = EXTENSIONS[picture.media_type]
        created_at = now_ms()
        key = way.key(artifact.index, extension, created_at)
        facts = {**way.sidecar(artifact, created_at, extension, outcome), **extra, "version": VERSION}
        embedded = picture.media_type.startswith("image/")
        try:
            kept = await self.library.keep(key, picture, facts, embedded=embedded)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Ima2Error("STORAGE_FAILED", 507, f"The picture was made but could not be saved: {reason}.") from None
        made = Made(kept, replace(artifact, picture=kept.picture), created_at)
        outcome.made.append(made)
        outcome.made.sort(key=lambda made: made.artifact.index)
        return made

    async def _finish(self, way: Way, outcome: Outcome) -> None:
        """Write down what is known only at the end: what the job took."""
        elapsed = outcome.elapsed
        for made in outcome.made:
            share = outcome.share(made.artifact.index)
            tokens = dict(share.tokens) if share.tokens is not None else None
            facts = {"usage": tokens, "webSearchCalls": share.searches, "elapsed": elapsed, "cost": share.cost}
            await self.library.amend(made.kept, {**facts, **way.amendment(made, outcome)})


def crash(provider: str, error: Exception) -> Ima2Error:
    """What a bug of a provider looks like from outside. The log gets where it happened, never the message, which may
    quote a prompt."""
    where = "".join(traceback.format_tb(error.__traceback__)[-4:])
    log.error("provider %s crashed with %s\n%s", provider, type(error).__name__, where)
    return Ima2Error(
        "PROVIDER_CRASHED",
        500,
        f"The provider {provider} failed unexpectedly ({type(error).__name__}); the log says where.",
    )


def seen(task: asyncio.Task[Any]) -> None:
    """Take note of how a background job ended; its record has it all."""
    if not task.cancelled():
        task.exception()


async def _as_generator(updates: AsyncIterator[Update]) -> AsyncGenerator[Update, None]:
    """Any iterator as a generator that closes what it reads."""
    try:
        async for update in updates:
            yield update
    finally:
        close = getattr(updates, "aclose", None)
        if close is not None:
            await close()
