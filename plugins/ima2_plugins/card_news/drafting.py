"""Drafts: the texts of a set, planned by a provider with words, mended card by card, or made without a model."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ima2
from ima2_plugins.card_news.plain_draft import plain_cards
from ima2_plugins.card_news.prompts import PLANNER, planner_prompt
from ima2_plugins.card_news.repair import repair_cards
from ima2_plugins.card_news.templates import ROLES, role_id, template
from ima2_plugins.card_news.wire import checked_set_id, refusal, ulid

if TYPE_CHECKING:
    from ima2_plugins.card_news.settings import CardNewsSettings

STRATEGY = "parallel-template-i2i"
_LIMITS = {"topic": 2000, "title": 300, "audience": 1000, "goal": 1000, "contentBrief": 20_000}
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
_RETRIED = frozenset({400, 415, 422})
"""Refusals that a schema may have caused: nothing was billed, and the same is asked once without it."""
_TEXT = {"type": "string"}
_FIELD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "text", "renderMode", "placement", "slotId", "hierarchy"],
    "properties": {
        "kind": {"type": "string", "enum": ["headline", "body", "caption", "cta", "badge", "number"]},
        "text": _TEXT,
        "renderMode": {"type": "string", "enum": ["in-image", "ui-only"]},
        "placement": {"type": "string", "enum": ["top-center", "center", "bottom-center", "top-left", "bottom-right"]},
        "slotId": {"type": ["string", "null"]},
        "hierarchy": {"type": "string", "enum": ["primary", "secondary", "supporting"]},
    },
}


def schema_of(roles: str) -> dict[str, ima2.Json]:
    """The JSON schema of an answer, strict: each field is required and no other is allowed."""
    count = len(ROLES[roles][1])
    card = {
        "type": "object",
        "additionalProperties": False,
        "required": ["order", "role", "headline", "body", "visualPrompt", "textFields"],
        "properties": {
            "order": {"type": "integer"},
            "role": {"type": "string", "enum": list(ROLES[roles][1])},
            "headline": _TEXT,
            "body": _TEXT,
            "visualPrompt": _TEXT,
            "textFields": {"type": "array", "items": _FIELD},
        },
    }
    cards = {"type": "array", "items": card, "minItems": count, "maxItems": count}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["title", "cards"],
        "properties": {"title": _TEXT, "cards": cards},
    }


async def draft(studio: ima2.Studio, settings: CardNewsSettings, body: Mapping[str, Any]) -> dict[str, ima2.Json]:
    """A plan and how it came about. Raises ``PLANNER_*`` where the planner fails and nothing may stand in for it."""
    fields = {name: _text(body, name, limit) for name, limit in _LIMITS.items()}
    look = template(body.get("imageTemplateId") or "academy-lesson-square")
    roles = role_id(body.get("roleTemplateId"))
    set_id = checked_set_id(body["setId"]) if body.get("setId") else f"cs_{ulid()}"
    plain = plain_cards(fields, look, roles)
    planner: dict[str, ima2.Json] = {"mode": "deterministic-fallback", "model": None, "repaired": False}
    title, cards = fields["title"] or fields["topic"] or "Card news", plain
    if not settings.planner_enabled:
        planner["reason"] = "PLANNER_DISABLED"
    else:
        try:
            answer, planner = await _ask_planner(studio, settings, body, planner_prompt(fields, look, roles), roles)
        except ima2.Ima2Error as error:
            if not settings.planner_fallback:
                raise
            planner["reason"] = error.code
        else:
            cards, repairs = repair_cards(answer, plain, look)
            planner |= {"repaired": bool(repairs), "repairs": repairs}
            title = fields["title"] or _title(answer) or title
    size = body.get("size") if isinstance(body.get("size"), str) and body.get("size") else "2048x2048"
    plan = {
        "setId": set_id,
        "title": title,
        "topic": fields["topic"],
        "imageTemplateId": look.id,
        "roleTemplateId": roles,
        "size": size,
        "generationStrategy": STRATEGY,
        "cards": cards,
    }
    return {"plan": plan, "planner": planner}


async def _ask_planner(
    studio: ima2.Studio, settings: CardNewsSettings, body: Mapping[str, Any], prompt: str, roles: str
) -> tuple[dict[str, Any], dict[str, ima2.Json]]:
    """What the planner answers: strictly by the schema, or once more as plain JSON where its upstream takes none."""
    provider = _planner(studio, str(body.get("provider") or settings.planner_provider or ""))
    known = {model.id for model in provider.capabilities.models}
    model = settings.planner_model if settings.planner_model in known else ""
    asked = ima2.TextRequest(prompt, provider.id, PLANNER, model, schema=schema_of(roles))
    mode = "structured-output"
    try:
        async with asyncio.timeout(settings.planner_timeout_ms / 1000):
            try:
                found = await studio.text(asked)
            except ima2.Ima2Error as error:
                if error.status not in _RETRIED or "SAFETY" in error.code:
                    raise
                mode, system = "json-mode", f"{PLANNER}\nThe schema: {json.dumps(asked.schema)}"
                found = await studio.text(ima2.TextRequest(prompt, provider.id, system, model))
    except TimeoutError:
        raise ima2.Ima2Error("PLANNER_UPSTREAM_FAILED", 502, "The planner did not answer in time.") from None
    except ima2.Ima2Error as error:
        raise _failure(error) from error
    return _parse(found.text), {"mode": mode, "model": found.model, "provider": provider.id}


def _planner(studio: ima2.Studio, name: str) -> ima2.Provider:
    """The provider that plans: the one named, else the default with words. Asked before anything is sent."""
    if name and name != "auto":
        return studio.provider(name)
    able = [one for one in studio.providers() if one.capabilities.text]
    try:
        default = studio.provider().id
    except ima2.Ima2Error:
        default = ""
    paid = [one for one in able if not one.free or one.id == default] or able
    paid.sort(key=lambda one: one.id != default)
    if not paid:
        raise ima2.Ima2Error("PLANNER_UNAVAILABLE", 503, "No provider here plans in words.")
    ready = next((one for one in paid if one.problem() is None), None)
    if ready is None:
        reasons = " ".join(f"{one.id}: {one.problem()}" for one in paid)
        raise ima2.Ima2Error("PLANNER_UNAVAILABLE", 503, f"No provider that plans in words is ready. {reasons}")
    return ready


def _failure(error: ima2.Ima2Error) -> ima2.Ima2Error:
    if error.code == "OAUTH_UNAVAILABLE":
        return error
    if error.code == "ANSWER_INVALID":
        return ima2.Ima2Error("PLANNER_INVALID_JSON", 502, "The planner's answer is no JSON.")
    if error.code in ("TEXT_UNSUPPORTED", "TEXT_NOT_READY") or error.code.endswith("_UNSUPPORTED"):
        return ima2.Ima2Error("PLANNER_UNAVAILABLE", 503, error.text)
    return ima2.Ima2Error("PLANNER_UPSTREAM_FAILED", 502, f"The planner failed. {error.text}", upstream_code=error.code)


def _parse(text: str) -> dict[str, Any]:
    fenced = _FENCE.match(text)
    try:
        answer = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        raise ima2.Ima2Error("PLANNER_INVALID_JSON", 502, "The planner's answer is no JSON.") from None
    if not isinstance(answer, dict):
        raise ima2.Ima2Error("PLANNER_SCHEMA_INVALID", 422, "The planner's answer is no JSON object.")
    return answer


def _title(answer: Mapping[str, Any]) -> str:
    title = answer.get("title")
    return " ".join(title.split())[:300] if isinstance(title, str) else ""


def _text(body: Mapping[str, Any], name: str, limit: int) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise refusal("INVALID_DRAFT", 400, f"{name} must be a text of at most {limit} characters.")
    return value.strip()
