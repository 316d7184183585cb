"""Mending what a planner answered, card by card: what fits stays, what does not comes from the plain draft."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import ima2
from ima2_plugins.card_news.templates import Template

KINDS = ("headline", "body", "caption", "cta", "badge", "number")
PLACEMENTS = (
    "top-left top-center top-right center-left center center-right bottom-left bottom-center bottom-right free"
).split()
HIERARCHIES = ("primary", "secondary", "supporting")
_REPEATED = 4
"""Visible texts of so many characters must not stand in the description of the scene."""
_MOST_FIELDS = 8


def repair_cards(
    answer: Mapping[str, Any], plain: Sequence[Mapping[str, Any]], look: Template
) -> tuple[list[dict[str, ima2.Json]], list[dict[str, ima2.Json]]]:
    """The cards that the plain draft has, filled from the answer; and which fields of which card had to be mended."""
    given = answer.get("cards")
    rows = [one if isinstance(one, Mapping) else {} for one in given] if isinstance(given, list) else []
    cards, repairs = [], []
    for place, spare in enumerate(plain):
        row = _row_for(rows, place, str(spare["role"]))
        card, fields = _card(row, spare, look)
        cards.append(card)
        if fields:
            repairs.append({"card": card["id"], "fields": fields})
    if len(rows) > len(plain):
        repairs.append({"card": None, "fields": ["cards"]})
    return cards, repairs


def _row_for(rows: Sequence[Mapping[str, Any]], place: int, role: str) -> Mapping[str, Any]:
    """The answer's card for a role: at its place, else wherever that role stands alone."""
    if place < len(rows) and rows[place].get("role") == role:
        return rows[place]
    same = [row for row in rows if row.get("role") == role]
    if len(same) == 1:
        return same[0]
    return rows[place] if place < len(rows) else {}


def _card(row: Mapping[str, Any], spare: Mapping[str, Any], look: Template) -> tuple[dict[str, ima2.Json], list[str]]:
    card, wrong = dict(spare), []
    for name, least, most in (("headline", 1, 300), ("body", 0, 4000), ("visualPrompt", 1, 4000)):
        value = row.get(name)
        if isinstance(value, str) and least <= len(value.strip()) and len(value) <= most:
            card[name] = value.strip()
        else:
            wrong.append(name)
    if row.get("role") != spare["role"]:
        wrong.append("role")
    fields = _fields(row.get("textFields"), int(card["order"]), look)
    if fields is None:
        wrong.append("textFields")
        fields = [] if "headline" not in wrong else list(spare["textFields"])
    card["textFields"] = fields
    scene = without_words(card["visualPrompt"], [card["headline"], *(one["text"] for one in fields)])
    if scene != card["visualPrompt"]:
        wrong.append("visualPrompt")
        card["visualPrompt"] = scene or spare["visualPrompt"]
    return card, list(dict.fromkeys(wrong))


def _fields(value: Any, order: int, look: Template) -> list[dict[str, ima2.Json]] | None:
    """The text fields, or ``None`` where something does not fit."""
    if not isinstance(value, list) or len(value) > _MOST_FIELDS:
        return None
    found = [text_field(one, f"text_{order}_{place}", look) for place, one in enumerate(value, 1)]
    return [one for one in found if one is not None] if None not in found else None


def text_field(value: Any, id: str, look: Template, source: str = "planner") -> dict[str, ima2.Json] | None:
    """One text field in full, ``None`` where its text or what it is does not fit."""
    if not isinstance(value, Mapping) or not isinstance(value.get("text"), str) or value.get("kind") not in KINDS:
        return None
    slots = {slot.id: slot for slot in look.slots if slot.text}
    slot = slots.get(value["slotId"]) if isinstance(value.get("slotId"), str) else None
    most = value.get("maxChars")
    most = most if isinstance(most, int) and not isinstance(most, bool) and most > 0 else None
    language = value.get("language")
    placement = value.get("placement") if value.get("placement") in PLACEMENTS else None
    own = value.get("id")
    return {
        "id": own if isinstance(own, str) and 0 < len(own) <= 80 else id,
        "kind": value["kind"],
        "text": value["text"].strip()[:1000],
        "renderMode": "in-image" if value.get("renderMode") == "in-image" else "ui-only",
        "placement": placement or (slot.placement if slot else "free"),
        "slotId": slot.id if slot else None,
        "hierarchy": value["hierarchy"] if value.get("hierarchy") in HIERARCHIES else "supporting",
        "maxChars": most if most is not None else (slot.max_chars if slot and source == "planner" else None),
        "language": language[:20] if isinstance(language, str) else None,
        "source": value["source"] if value.get("source") in ("planner", "user") else source,
    }


def without_words(scene: str, texts: Sequence[str]) -> str:
    """A scene without the texts that are to be read on the card."""
    for text in sorted({one.strip() for one in texts}, key=len, reverse=True):
        if len(text) >= _REPEATED:
            scene = re.sub(re.escape(text), "", scene, flags=re.IGNORECASE)
    return " ".join(scene.split()).strip(" ,;:“”\"'")
