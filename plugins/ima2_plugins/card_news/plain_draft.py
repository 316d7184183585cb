"""A draft without a model: the brief's own sentences, one a card. It invents nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

import ima2
from ima2_plugins.card_news.templates import ROLES, Slot, Template

_SENTENCE = re.compile(r"[^\n.!?。！？]+[.!?。！？]*")
_SCENES = {
    "hook": "one large object that stands for the matter, seen close",
    "cover": "one large object that stands for the matter, seen close",
    "core": "the central thing alone on a clear ground",
    "problem": "the same place with something in the way",
    "data": "a few simple shapes that grow from left to right",
    "example": "one person dealing with the matter, from the side",
    "summary": "the things of the earlier cards in one calm row",
    "cta": "an open path that leads out of the picture",
}
_OTHER = "a simple still life with one idea, plenty of space"


def plain_cards(fields: Mapping[str, str], look: Template, roles: str) -> list[dict[str, ima2.Json]]:
    """The cards of a plan, by rule: the first bears the title, the others follow the brief."""
    title = fields["title"] or fields["topic"] or "Card news"
    source = fields["contentBrief"] or fields["goal"]
    sentences = [one.strip() for one in _SENTENCE.findall(source) if one.strip()]
    order = ROLES[roles][1]
    cards = []
    for place, role in enumerate(order):
        share = _share(sentences, place, len(order))
        headline = title if place == 0 or not share else _short(share[0], 60)
        body = " ".join(share) or (fields["goal"] if place == len(order) - 1 else "")
        cards.append(card(look, place + 1, role, headline, body, _SCENES.get(role, _OTHER)))
    return cards


def card(look: Template, order: int, role: str, headline: str, body: str, visual: str) -> dict[str, ima2.Json]:
    """One card in the shape of a plan, its headline drawn in the title's slot."""
    slot = next(one for one in look.slots if one.id == "title")
    return {
        "id": f"card_{order}",
        "order": order,
        "role": role,
        "headline": headline,
        "body": body,
        "visualPrompt": visual,
        "textFields": [text_field(f"text_{order}_1", slot, _short(headline, slot.max_chars or 60))],
        "templateSlotAssignments": {"title": "headline", "body": "body", "image": "visual"},
        "references": [],
        "locked": False,
        "status": "draft",
    }


def text_field(id: str, slot: Slot, text: str) -> dict[str, ima2.Json]:
    """A text that is drawn in a slot."""
    return {
        "id": id,
        "kind": slot.text,
        "text": text,
        "renderMode": "in-image",
        "placement": slot.placement,
        "slotId": slot.id,
        "hierarchy": "primary" if slot.id == "title" else "supporting",
        "maxChars": slot.max_chars,
        "language": None,
        "source": "planner",
    }


def _share(sentences: list[str], place: int, cards: int) -> list[str]:
    """The sentences of one card: all are used once and in order, some a card where there are many."""
    first, end = place * len(sentences) // cards, (place + 1) * len(sentences) // cards
    return sentences[first:end]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
