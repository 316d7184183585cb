"""Drafts: a planner's answer is mended card by card, a failure is told, and a draft by rule invents nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.card_news.conftest import Ask, Planner

import ima2
from ima2_plugins.card_news.plain_draft import plain_cards
from ima2_plugins.card_news.repair import without_words
from ima2_plugins.card_news.templates import LESSON

ROLES = ("hook", "core", "cta")
BRIEF = {"topic": "harbours", "roleTemplateId": "short-3"}


def row(place: int, **more: Any) -> dict[str, Any]:
    field = {"kind": "headline", "text": f"H{place}", "renderMode": "in-image", "placement": "top-center"}
    return {
        "order": place,
        "role": ROLES[place - 1],
        "headline": f"Head {place}",
        "body": f"Body {place}",
        "visualPrompt": "a quiet quay",
        "textFields": [{**field, "slotId": "title", "hierarchy": "primary"}],
        **more,
    }


def answer(*rows: Any) -> dict[str, Any]:
    return {"title": "Of harbours", "cards": list(rows) or [row(1), row(2), row(3)]}


async def test_a_good_answer_stays_as_it_is(ask: Ask, planner: Planner) -> None:
    planner.answers = [answer()]
    found = await ask("POST", "draft", BRIEF)
    assert found["planner"] == {
        "mode": "structured-output",
        "model": "p-words",
        "provider": "planner",
        "repaired": False,
        "repairs": [],
    }
    plan = found["plan"]
    assert (plan["title"], plan["topic"], plan["setId"][:3]) == ("Of harbours", "harbours", "cs_")
    assert [(one["id"], one["role"], one["headline"], one["locked"]) for one in plan["cards"]] == [
        ("card_1", "hook", "Head 1", False),
        ("card_2", "core", "Head 2", False),
        ("card_3", "cta", "Head 3", False),
    ]
    assert planner.requests[0].schema is not None
    assert planner.requests[0].model == "", "a model of another provider is not asked for"


async def test_a_wrong_card_is_mended_and_the_others_stay(ask: Ask, planner: Planner) -> None:
    planner.answers = [answer(row(1), {"role": "core", "headline": 7, "body": "Body 2", "textFields": "x"}, row(3))]
    found = await ask("POST", "draft", BRIEF)
    assert found["planner"]["repairs"] == [{"card": "card_2", "fields": ["headline", "visualPrompt", "textFields"]}]
    cards = found["plan"]["cards"]
    assert (cards[0]["headline"], cards[1]["body"], cards[2]["headline"]) == ("Head 1", "Body 2", "Head 3")
    assert all(isinstance(cards[1][name], str) for name in ("headline", "body", "visualPrompt"))


async def test_cards_out_of_order_missing_or_too_many_end_as_the_roles_want(ask: Ask, planner: Planner) -> None:
    planner.answers = [answer(row(3), row(1)), answer(row(1), row(2), row(3), row(3)), {"cards": None}]
    first, second, third = [await ask("POST", "draft", BRIEF) for _ in range(3)]
    assert [one["role"] for one in first["plan"]["cards"]] == list(ROLES)
    assert (first["plan"]["cards"][0]["headline"], first["plan"]["cards"][2]["headline"]) == ("Head 1", "Head 3")
    assert len(second["plan"]["cards"]) == 3
    assert second["planner"]["repaired"]
    assert third["planner"]["repaired"]


async def test_visible_words_are_taken_out_of_the_scene(ask: Ask, planner: Planner) -> None:
    scene = "a quay under a sign that says “Head 2”, at dawn"
    planner.answers = [answer(row(1), row(2, visualPrompt=scene), row(3))]
    cards = (await ask("POST", "draft", BRIEF))["plan"]["cards"]
    assert "Head 2" not in cards[1]["visualPrompt"]
    assert without_words("ABC is short", ["abc"]) == "ABC is short"
    assert without_words("Harbour", ["harbour"]) == ""


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ("no json", 502, "PLANNER_INVALID_JSON"),
        ("[1]", 422, "PLANNER_SCHEMA_INVALID"),
        (ima2.Ima2Error("X", 500, "Down."), 502, "PLANNER_UPSTREAM_FAILED"),
        (ima2.Ima2Error("OAUTH_UNAVAILABLE", 503, "Down."), 503, "OAUTH_UNAVAILABLE"),
        (ima2.Ima2Error("SAFETY_REFUSAL", 422, "No."), 502, "PLANNER_UPSTREAM_FAILED"),
    ],
)
async def test_a_planner_that_fails_is_an_error_of_its_own(
    ask: Ask, planner: Planner, given: Any, status: int, code: str
) -> None:
    planner.answers = [given]
    assert (await ask("POST", "draft", BRIEF, status))["error"]["code"] == code
    assert len(planner.requests) == 1, "what may have been billed is asked once"


async def test_a_schema_that_is_refused_is_asked_once_more_as_plain_json(ask: Ask, planner: Planner) -> None:
    planner.answers = [ima2.Ima2Error("BAD_REQUEST", 400, "No schemas."), answer()]
    found = await ask("POST", "draft", BRIEF)
    assert found["planner"]["mode"] == "json-mode"
    assert planner.requests[1].schema is None


class TestByRule:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"IMA2_CARD_NEWS": "1", "IMA2_CARD_NEWS_PLANNER_FALLBACK": "true"}

    async def test_a_failure_may_be_bridged_and_that_is_said(self, ask: Ask, planner: Planner) -> None:
        planner.answers = [ima2.Ima2Error("X", 500, "Down.")]
        found = await ask("POST", "draft", {**BRIEF, "contentBrief": "One. Two! Three? Four."})
        assert (found["planner"]["mode"], found["planner"]["reason"]) == (
            "deterministic-fallback",
            "PLANNER_UPSTREAM_FAILED",
        )
        assert [one["body"] for one in found["plan"]["cards"]] == ["One.", "Two!", "Three? Four."]

    def test_every_sentence_is_used_once_and_nothing_is_added(self) -> None:
        fields = {"topic": "t", "title": "T", "audience": "", "goal": "", "contentBrief": "A. B. C. D. E. F. G."}
        cards = plain_cards(fields, LESSON, "mid-5")
        assert " ".join(str(one["body"]) for one in cards).split() == "A. B. C. D. E. F. G.".split()
        assert cards == plain_cards(fields, LESSON, "mid-5")


class TestWithoutAModel:
    @pytest.fixture
    def environ(self) -> dict[str, str]:
        return {"IMA2_CARD_NEWS": "1", "IMA2_CARD_NEWS_PLANNER": "false"}

    async def test_nobody_is_asked(self, ask: Ask, planner: Planner) -> None:
        found = await ask("POST", "draft", {"roleTemplateId": "no-such"})
        assert found["planner"]["reason"] == "PLANNER_DISABLED"
        assert len(found["plan"]["cards"]) == 5
        assert planner.requests == []


@pytest.mark.parametrize("body", [{"topic": 5}, {"topic": "x" * 3000}, {"imageTemplateId": "Bad Id"}])
async def test_a_draft_that_cannot_be_is_refused(ask: Ask, planner: Planner, body: dict[str, Any]) -> None:
    assert (await ask("POST", "draft", body, 400))["error"]["code"].startswith("CARD_NEWS_")
    assert planner.requests == []


async def test_looks_are_drawn_here_and_unknown_ones_are_not_found(ask: Ask, client: httpx.AsyncClient) -> None:
    looks = (await ask("GET", "image-templates"))["templates"]
    pictures = [(await client.get(one["previewUrl"])).content for one in looks]
    assert [ima2.size_of(one) for one in pictures] == [(1024, 1024)] * 2
    assert pictures[0] != pictures[1]
    for name, status, code in (("no-such", 404, "TEMPLATE_NOT_FOUND"), ("..%2Fx", 400, "BAD_TEMPLATE_ID")):
        answer = await ask("GET", f"image-templates/{name}/preview", status=status)
        assert answer["error"]["code"] == f"CARD_NEWS_{code}"
        assert "/" not in answer["error"]["message"]
