"""The manifest: what a conversation holds to, as lines that a model and a person can read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from sqlalchemy import Connection, RowMapping

from ima2_plugins.agent import sessions
from ima2_plugins.agent.values import loads

CHARS, FINDINGS = 600, 5


def manifest(connection: Connection, session_id: str, tools: Sequence[str]) -> str:
    """The manifest of a session, between two tags. What people wrote is escaped, so that it cannot end it. 404."""
    row = sessions.find(connection, session_id)
    current = sessions.image(connection, session_id, row["current_image_id"])
    findings = sessions.findings(connection, session_id, FINDINGS)
    lines = [
        "<ima2-image-context>",
        f"session: {row['id']}",
        f"thread: {row['codex_thread_id']}",
        f"compacted: {'yes' if row['compacted'] else 'no'}",
        "current image:" if current else "current image: none",
        *(_picture(current) if current else ()),
        *held(row),
        *_listed("web findings", [one["title"] or one["query"] for one in findings]),
        "constraints:",
        "- the output must be an image",
        f"- allowed tools: {', '.join(tools)}",
        "</ima2-image-context>",
    ]
    return "\n".join(lines) + "\n"


def held(row: RowMapping) -> list[str]:
    """The locks of a session, as lines."""
    return [
        *_listed("style locks", loads(row["style_locks"], list)),
        *_listed("subject locks", loads(row["subject_locks"], list)),
    ]


def brief(row: RowMapping, prompt: str, *, continues: bool) -> str:
    """What a provider is asked: the request, and what the conversation holds to. Without either it is the request."""
    said = [line for line in held(row) if not line.endswith(": none")]
    if not said and not continues:
        return prompt
    told = ["Go on from the picture given: change what the request asks for and leave the rest."] if continues else []
    return "\n".join([prompt, "", *told, *(["Hold to these in the picture:", *said] if said else [])])


def _picture(image: RowMapping) -> Iterable[str]:
    named = (("id", "id"), ("path", "filename"), ("prompt", "prompt"), ("revised prompt", "revised_prompt"))
    return (f"- {title}: {_short(image[name])}" for title, name in named if image[name])


def _listed(title: str, texts: Sequence[Any]) -> list[str]:
    return [f"{title}:", *(f"- {_short(one)}" for one in texts)] if texts else [f"{title}: none"]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return escape(text if len(text) <= CHARS else text[: CHARS - 1] + "…", quote=False)
