"""The demo answers in words by rule, says so, and keeps to a schema."""

import json
from typing import Any

import pytest

import ima2
from ima2_plugins.demo.provider import DemoProvider
from ima2_plugins.demo.settings import DemoSettings
from ima2_plugins.demo.writing import MARK, Form, subject_of

CARDS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "cards": {
            "type": "array",
            "minItems": 2,
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "order": {"type": "integer"},
                    "headline": {"type": "string", "maxLength": 12},
                    "visualPrompt": {"type": "string"},
                    "kind": {"enum": ["text", "image"]},
                    "note": {"type": ["null", "string"]},
                    "locked": {"const": False},
                },
            },
        },
    },
}


def filled(schema: dict[str, Any], subject: str = "harbours") -> Any:
    return Form(schema, subject).fill()


async def words(prompt: str, **more: Any) -> ima2.TextResult:
    return await DemoProvider(DemoSettings()).text(ima2.TextRequest(prompt, "demo", **more))


async def test_a_question_is_answered_with_the_word_that_no_model_was_asked() -> None:
    answer = await words("Which boats are red?")
    assert answer.text == "Demo: you asked about “Which boats are red”. No language model was asked."
    assert (answer.model, answer.cost) == ("demo", 0.0)


async def test_a_schema_is_filled_from_the_names_of_its_fields() -> None:
    answer = json.loads((await words("Make cards.\nTopic: red boats", schema=CARDS)).text)
    assert answer["title"] == "Demo: red boats"
    first, second = answer["cards"]
    assert (first["id"], second["id"]) == ("demo_1", "demo_2")
    assert (first["order"], second["order"], first["kind"], first["locked"]) == (1, 2, "text", False)
    assert len(first["headline"]) <= 12
    assert "drawing of red boats" in first["visualPrompt"]
    assert first["note"].startswith(MARK)


def test_references_choices_and_circles_in_a_schema_come_to_an_end() -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}}},
    }
    assert "next" in filled(tree)
    assert filled({"$ref": "#/nowhere"}) == MARK + "harbours"
    assert filled({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 7}]}) == 7
    assert filled({"type": "array", "maxItems": 2, "minItems": 9, "items": {"type": "boolean"}}) == [False, False]


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("Topic: harbours of the north\nMake five cards.", "harbours of the north"),
        ('"topic": "fish",', "fish"),
        ("주제: 바다", "바다"),
        ("Be brief. Draw a fox.", "Draw a fox"),
        ("", "nothing in particular"),
    ],
)
def test_what_a_prompt_is_about_is_found(prompt: str, subject: str) -> None:
    assert subject_of(prompt) == subject


async def test_orders_in_a_prompt_make_words_fail_too() -> None:
    with pytest.raises(ima2.Ima2Error) as caught:
        await words("hello demo:fail=rate_limit")
    assert caught.value.status == 429
