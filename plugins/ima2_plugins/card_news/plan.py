"""A set that is to be drawn: what a client sends, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ima2
from ima2_plugins.card_news.drafting import STRATEGY
from ima2_plugins.card_news.repair import text_field
from ima2_plugins.card_news.templates import Template, role_id, template
from ima2_plugins.card_news.wire import CARD_ID, checked_set_id, refusal, ulid

MOST_CARDS, MOST_FIELDS, MOST_REFERENCES = 20, 20, 4
Card = dict[str, Any]


@dataclass(slots=True)
class Plan:
    """A set and its cards (wire JSON). ``options`` are the fields of a request for pictures, as they were sent;
    ``locked`` cards are written down and not drawn."""

    set_id: str
    title: str
    topic: str | None
    image_template: str
    role_template: str
    size: str
    session_id: str | None = None
    request_id: str = ""
    concurrency: int = 2
    cards: list[Card] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def look(self) -> Template:
        """The template."""
        return template(self.image_template)

    @property
    def wanted(self) -> list[Card]:
        """The cards that are to be drawn."""
        return [card for card in self.cards if not card["locked"]]


_OPTIONS = (
    "provider model quality moderation format promptMode mode reasoningEffort webSearch options allowUnknownModel"
)


def read_plan(body: Mapping[str, Any], cards: Sequence[Any] | None = None) -> Plan:
    """Check a body. Raises 400 ``CARD_NEWS_CARDS_REQUIRED``, ``CARD_NEWS_BAD_CARD``, ``CARD_NEWS_BAD_SET_ID`` and those
    of templates."""
    given = body.get("cards") if cards is None else cards
    if not isinstance(given, list | tuple) or not given:
        raise refusal("CARDS_REQUIRED", 400, "cards are required.")
    if len(given) > MOST_CARDS:
        raise refusal("TOO_MANY_CARDS", 400, f"A set may have {MOST_CARDS} cards at most.")
    look = template(body.get("imageTemplateId") or "academy-lesson-square")
    plan = Plan(
        checked_set_id(body["setId"]) if body.get("setId") else f"cs_{ulid()}",
        _text(body.get("title"), "title", 300),
        _text(body.get("topic"), "topic", 2000) or None,
        look.id,
        role_id(body.get("roleTemplateId")),
        _text(body.get("size"), "size", 20) or "2048x2048",
        _text(body.get("sessionId"), "sessionId", 160) or None,
        _text(body.get("requestId"), "requestId", 128),
        _concurrency(body.get("concurrency")),
        [_card(one, place, look) for place, one in enumerate(given, 1)],
        {name: body[name] for name in _OPTIONS.split() if body.get(name) is not None},
    )
    if len({card["id"] for card in plan.cards}) < len(plan.cards):
        raise refusal("BAD_CARD", 400, "Two cards have the same id.")
    if not plan.wanted:
        raise refusal("CARDS_REQUIRED", 400, "cards are required: all of these are locked.")
    return plan


def plan_json(plan: Plan) -> dict[str, ima2.Json]:
    """A plan as it is stored, without what is known of its drawing."""
    return {
        "setId": plan.set_id,
        "title": plan.title,
        "topic": plan.topic,
        "imageTemplateId": plan.image_template,
        "roleTemplateId": plan.role_template,
        "size": plan.size,
        "generationStrategy": STRATEGY,
        "sessionId": plan.session_id,
        "requestId": plan.request_id,
        "concurrency": plan.concurrency,
        "cards": plan.cards,
        **plan.options,
    }


def _card(value: Any, place: int, look: Template) -> Card:
    if not isinstance(value, Mapping):
        raise refusal("BAD_CARD", 400, "Each card must be an object.")
    card_id = value.get("id") or f"card_{place}"
    order = value.get("order")
    if not isinstance(card_id, str) or not CARD_ID.fullmatch(card_id):
        raise refusal("BAD_CARD", 400, "A card's id may hold 1 to 80 of A-Z, a-z, 0-9, _ and -.")
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= 999:
        order = place
    headline = _text(value.get("headline"), "headline", 1000)
    visual = _text(value.get("visualPrompt"), "visualPrompt", 8000)
    return {
        "id": card_id,
        "order": order,
        "role": _text(value.get("role"), "role", 80),
        "headline": headline,
        "body": _text(value.get("body"), "body", 8000),
        "visualPrompt": visual or headline or "a calm scene that suits the card",
        "textFields": _fields(value.get("textFields"), order, look),
        "references": _references(value.get("references")),
        "locked": value.get("locked") is True,
    }


def _fields(value: Any, order: int, look: Template) -> list[dict[str, ima2.Json]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST_FIELDS:
        raise refusal("BAD_CARD", 400, f"textFields must be a list of at most {MOST_FIELDS}.")
    found = [text_field(one, f"text_{order}_{place}", look, "user") for place, one in enumerate(value, 1)]
    if None in found:
        raise refusal("BAD_CARD", 400, "Each of textFields needs a text and a known kind.")
    return [one for one in found if one is not None]


def _references(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST_REFERENCES:
        raise refusal("BAD_CARD", 400, f"references of a card must be a list of at most {MOST_REFERENCES}.")
    if not all(isinstance(one, str) for one in value):
        raise refusal("BAD_CARD", 400, "references must be names of files of the gallery, or base64 pictures.")
    return list(value)


def _concurrency(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 2
    return min(max(value, 1), 4)


def _text(value: Any, name: str, limit: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise refusal("BAD_CARD", 400, f"{name} must be a text of at most {limit} characters.")
    return value.strip()
