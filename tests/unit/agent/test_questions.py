"""Answers in words: help, questions, failures that leave no turn dangling, and the tools of plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.agent.conftest import Desk, OpenDesk, Painter

import ima2
from ima2.testing import plugin
from ima2_plugins.agent.conversation import parsed


async def question(desk: Desk, session: str, words: str, status: int = 200) -> Any:
    return await desk.ask("POST", f"/sessions/{session}/queue", {"prompt": words}, status=status)


async def test_a_question_is_answered_in_words_and_draws_nothing(desk: Desk) -> None:
    session = await desk.session()
    await desk.ask("PATCH", f"/sessions/{session}", {"subjectLocks": ["one heron"]})
    answer = await question(desk, session, "/q which paper suits a woodcut?")
    assert answer["queueItem"] is None
    assert [one["text"] for one in await desk.turns(session)] == ["/q which paper suits a woodcut?", "Washi."]
    assert desk.painter.asked == []
    assert desk.painter.questions[0].prompt == "which paper suits a woodcut?"
    assert "one heron" in desk.painter.questions[0].system
    await question(desk, session, "/ask and ink?")
    assert [one.text for one in desk.painter.questions[1].messages][-1] == "Washi."


async def test_a_question_without_words_is_answered_by_one(desk: Desk) -> None:
    session = await desk.session()
    await question(desk, session, "/ask")
    assert (await desk.turns(session))[-1]["text"].endswith("/question WORDS.")
    assert desk.painter.questions == []


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (ima2.Ima2Error("OAUTH_UNAVAILABLE", 503, "Nobody is signed in."), 503, "OAUTH_UNAVAILABLE"),
        ("   ", 502, "AGENT_QUESTION_EMPTY"),
    ],
)
async def test_a_question_that_fails_has_an_answer_that_says_so(
    desk: Desk, failure: Any, status: int, code: str
) -> None:
    desk.painter.answers.append(failure)
    session = await desk.session()
    assert (await question(desk, session, "/q why?", status))["code"] == code
    asked, told = await desk.turns(session)
    assert (asked["role"], told["role"], told["status"]) == ("user", "assistant", "error")


async def test_an_answer_is_cut_where_it_grows_too_long(desk: Desk) -> None:
    desk.painter.answers.append("ink " * 5000)
    session = await desk.session()
    await question(desk, session, "/q all about ink")
    assert len((await desk.turns(session))[-1]["text"]) == 4000


class Toolbox:
    """Two tools, one of which spends; ``calls`` are the arguments they got."""

    def __init__(self) -> None:
        self.calls: list[Mapping[str, Any]] = []

    async def call(self, arguments: Mapping[str, Any]) -> Any:
        self.calls.append(arguments)
        return {"moon": "full"}

    def plugin(self) -> Any:
        schema = {"type": "object", "properties": {"day": {"type": "string"}}}
        tools = [
            ima2.Tool("moon", "Says the phase of the moon.", schema, self.call),
            ima2.Tool("buy-moon", "Buys it.", schema, self.call, spends=True),
        ]
        return plugin(tools=tools)


async def test_a_question_may_have_a_tool_called_on_the_way(open_desk: OpenDesk) -> None:
    box, painter = Toolbox(), Painter()
    painter.answers += [
        json.dumps({"answer": "", "tool": "moon", "arguments": '{"day": "today"}'}),
        json.dumps({"answer": "It is full.", "tool": "", "arguments": ""}),
    ]
    async with open_desk(painter=painter, box=box.plugin()) as desk:
        session = await desk.session()
        await question(desk, session, "/q how is the moon?")
        turns = await desk.turns(session)
        assert box.calls == [{"day": "today"}]
        assert [one["role"] for one in turns] == ["user", "tool", "assistant"]
        assert turns[1]["toolCalls"][0]["name"] == "moon"
        assert turns[2]["text"] == "It is full."
        assert painter.questions[0].schema is not None
        assert "full" in painter.questions[1].messages[-1].text


async def test_tools_that_spend_need_a_setting(open_desk: OpenDesk) -> None:
    box = Toolbox()
    async with open_desk(box=box.plugin()) as desk:
        session = await desk.session()
        assert (await desk.ask("GET", "/tools"))["tools"][4:] == ["moon"]
        await question(desk, session, "/tool buy-moon {}")
        assert box.calls == []
        assert (await desk.turns(session))[1]["toolCalls"][0]["errorCode"] == "AGENT_TOOL_UNKNOWN"


async def test_tools_that_spend_are_offered_where_the_setting_says_so(open_desk: OpenDesk) -> None:
    box = Toolbox()
    async with open_desk({"IMA2_AGENT_TOOLS_MAY_SPEND": "1"}, box=box.plugin()) as desk:
        session = await desk.session()
        assert (await desk.ask("GET", "/tools"))["tools"][4:] == ["buy-moon", "moon"]
        await question(desk, session, '/tool buy-moon {"day": "now"}')
        assert box.calls == [{"day": "now"}]


@pytest.mark.parametrize("said", ["no JSON at all", '{"answer": ', "[1, 2]", '"text"', '{"other": 1}', "[" * 5000])
def test_broken_json_of_a_model_is_taken_as_its_answer(said: str) -> None:
    assert parsed(said) == {"answer": said, "tool": "", "arguments": ""}


def test_json_in_a_fence_is_read() -> None:
    assert parsed('```json\n{"answer": "Washi.", "tool": null, "arguments": {}}\n```')["answer"] == "Washi."
