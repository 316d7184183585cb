"""Drawing the cards of one set: some at once, each kept and written down by itself, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ima2
from ima2 import web
from ima2_plugins.card_news.drafting import STRATEGY
from ima2_plugins.card_news.job_store import CardJob
from ima2_plugins.card_news.plan import Card, Plan
from ima2_plugins.card_news.prompts import card_prompt
from ima2_plugins.card_news.wire import FOLDER, alt_text, now_ms, refusal

if TYPE_CHECKING:
    from ima2_plugins.card_news.feature import CardNews

log = logging.getLogger("ima2.card_news")
PART = "card-news-card"
PATIENCE_S, PAUSE_S = 120.0, 0.5
"""How long a card waits for a free place among the studio's jobs."""
RESTARTED = "SERVER_RESTARTED"
_STOPPING = frozenset({RESTARTED, "SHUTTING_DOWN"})


class Drawing:
    """One set on its way."""

    def __init__(self, feature: CardNews, plan: Plan) -> None:
        self._feature, self._plan = feature, plan
        self._studio, self._library = feature.ctx.studio, feature.ctx.library
        self._provider = provider_for(self._studio, plan.options.get("provider"))

    async def check(self) -> None:
        """Refuse now what each card would be refused for."""
        for card in self._plan.wanted:
            self._studio.check(await self._request(card))

    async def draw(self, job: CardJob, scope: ima2.JobScope) -> None:
        """Draw what is not drawn, and end the job by what came of it."""
        job.status = "running"
        await self._feature.store.save(job)
        scope.phase("streaming")
        locked = [self._entry(card, job.run_id, {"status": "skipped"}) for card in self._plan.cards if card["locked"]]
        if locked:
            await self._feature.sets.merge(self._plan, locked)
        gate = asyncio.Semaphore(self._plan.concurrency)
        left = [card for card in self._plan.wanted if job.cards[card["id"]]["status"] in ("queued", "generating")]
        try:
            async with asyncio.TaskGroup() as group:
                for card in left:
                    group.create_task(self._card(card, job, scope, gate))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        job.settle()
        await self._feature.store.save(job)

    # -- one card --------------------------------------------------------------------------------

    async def _card(self, card: Card, job: CardJob, scope: ima2.JobScope, gate: asyncio.Semaphore) -> None:
        async with gate:
            state = job.cards[card["id"]]
            try:
                found = await self._earlier(state) or await self._order(card, job, scope)
            except ima2.Ima2Error as error:
                if scope.canceled or error.code in _STOPPING:
                    raise ima2.Ima2Error(
                        RESTARTED, 503, "The server stopped; the job goes on at its next start."
                    ) from None
                code = "CARD_NEWS_EMPTY_IMAGE" if error.code == "EMPTY_RESPONSE" else error.code
                found = {"status": "error", "error": {"code": code, "message": error.text}}
            except Exception as error:
                log.exception("a card failed unexpectedly")
                text = f"The card failed unexpectedly ({type(error).__name__}); the log says where."
                found = {"status": "error", "error": {"code": "CARD_NEWS_CARD_FAILED", "message": text}}
            entry = self._entry(card, job.run_id, found)
            job.cards[card["id"]] = self._state(card, entry)
            await self._write_down(entry, job.cards[card["id"]])
            await self._feature.store.save(job)
            scope.tell("card", {"jobId": job.id, "setId": self._plan.set_id, "card": job.cards[card["id"]]})

    async def _write_down(self, entry: Mapping[str, Any], state: dict[str, ima2.Json]) -> None:
        """Into the manifest. The picture is in the gallery by now: where that fails the job says so, and goes on."""
        try:
            await self._feature.sets.merge(self._plan, [entry])
        except Exception as error:
            log.warning("a card could not be written into the manifest: %s", type(error).__name__)
            text = "The card could not be written into the set's manifest. Its picture is in the gallery."
            state["warning"] = {"code": "CARD_NEWS_MANIFEST_FAILED", "message": text}

    async def _order(self, card: Card, job: CardJob, scope: ima2.JobScope) -> dict[str, ima2.Json]:
        """Ask for a card's picture, as a part of the job. Its id is on record before anything is sent."""
        name = await self._feature.sets.free_name(self._plan.set_id, card["order"])
        part_id = f"{job.id}-{card['order']}-{secrets.token_hex(3)}"
        job.cards[card["id"]] |= {"status": "generating", "partId": part_id}
        await self._feature.store.save(job)
        label = ima2.Label(
            id=part_id,
            kind=PART,
            session_id=self._plan.session_id,
            parent=job.run_id,
            folder=f"{FOLDER}/{self._plan.set_id}",
            name=name,
            facts=self._facts(card),
            meta={"jobId": job.id, "setId": self._plan.set_id, "cardId": card["id"]},
        )
        request = await self._request(card)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                handle = await scope.submit(request, label)
            except ima2.Ima2Error as error:
                if error.code != "TOO_MANY_JOBS" or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)
            else:
                break
        output = (await handle.result()).kept[0]
        return self._outcome(output.key, output.artifact.revised_prompt, output.created_at)

    async def _earlier(self, state: Mapping[str, Any]) -> dict[str, ima2.Json] | None:
        """What came of a card that an earlier process had asked for; ``None`` where nothing was."""
        part_id = state.get("partId")
        if state["status"] != "generating" or not part_id:
            return None
        try:
            record = await self._studio.jobs.wait(part_id)
        except ima2.Ima2Error as error:
            if error.code == "JOB_NOT_FOUND":
                return None
            raise
        if record.status == "completed" and record.files:
            facts = (await self._library.get(record.files[0])).facts
            return self._outcome(record.files[0], facts.get("revised_prompt"), record.finished_at or now_ms())
        if record.error_code == RESTARTED:  # it ended before anything was ordered
            return None
        text = "The server stopped while this card was drawn, and no picture came of it."
        raise ima2.Ima2Error(record.error_code or "CARD_NEWS_CARD_FAILED", record.http_status or 502, text)

    @staticmethod
    def _outcome(key: str, revised: object, at: int) -> dict[str, ima2.Json]:
        name = key.rpartition("/")[2]
        return {"status": "generated", "imageFilename": name, "generatedAt": at, "revisedPrompt": revised or None}

    # -- what is asked and written ---------------------------------------------------------------

    async def _request(self, card: Card) -> ima2.ImageRequest:
        keys = [one for one in card["references"] if web.is_media_key(one)]
        options = self._plan.options
        fields = {
            **options,
            "provider": self._provider.id,
            "mode": options.get("promptMode") or options.get("mode") or "direct",
            "prompt": self._prompt(card),
            "size": self._plan.size,
            "references": [one for one in card["references"] if one not in keys],
        }
        body = web.ImageBody(fields, self._studio, "")
        body.choose_provider()
        body.choose_model()
        body.require_prompt()
        body.choose_image_options()
        body.choose_moderation()
        body.read_references()
        from ima2_plugins.card_news.artwork import base_picture

        base = await asyncio.to_thread(base_picture, self._plan.image_template)
        own = [await self._read_picture(key) for key in keys]
        return body.request(references=(base, *own, *body.references.pictures))

    async def _read_picture(self, key: str) -> ima2.Picture:
        """A picture of the gallery that a card refers to."""
        try:
            data = await self._library.read(key)
        except KeyError:
            raise refusal("REFERENCE_NOT_FOUND", 404, "A reference of a card is not in the gallery.") from None
        media_type = ima2.media_type_of(data) or ""
        if not media_type.startswith("image/"):
            raise refusal("REFERENCE_NOT_FOUND", 400, "A reference of a card is no picture.")
        return ima2.Picture(data, media_type)

    def _prompt(self, card: Card) -> str:
        return card_prompt(self._plan.look, card["visualPrompt"], card["textFields"])

    def _facts(self, card: Card) -> dict[str, ima2.Json]:
        """What the picture's own metadata says of the card."""
        return {
            "kind": PART,
            "set_id": self._plan.set_id,
            "card_id": card["id"],
            "card_order": card["order"],
            "title": self._plan.title,
            "role": card["role"],
            "headline": card["headline"],
            "body": card["body"],
            "alt_text": alt_text(card),
            "visual_prompt": card["visualPrompt"],
        }

    def _entry(self, card: Card, run_id: str, found: Mapping[str, Any]) -> dict[str, ima2.Json]:
        """A card as the manifest holds it."""
        image = found.get("imageFilename")
        stem = image.rpartition(".")[0] if image else f"card-{card['order']:02d}"
        return {
            "kind": PART,
            "setId": self._plan.set_id,
            "sessionId": self._plan.session_id,
            "requestId": run_id,
            "cardId": card["id"],
            "cardOrder": card["order"],
            "title": self._plan.title,
            **{name: card[name] for name in ("role", "headline", "body", "textFields", "visualPrompt", "locked")},
            "altText": alt_text(card),
            "references": [one for one in card["references"] if web.is_media_key(one)],
            "imageTemplateId": self._plan.image_template,
            "generationStrategy": STRATEGY,
            "templateBase": self._plan.look.base,
            "prompt": self._prompt(card),
            "provider": self._provider.id,
            "imageFilename": None,
            "sidecarFilename": f"{stem}.json",
            "error": None,
            "createdAt": now_ms(),
            "generatedAt": None,
            "revisedPrompt": None,
            **found,
        }

    def _state(self, card: Card, entry: Mapping[str, Any]) -> dict[str, ima2.Json]:
        """A card of a job once it is over."""
        state = {
            "id": card["id"],
            "order": card["order"],
            "status": entry["status"],
            **{name: card[name] for name in ("textFields", "headline", "body")},
            "altText": entry["altText"],
        }
        if entry["error"]:
            return {**state, "error": entry["error"]}
        made = {name: entry[name] for name in ("imageFilename", "generatedAt")}
        return {**state, **made, "url": web.file_url(f"{FOLDER}/{self._plan.set_id}/{entry['imageFilename']}")}


def provider_for(studio: ima2.Studio, name: object) -> ima2.Provider:
    """Who draws: the provider named, else the default one, else the first that is ready, as far as it takes the base
    picture. 400 ``CARD_NEWS_REFERENCES_UNSUPPORTED`` where none does."""
    if name not in (None, "", "auto"):
        chosen = studio.provider(name if isinstance(name, str) else "?")
        if "image" in chosen.capabilities.media and chosen.capabilities.max_references:
            return chosen
        raise _unable(f"Provider {chosen.id} takes no reference pictures, and a card needs one. Choose another.")
    try:
        default = [studio.provider()]
    except ima2.Ima2Error:
        default = []
    for one in [*default, *studio.providers("image", ready=True)]:
        if one.capabilities.max_references:
            return one
    raise _unable("No provider here takes reference pictures, and a card needs one.")


def _unable(text: str) -> ima2.Ima2Error:
    return refusal("REFERENCES_UNSUPPORTED", 400, text)
