"""Card news at work: jobs that draw the cards of a set, a restart's leftovers, and answers about both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import ima2
from ima2_plugins.card_news.drawing import RESTARTED, Drawing
from ima2_plugins.card_news.job_store import CardJob, JobStore
from ima2_plugins.card_news.plan import Plan, plan_json, read_plan
from ima2_plugins.card_news.sets import Sets, url_of
from ima2_plugins.card_news.wire import now_ms, refusal, ulid

log = logging.getLogger("ima2.card_news")
KIND = "card-news"
MOST_AT_ONCE = 4
"""Sets that are drawn at once: each takes a place among the studio's jobs beside its cards."""
_DAY_MS = 86_400_000


class CardNews:
    """The feature of one process."""

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self.ctx = ctx
        self.sets = Sets(ctx.library)
        self.store = JobStore(ctx.database)
        self._live: dict[str, CardJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Look after what an earlier process left, in the background."""
        self._later(self._wake())

    async def close(self) -> None:
        """Stop looking; jobs end, or are left to the next process, by themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wake(self) -> None:
        try:
            for job in await self.store.open_jobs():
                if job.id not in self._live:
                    self._later(self._go_on(job))
            await self.store.forget(now_ms() - self.ctx.settings.job_days * _DAY_MS)
            for manifest in await self.sets.all():
                await self.sets.list_in_gallery(manifest)
        except Exception as error:
            log.warning("what an earlier process left could not be looked after: %s", type(error).__name__)

    async def _go_on(self, job: CardJob) -> None:
        """Take a job over once its run is over: it waits while another living process is at it."""
        with contextlib.suppress(ima2.Ima2Error):
            record = await self.ctx.studio.jobs.wait(job.run_id)
            if record.status == "canceled":
                await self._cancel(job)
                return
        while True:
            try:
                await self._resume(job)
            except ima2.Ima2Error as error:
                if error.status != 429:
                    log.warning("a card news job cannot go on: %s", error.code)
                    return
                await asyncio.sleep(2)
            else:
                return

    async def _resume(self, job: CardJob) -> None:
        """Draw what is left of a job whose process is gone."""
        if len(self._live) >= MOST_AT_ONCE:
            raise _busy()
        newest = await self.store.get(job.id)
        run_id = f"{job.id}_{secrets.token_hex(3)}"
        if newest is None or not newest.open or not await self.store.take_over(newest, run_id):
            return
        plan = read_plan(newest.plan)
        await self._run(newest, plan)

    # -- asking ----------------------------------------------------------------------------------

    async def create(self, plan: Plan) -> tuple[CardJob, ima2.JobHandle]:
        """Start a job over the cards that are not locked. Raises what refuses it: 400 for a provider that takes no
        references or for an option, 429 where too much runs."""
        drawing = Drawing(self, plan)
        await drawing.check()
        states = {card["id"]: state_of(card) for card in plan.cards}
        job = CardJob(f"cj_{ulid()}", "", "queued", {}, states)
        job.run_id = plan.request_id = self._run_id(plan.request_id, job.id)
        job.plan = plan_json(plan)
        if len(self._live) >= MOST_AT_ONCE:
            raise _busy()
        return job, await self._run(job, plan)

    async def generate(self, plan: Plan) -> dict[str, ima2.Json]:
        """Draw a set and wait: its manifest, and the cards of this run."""
        plan.request_id = plan.request_id or f"req_{uuid.uuid4()}"
        _, handle = await self.create(plan)
        await handle.result()
        manifest = await self.sets.read(plan.set_id)
        wanted = {card["id"] for card in plan.wanted}
        cards = [
            {**card, "id": card["cardId"], "order": card["cardOrder"], "url": url_of(plan.set_id, card)}
            for card in manifest["cards"]
            if card["cardId"] in wanted
        ]
        return {"setId": plan.set_id, "requestId": handle.id, "manifest": manifest, "cards": cards}

    async def regenerate(self, card_id: str, body: Mapping[str, Any]) -> dict[str, ima2.Json]:
        """Draw one card again, as the body has it, else as the set has it. All others stay."""
        given = body.get("cards") if isinstance(body.get("cards"), list) else [body.get("card")]
        cards = [one for one in given or () if isinstance(one, Mapping) and one.get("id") == card_id]
        fields = dict(body)
        if body.get("setId"):
            with contextlib.suppress(ima2.Ima2Error):
                manifest = await self.sets.read(str(body["setId"]))
                named = ("imageTemplateId", "roleTemplateId", "size")
                fields = {**{name: manifest.get(name) for name in named}, **body}
                cards = cards or [
                    {**one, "id": card_id, "order": one.get("cardOrder")}
                    for one in manifest.get("cards", ())
                    if isinstance(one, Mapping) and one.get("cardId") == card_id
                ]
        return await self.generate(read_plan(fields, cards))

    async def job(self, job_id: str) -> CardJob:
        """A job, running or ended. 404 ``CARD_NEWS_JOB_NOT_FOUND``."""
        found = self._live.get(job_id) or await self.store.get(job_id)
        if found is None:
            raise refusal("JOB_NOT_FOUND", 404, "There is no such card news job.")
        return found

    async def retry(self, job_id: str, card_ids: list[str] | None) -> CardJob:
        """Draw failed cards again: those named, else all. 409 ``CARD_NEWS_JOB_RUNNING`` while the job is at work."""
        job = await self.job(job_id)
        if job.open:
            raise refusal("JOB_RUNNING", 409, "The job is still at work. Wait for its end, or cancel it.")
        failed = [name for name, card in job.cards.items() if card["status"] == "error"]
        wanted = [name for name in failed if card_ids is None or name in card_ids]
        if not wanted:
            return job
        if len(self._live) >= MOST_AT_ONCE:
            raise _busy()
        plan = read_plan(job.plan)
        await Drawing(self, plan).check()
        for card in plan.cards:
            if card["id"] in wanted:
                job.cards[card["id"]] = state_of(card)
        job.status, job.run_id = "queued", f"{job.id}_{secrets.token_hex(3)}"
        await self._run(job, plan)
        return job

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, job: CardJob, plan: Plan) -> ima2.JobHandle:
        plan.request_id = job.run_id
        meta = {"jobId": job.id, "setId": plan.set_id, "cards": len(plan.cards)}
        facts = {"prompt": plan.title or plan.topic or "Card news"}
        label = ima2.Label(id=job.run_id, kind=KIND, session_id=plan.session_id, facts=facts, meta=meta)
        self._live[job.id] = job
        try:
            await self.store.save(job)
            return await self.ctx.studio.run(label, lambda scope: self._work(job, plan, scope))
        except BaseException:
            self._live.pop(job.id, None)
            await self._fail_open(job, "CARD_NEWS_NOT_STARTED", "The job could not be started.")
            raise

    async def _work(self, job: CardJob, plan: Plan, scope: ima2.JobScope) -> dict[str, ima2.Json]:
        try:
            await Drawing(self, plan).draw(job, scope)
        except asyncio.CancelledError:
            record = self.ctx.studio.jobs.get(job.run_id)
            if record is not None and record.status == "canceled":
                await self._cancel(job)
            raise
        except ima2.Ima2Error as error:
            if error.code != RESTARTED:
                await self._fail_open(job, error.code, error.text)
            raise
        except Exception:
            await self._fail_open(job, "CARD_NEWS_CARD_FAILED", "The job failed unexpectedly; the log says where.")
            raise
        finally:
            self._live.pop(job.id, None)
        names = ("jobId", "setId", "status", "total", "generated", "errors")
        summary = job.summary()
        return {name: summary[name] for name in names}

    async def _cancel(self, job: CardJob) -> None:
        await self._fail_open(job, "GENERATION_CANCELED", "The job was canceled.")

    async def _fail_open(self, job: CardJob, code: str, text: str) -> None:
        for state in job.cards.values():
            if state["status"] in ("queued", "generating"):
                state |= {"status": "error", "error": {"code": code, "message": text}}
        job.settle()
        await self.store.save(job)

    def _run_id(self, asked: str, job_id: str) -> str:
        """The id of the studio's job: the one asked for, unless a job had it before. Each run has its own."""
        plausible = asked and len(asked) <= 128 and all(one.isalnum() or one in "._:-" for one in asked)
        if not asked:
            return job_id
        return asked if plausible and self.ctx.studio.jobs.get(asked) is None else f"req_{uuid.uuid4()}"

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def state_of(card: Mapping[str, Any]) -> dict[str, ima2.Json]:
    """A card of a job before anything happened to it."""
    status = "skipped" if card["locked"] else "queued"
    return {"id": card["id"], "order": card["order"], "status": status, "textFields": card["textFields"]}


def _busy() -> ima2.Ima2Error:
    text = f"{MOST_AT_ONCE} sets are being drawn. Wait until one is done."
    return ima2.Ima2Error("TOO_MANY_JOBS", 429, text, retry_after=5.0)
