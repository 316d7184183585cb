"""Sets on disk: a folder of the gallery with pictures, ima2-gen's sidecars and one manifest, merged and never lost."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import ima2
from ima2 import web
from ima2_plugins.card_news.drafting import STRATEGY
from ima2_plugins.card_news.plan import Plan
from ima2_plugins.card_news.wire import FOLDER, SET_ID, alt_text, no_set, now_ms

log = logging.getLogger("ima2.card_news")
Manifest = dict[str, Any]
_SUMMARY = ("id", "order", "status", "textFields", "headline", "body", "imageFilename", "url", "altText")


class Sets:
    """The sets of a gallery. All ways in go through `SET_ID`, so that no id leads out of the folder."""

    def __init__(self, library: ima2.Library) -> None:
        self._library = library
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._names: dict[str, set[str]] = {}

    async def read(self, set_id: str) -> Manifest:
        """The manifest of a set. 404 ``CARD_NEWS_SET_NOT_FOUND``, for one that is no JSON too."""
        if not SET_ID.fullmatch(set_id):
            raise no_set()
        found = await self._find(set_id)
        if found is None:
            raise no_set()
        return found

    async def all(self) -> list[Manifest]:
        """Every set, newest first. One that cannot be read is left out."""
        ids = []
        async for stored in self._library.storage.list(f"{FOLDER}/"):
            folder, _, name = stored.key.removeprefix(f"{FOLDER}/").partition("/")
            if name == "manifest.json" and SET_ID.fullmatch(folder):
                ids.append(folder)
        found = [one for one in [await self._find(one) for one in ids] if one is not None]
        return sorted(found, key=lambda one: (-_time(one), one["setId"]))

    async def free_name(self, set_id: str, order: int) -> str:
        """A name for a card's file that no file has: a picture is never written over, an earlier one stays."""
        taken = self._names.setdefault(set_id, set())
        there = set()
        async for stored in self._library.storage.list(f"{FOLDER}/{set_id}/"):
            there.add(stored.key.rpartition("/")[2].partition(".")[0])
        number, name = 1, f"card-{order:02d}"
        while name in taken or name in there:
            number += 1
            name = f"card-{order:02d}-v{number}"
        taken.add(name)
        return name

    async def merge(self, plan: Plan, cards: Sequence[Mapping[str, Any]]) -> Manifest:
        """Write cards into the manifest: those of these ids are replaced, all others stay as they are."""
        async with self._locks.setdefault(plan.set_id, asyncio.Lock()):
            old = await self._find(plan.set_id) or {}
            known = {card["cardId"]: card for card in _cards(old)}
            for card in cards:
                known[card["cardId"]] = _over(known.get(card["cardId"]), card)
                await self._write_sidecar(plan.set_id, known[card["cardId"]])
            rows = sorted(known.values(), key=lambda card: (card.get("cardOrder") or 0, card["cardId"]))
            manifest = {**old, **_head(plan, old), "cardCount": len(rows), "updatedAt": now_ms(), "cards": rows}
            await self._library.storage.put(_path(plan.set_id, "manifest.json"), _bytes(manifest))
            await self.list_in_gallery(manifest)
        return manifest

    async def list_in_gallery(self, manifest: Manifest) -> None:
        """Show a set as a row of the gallery. That is a courtesy: its failure loses nothing."""
        rows = [
            {
                "url": url_of(manifest["setId"], card),
                "headline": card.get("headline"),
                "body": card.get("body"),
                "cardOrder": card.get("cardOrder"),
                "imageFilename": card.get("imageFilename"),
                "status": card.get("status") or "generated",
            }
            for card in _cards(manifest)
        ]
        facts = {
            **{name: manifest.get(name) for name in ("sessionId", "requestId", "setId", "size", "title")},
            "created_at": _time(manifest) or None,
            "headline": manifest.get("title"),
            "url": next((row["url"] for row in rows if row["url"]), ""),
            "format": "card-news-set",
            "kind": "card-news-set",
            "provider": manifest.get("provider") or "oauth",
            "media_type": None,
            "cards": rows,
        }
        try:
            await self._library.list_document(_path(manifest["setId"], "manifest.json"), facts)
        except Exception as error:
            log.warning("a set could not be listed in the gallery: %s", type(error).__name__)

    async def _find(self, set_id: str) -> Manifest | None:
        try:
            found = json.loads(await self._library.storage.get(_path(set_id, "manifest.json")))
        except KeyError:
            return None
        except (ValueError, RecursionError):
            log.warning("the manifest of a set is no JSON and is left out")
            return None
        return {**found, "setId": set_id} if isinstance(found, dict) else None

    async def _write_sidecar(self, set_id: str, card: Mapping[str, Any]) -> None:
        if card.get("sidecarFilename"):
            await self._library.storage.put(_path(set_id, card["sidecarFilename"]), _bytes(card))


def plan_of(manifest: Manifest) -> dict[str, ima2.Json]:
    """The plan of a set, from its manifest."""
    cards = []
    for card in _cards(manifest):
        error = card.get("error")
        row = {
            "id": card["cardId"],
            "order": card.get("cardOrder"),
            **{name: card.get(name) for name in ("role", "headline", "body", "visualPrompt", "imageFilename")},
            "textFields": card.get("textFields") or [],
            "references": card.get("references") or [],
            "locked": card.get("locked") is True,
            "status": card.get("status") or "generated",
            "altText": card.get("altText") or alt_text(card),
        }
        if error:
            row["error"] = error.get("message") if isinstance(error, Mapping) else str(error)
        if url := url_of(manifest["setId"], card):
            row["url"] = url
        cards.append(row)
    names = ("setId", "title", "topic", "imageTemplateId", "roleTemplateId", "size")
    return {
        **{name: manifest.get(name) for name in names},
        "generationStrategy": manifest.get("generationStrategy") or STRATEGY,
        "cards": cards,
    }


def summary_of(manifest: Manifest) -> dict[str, ima2.Json]:
    """A set as the list shows it."""
    set_id, cards = manifest["setId"], plan_of(manifest)["cards"]
    row = {
        "setId": set_id,
        "title": manifest.get("title"),
        "topic": manifest.get("topic"),
        "cardCount": manifest.get("cardCount", len(cards)),
        "createdAt": manifest.get("createdAt"),
        "sessionId": manifest.get("sessionId"),
        "manifestUrl": f"/api/cardnews/sets/{set_id}/manifest",
        "folderLabel": f"generated/{FOLDER}/{set_id}",
        "cards": [{name: card[name] for name in _SUMMARY if name in card} for card in cards],
    }
    url = next((card["url"] for card in cards if card.get("url")), None)
    return {**row, "url": url} if url else row


def url_of(set_id: str, card: Mapping[str, Any]) -> str:
    """Where a card's picture is; empty for a card without one."""
    name = card.get("imageFilename")
    return web.file_url(_path(set_id, name)) if isinstance(name, str) and name else ""


def _path(set_id: str, name: str) -> str:
    return f"{FOLDER}/{set_id}/{name}"


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace")


def _cards(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cards of a manifest that are any, those of ima2-gen too."""
    given = manifest.get("cards")
    rows = given if isinstance(given, list) else []
    return [one for one in rows if isinstance(one, dict) and isinstance(one.get("cardId"), str)]


def _over(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """A card's new state. Where no picture came the earlier one stays the card's."""
    if old is None or new.get("imageFilename") or not old.get("imageFilename"):
        return dict(new)
    names = ("imageFilename", "sidecarFilename", "generatedAt", "revisedPrompt")
    kept = {name: old.get(name) for name in names}
    return {**new, **kept, "status": "generated" if new.get("status") == "skipped" else new.get("status")}


def _head(plan: Plan, old: Manifest) -> Manifest:
    """What stands above the cards. A request for single cards changes no title, no topic and no template."""
    own = {
        "kind": "card-news-set",
        "setId": plan.set_id,
        "sessionId": plan.session_id,
        "requestId": plan.request_id,
        "title": plan.title or "Card news",
        "topic": plan.topic,
        "imageTemplateId": plan.image_template,
        "roleTemplateId": plan.role_template,
        "generationStrategy": STRATEGY,
        "size": plan.size,
        "createdAt": now_ms(),
    }
    if not old:
        return own
    new: Manifest = {"title": plan.title, "topic": plan.topic, "sessionId": plan.session_id}
    if {card["cardId"] for card in _cards(old)} <= {card["id"] for card in plan.cards}:
        names = ("requestId", "imageTemplateId", "roleTemplateId", "size")
        new |= {name: own[name] for name in names}
    return {**own, **old, **{name: value for name, value in new.items() if value}}


def _time(manifest: Mapping[str, Any]) -> int:
    value = manifest.get("createdAt")
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0
