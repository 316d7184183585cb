"""The studio: one request from admission to its end, whoever asked and whoever draws."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ima2 import interfaces
from ima2.aliases import REQUEST_ID
from ima2.catalogue import ranked
from ima2.contracts import Provider
from ima2.errors import Ima2Error, canceled
from ima2.events.publisher import Publisher
from ima2.interfaces import Checked, JobHandle, JobScope, JobView, Label, Limits, Policy, Request
from ima2.jobs.job_errors import failure, interrupted, outcome_unknown, suspended
from ima2.jobs.jobs import Jobs
from ima2.jobs.leases import Verdict
from ima2.jobs.record import UNKNOWN, Draft, JobRecord, now_ms
from ima2.jobs.runner import RunningJob
from ima2.kernel import guard
from ima2.kernel.guard import provider_failure
from ima2.kernel.registry import Registry
from ima2.library import Gallery
from ima2.models import ImageRequest, Json, Media, Receipt, TextRequest, TextResult, VideoRequest
from ima2.studio import providers, request_json
from ima2.studio.check import check_images, check_video
from ima2.studio.file_names import stamped
from ima2.studio.job_run import JobRun, Workplace
from ima2.studio.live_job import LiveJob
from ima2.studio.memory import Trim
from ima2.studio.own_job import run_own
from ima2.studio.policies import Policies
from ima2.studio.recovery import expected_files, judge, stored_outputs

log = logging.getLogger("ima2.studio")
UNBILLED = frozenset({400, 401, 403, 404, 409, 413, 429})
"""Refusals of an upstream that cannot have been billed."""
TEXT_S = 180.0
"""Seconds a provider may take to answer in words."""


class Studio(interfaces.Studio):
    """Runs jobs: asks the provider, keeps what comes, tells what happens, and says how it ended."""

    jobs: Jobs
    views: MutableMapping[str, Callable[[Request | None, Label], JobView]]

    def __init__(
        self,
        registry: Registry,
        jobs: Jobs,
        library: Gallery,
        publisher: Publisher,
        *,
        default_provider: str = "",
        place: Workplace | None = None,
        limits: Limits | None = None,
        views: MutableMapping[str, Callable[[Request | None, Label], JobView]] | None = None,
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self.registry, self.jobs, self.library = registry, jobs, library
        self.views = {} if views is None else views
        self.limits = limits or Limits()
        self.place = place or Workplace(library)
        self._publisher, self._default = publisher, default_provider
        self._policies = Policies(policies or {})
        self._trim = Trim()
        self._tails: set[asyncio.Task[None]] = set()
        jobs.describe = self.describe

    # -- asking ----------------------------------------------------------------------------------

    def providers(self, media: Media | None = None, *, ready: bool = False) -> Sequence[Provider]:
        found = [one for one in ranked(self.registry) if media is None or media in one.capabilities.media]
        return [one for one in found if not ready or guard.problem(one) is None]

    def provider(self, id: str | None = None, media: Media = "image") -> Provider:
        choose = providers.video_provider if media == "video" else providers.image_provider
        return choose(self.registry, self._default, id)

    def check(self, request: Request) -> Checked:
        if isinstance(request, VideoRequest):
            return check_video(request, self.provider(request.provider, "video"))
        return check_images(request, self.provider(request.provider))

    async def text(self, request: TextRequest) -> TextResult:
        provider = providers.text_provider(self.registry, self._default, request.provider)
        ask = partial(provider.text, replace(request, provider=provider.id))
        try:
            return await guard.call(provider.id, ask, TextResult, TEXT_S)
        except Ima2Error as error:
            if error.code != "PROVIDER_TIMEOUT":
                raise
            raise Ima2Error("TEXT_TIMEOUT", 504, f"{provider.title} did not answer within {TEXT_S:g} s.") from None

    # -- jobs ------------------------------------------------------------------------------------

    async def submit(self, request: Request, label: Label | None = None, *, queue: bool = False) -> JobHandle:
        label = label or Label()
        label = replace(label, id=label.id or new_id(), extra=stamped(label.extra, now_ms()))
        rewritten, notices = await self._policies.rewrite(request, label)
        label = self._policies.label_of(request, rewritten, label)
        checked = self.check(rewritten)
        checked = replace(checked, notices=[*notices, *checked.notices])
        if (blocked := self.library.writable()) and not label.direct:
            raise Ima2Error(
                "STORAGE_NOT_WRITABLE", 507, f"Nothing was sent: the gallery cannot be written to. {blocked}"
            )
        await self._policies.check(checked.request, label)
        await self._policies.reserve(label.id, checked.request, label, checked.estimate)
        try:
            running = await self.jobs.admit(self._draft(checked.request, label), queue=queue)
        except BaseException:
            await self._policies.settle(label.id, 0.0, known=True)
            raise
        live = self._live(running, label)
        await self._keep_inputs(live, checked.request)
        self._start(live, checked.request, label, self._run(live, checked, label))
        return live

    async def run(self, label: Label, work: Callable[[JobScope], Awaitable[Mapping[str, Json]]]) -> JobHandle:
        label = replace(label, id=label.id or new_id())
        draft = Draft(label.id, label.kind, str(label.facts.get("prompt", "")), self._meta(label))
        running = await self.jobs.admit(replace(draft, client=label.client, session_id=label.session_id))
        live = self._live(running, label)
        self._start(live, None, label, run_own(self, live, self.view(None, label), work))
        return live

    def view(self, request: Request | None, label: Label) -> JobView:
        """How a job reads to its clients."""
        return self.views.get(label.view or label.kind, JobView)(request, label)

    def _draft(self, request: Request, label: Label) -> Draft:
        return Draft(
            label.id,
            label.kind,
            str(label.facts.get("user_prompt", request.prompt)),
            self._meta(label),
            request_json.dump(label.id, request, label),
            client=label.client,
            session_id=label.session_id,
            direct=label.direct,
        )

    @staticmethod
    def _meta(label: Label) -> dict[str, Json]:
        return {"kind": label.kind, "session_id": label.session_id, **label.meta}

    def _live(self, running: RunningJob, label: Label) -> LiveJob:
        publisher = self._publisher
        return LiveJob(running, self.jobs, publisher.publish, publisher.origin, direct=label.direct)

    # -- running ---------------------------------------------------------------------------------

    def _start(self, live: LiveJob, request: Request | None, label: Label, work: Coroutine[Any, Any, None]) -> None:
        task = self.jobs.start(live.running, work)
        task.add_done_callback(lambda task: self._settle(task, live, request, label))

    async def _run(self, live: LiveJob, checked: Checked, label: Label, receipt: Receipt | None = None) -> None:
        """Run a job to its end, which is recorded and told whatever happens."""
        run = JobRun(live, checked, label, self.view(checked.request, label), self.place, receipt)
        try:
            if run.view.first_phase:
                live.running.phase(run.view.first_phase)
            if receipt is None and (begun := run.view.started()):
                live.tell(*begun)
            await run.collect()
            await run.finish()
            await self._complete(run)
        except Exception as error:
            await self._fail(run, provider_failure(checked.provider.id, error))
        finally:
            live.cost = run.usage.cost
            self._trim.soon()

    async def _complete(self, run: JobRun) -> None:
        data = run.view.done(run.result())
        result = run.result(data)
        if await run.live.running.complete(run.view.record(result), data, run.view.http_status(result)):
            run.live.finish(result)

    async def _fail(self, run: JobRun, error: Ima2Error) -> None:
        result, error = run.result(), run.view.translate(error)
        data = {**run.view.error(error, result), "status": error.status, REQUEST_ID: run.live.id}
        if error.status in UNBILLED and error.code != "EMPTY_RESPONSE" and not run.kept:
            await run.live.running.clear_order()
        if await run.live.running.fail(error, data, run.view.record(result, error)):
            run.live.fail(error, data)

    def _settle(self, task: asyncio.Task[Any], live: LiveJob, request: Request | None, label: Label) -> None:
        """The work is over, or never began: followers are told, and what was set aside for it is given back."""
        error = canceled() if task.cancelled() else task.exception() or live.running.error
        if error is None and live.running.suspended:  # its work went on to its end, deaf to being stopped
            error = suspended()
        if isinstance(error, Ima2Error):
            live.fail(error, self._describe(request, label, error))
        elif error is not None:
            crashed = interrupted()
            live.fail(crashed, self._describe(request, label, crashed))
        if request is not None and not live.running.suspended:
            tail = asyncio.create_task(self._clear_up(live, request))
            self._tails.add(tail)
            tail.add_done_callback(self._tails.discard)

    async def _clear_up(self, live: LiveJob, request: Request) -> None:
        await self._forget_inputs(live, request)
        await self._policies.settle(live.id, live.cost, known=live.running.record.status != UNKNOWN)

    def _describe(self, request: Request | None, label: Label, error: Ima2Error) -> dict[str, Json]:
        return {**self.view(request, label).error(error), "status": error.status, REQUEST_ID: label.id}

    def describe(self, record: JobRecord, error: Ima2Error) -> Mapping[str, Json]:
        """How an end that comes from outside the work (a cancellation, a restart) reads to the job's clients."""
        try:
            return self._describe(*request_json.parse(record.request), error)
        except (KeyError, TypeError, AssertionError):
            return failure(record, error)

    async def close(self) -> None:
        """Wait for what is still cleared up behind ended jobs."""
        await asyncio.gather(*self._tails, return_exceptions=True)

    # -- pictures that go in ---------------------------------------------------------------------

    async def _keep_inputs(self, live: LiveJob, request: Request) -> None:
        """Put the pictures of a request where a next process finds them, should this one die."""
        for key, data in request_json.pictures(live.id, request).items():
            try:
                await self.library.storage.put(key, data)
            except Exception as error:
                log.warning("an input of job %s could not be kept (%s)", live.id, type(error).__name__)
                return

    async def _forget_inputs(self, live: LiveJob, request: Request) -> None:
        for key in request_json.pictures(live.id, request):
            try:
                await self.library.storage.delete(key)
            except KeyError:
                continue
            except Exception as error:
                log.warning("an input of job %s could not be removed (%s)", live.id, type(error).__name__)

    # -- after a restart -------------------------------------------------------------------------

    def verdict(self, record: JobRecord) -> Verdict:
        """What becomes of a job when this process goes away."""
        return judge(record, self.registry)

    def verdict_after_death(self, record: JobRecord) -> Verdict:
        """What becomes of a job whose process is gone."""
        return judge(record, self.registry, died=True)

    async def resume(self, running: RunningJob) -> None:
        """Go on with a job that was taken over from a process that went away."""
        record, again = running.record, running.verdict == "rerun"
        try:
            request, label = request_json.parse(record.request)
            if again:
                request = await request_json.with_inputs(request, record.request, self.library.storage)
            media: Media = "image" if isinstance(request, ImageRequest) else "video"
            checked = self.check(request) if again else Checked(request, self.provider(request.provider, media))
        except (Ima2Error, KeyError, TypeError) as error:
            known = error if isinstance(error, Ima2Error) else interrupted()
            log.warning("job %s cannot go on: %s", record.id, type(error).__name__)
            await running.fail(known, self.jobs.describe(record, known))
            return
        live = self._live(running, label)
        work = self._complete_stored if running.verdict == "complete" else self._run
        self._start(live, request, label, work(live, checked, label, record.receipt))

    async def _complete_stored(
        self, live: LiveJob, checked: Checked, label: Label, receipt: Receipt | None = None
    ) -> None:
        """End a job whose files were kept before its process died. What is missing may have been billed."""
        run = JobRun(live, checked, label, self.view(checked.request, label), self.place, receipt)
        run.kept = await stored_outputs(
            self.library, live.running.record, checked.request, label, self.place.name_bytes
        )
        if len(run.kept) >= expected_files(checked.request):
            await self._complete(run)
            return
        free = checked.provider.free
        error = interrupted() if free else outcome_unknown()
        data = {**run.view.error(error, run.result()), "status": error.status, REQUEST_ID: live.id}
        status = "" if free else UNKNOWN
        await live.running.fail(error, data, run.view.record(run.result(), error), status=status)
        live.fail(error, data)


def new_id() -> str:
    """An id for a job that its caller gave none."""
    return f"job_{secrets.token_hex(8)}"
