"""What happens when somebody writes into a session: a command is answered, anything else is put into the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping

import ima2
from ima2_plugins.agent import conversation, planning, queue, sessions, values
from ima2_plugins.agent.conversation import Conversation

if TYPE_CHECKING:
    from ima2_plugins.agent.agent import Agent

OVERRIDES = tuple(values.DEFAULTS)


def overrides(agent: Agent, settings: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A session's settings with those of one request: below ``options``, or at the top, which win."""
    makers = agent.makers()
    top = {name: body[name] for name in OVERRIDES if name in body}
    return {**settings, **values.accepted(body.get("options"), makers), **values.accepted(top, makers)}


async def ask(agent: Agent, session_id: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Take what was written: the new item of the queue, ``None`` where it was answered at once. 404 and 400 before
    anything is stored."""
    settings = overrides(agent, await agent.settings_of(session_id), body)
    prompt = values.prompt(body.get("prompt"))
    command = planning.command_of(prompt)
    if command.name == "help":
        await _exchange(agent, session_id, prompt, conversation.HELP)
    elif command.name == "question":
        await _question(agent, session_id, prompt, command.text, settings)
    elif command.name == "tool":
        await _tool(agent, session_id, prompt, command.text, settings)
    else:
        if not command.text:
            raise ima2.Ima2Error("AGENT_PROMPT_REQUIRED", 400, "Prompt is required")
        return await _enqueue(agent, session_id, prompt, command.text, settings)
    return None


async def _enqueue(
    agent: Agent, session_id: str, prompt: str, words: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    plan = planning.plan(prompt, settings).wire()

    def work(connection: Connection) -> RowMapping:
        sessions.add_turn(connection, session_id, "user", prompt)
        return queue.find(connection, queue.add(connection, session_id, words, settings, plan))

    row = await agent.write(work, session_id)
    agent.worker.wake()
    return queue.wire(row)


async def _exchange(agent: Agent, session_id: str, prompt: str, answer: str, calls: Any = ()) -> None:
    """A user's turn and its answer, both or neither."""

    def work(connection: Connection) -> None:
        sessions.add_turn(connection, session_id, "user", prompt)
        if calls:
            sessions.add_turn(connection, session_id, "tool", "Called tools of plugins.", calls=calls)
        sessions.add_turn(connection, session_id, "assistant", answer)

    await agent.write(work, session_id)


async def _question(agent: Agent, session_id: str, prompt: str, question: str, settings: Mapping[str, Any]) -> None:
    if not question:
        await _exchange(agent, session_id, prompt, conversation.COUNTER_QUESTION)
        return
    talk = Conversation(agent, session_id, settings)
    try:
        answer = await talk.answer(question)
    except ima2.Ima2Error as error:
        text, code = error.text, error.code

        def work(connection: Connection) -> None:
            sessions.add_turn(connection, session_id, "user", prompt)
            if talk.calls:
                sessions.add_turn(connection, session_id, "tool", "Called tools of plugins.", calls=talk.calls)
            sessions.add_turn(connection, session_id, "assistant", f"{text} ({code})", status="error")

        await agent.write(work, session_id)
        raise
    await _exchange(agent, session_id, prompt, answer, talk.calls)


async def _tool(agent: Agent, session_id: str, prompt: str, words: str, settings: Mapping[str, Any]) -> None:
    name, _, arguments = words.partition(" ")
    if not name:
        await _exchange(agent, session_id, prompt, conversation.listed(agent.offered()))
        return
    talk = Conversation(agent, session_id, settings)
    await _exchange(agent, session_id, prompt, await talk.call(name, arguments.strip()), talk.calls)
