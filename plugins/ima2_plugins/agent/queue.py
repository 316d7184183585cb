"""The queue in the database: what waits, runs and has ended, in the order in which it was asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, case, func, insert, select, update

import ima2
from ima2_plugins.agent.ids import new_id, now_ms
from ima2_plugins.agent.tables import QUEUE
from ima2_plugins.agent.values import dumps, loads

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELED = "queued", "running", "succeeded", "failed", "canceled"
LISTED = 80
INTERRUPTED = "AGENT_QUEUE_INTERRUPTED"
_RANK = case({RUNNING: 0, QUEUED: 1, FAILED: 2}, value=QUEUE.c.status, else_=3)


def add(
    connection: Connection, session_id: str, prompt: str, options: Mapping[str, Any], plan: Mapping[str, Any]
) -> str:
    """Put a request at the end of the line; the item's id."""
    last = select(func.max(QUEUE.c.position)).where(QUEUE.c.session_id == session_id)
    row = {
        "id": new_id("aq"),
        "session_id": session_id,
        "request_id": new_id("agent_queue"),
        "prompt": prompt,
        "options": dumps(dict(options)),
        "tool_plan": dumps(dict(plan)),
        "position": (connection.execute(last).scalar() or 0) + 1,
        "created_at": now_ms(),
    }
    connection.execute(insert(QUEUE), row)
    return str(row["id"])


def find(connection: Connection, item_id: str) -> RowMapping:
    """One item. 404 ``AGENT_QUEUE_ITEM_NOT_FOUND``."""
    row = connection.execute(select(QUEUE).where(QUEUE.c.id == item_id)).mappings().first()
    if row is None:
        raise ima2.Ima2Error("AGENT_QUEUE_ITEM_NOT_FOUND", 404, f"Agent queue item not found: {item_id[:64]}")
    return row


def listed(connection: Connection, session_id: str | None = None, limit: int = LISTED) -> Sequence[RowMapping]:
    """What runs, waits, failed, and the rest; the newest first among each."""
    asked = select(QUEUE) if session_id is None else select(QUEUE).where(QUEUE.c.session_id == session_id)
    order = asked.order_by(_RANK, QUEUE.c.created_at.desc(), QUEUE.c.id.desc()).limit(limit)
    return connection.execute(order).mappings().all()


def next_item(connection: Connection, busy: Collection[str]) -> RowMapping | None:
    """The oldest item that waits, of a session that does nothing yet."""
    waiting = select(QUEUE).where(QUEUE.c.status == QUEUED, QUEUE.c.session_id.not_in(list(busy)))
    return connection.execute(waiting.order_by(QUEUE.c.created_at, QUEUE.c.id).limit(1)).mappings().first()


def claim(connection: Connection, busy: Collection[str]) -> RowMapping | None:
    """Take the next item; it is marked as running."""
    row = next_item(connection, busy)
    if row is None or not move(connection, row["id"], QUEUED, RUNNING, started_at=now_ms()):
        return None
    return find(connection, row["id"])


def move(connection: Connection, item_id: str, before: str, after: str, **values: Any) -> bool:
    """Give an item another status if it still has the one expected; whether it had."""
    mine = (QUEUE.c.id == item_id) & (QUEUE.c.status == before)
    return connection.execute(update(QUEUE).where(mine).values(status=after, **values)).rowcount == 1


def finish(
    connection: Connection, item_id: str, status: str, images: Sequence[str], error: ima2.Ima2Error | None
) -> None:
    """Write down how a running item ended."""
    code, text = (error.code, error.text) if error else (None, None)
    values = {"result_image_ids": dumps(list(images)), "error_code": code, "error_message": text}
    move(connection, item_id, RUNNING, status, finished_at=now_ms(), **values)


def running(connection: Connection) -> Sequence[RowMapping]:
    """What is marked as running."""
    return connection.execute(select(QUEUE).where(QUEUE.c.status == RUNNING)).mappings().all()


def cancel_waiting(connection: Connection, item_id: str) -> bool:
    """Take an item out of the line; whether it still waited."""
    return move(connection, item_id, QUEUED, CANCELED, finished_at=now_ms())


def put_back(connection: Connection, item_id: str, before: str) -> bool:
    """Let an item wait again, at its old place; whether it could. Its work gets a new id, for the old one has
    ended."""
    fresh = {"request_id": new_id("agent_queue"), "result_image_ids": "[]", "error_code": None, "error_message": None}
    return move(connection, item_id, before, QUEUED, started_at=None, finished_at=None, **fresh)


def retry(connection: Connection, item_id: str) -> None:
    """Let a failed or canceled item wait again. 404; 409 ``AGENT_QUEUE_RETRY_FAILED``."""
    row = find(connection, item_id)
    if row["status"] not in (FAILED, CANCELED) or not put_back(connection, item_id, row["status"]):
        raise ima2.Ima2Error("AGENT_QUEUE_RETRY_FAILED", 409, "Only failed or canceled Agent work can be retried.")


def summaries(connection: Connection) -> dict[str, dict[str, Any]]:
    """What the queue of each session comes to."""
    found: dict[str, dict[str, Any]] = {}
    asked = select(QUEUE.c.session_id, QUEUE.c.status, func.count()).group_by(QUEUE.c.session_id, QUEUE.c.status)
    for session, status, count in connection.execute(asked):
        found.setdefault(session, {})[status] = count
    latest = select(QUEUE.c.session_id, func.max(QUEUE.c.id)).group_by(QUEUE.c.session_id)
    last: dict[str, str] = {row[0]: row[1] for row in connection.execute(latest)}
    failed = select(QUEUE.c.session_id, QUEUE.c.error_message).where(QUEUE.c.status == FAILED)
    errors: dict[str, str] = {row[0]: row[1] for row in connection.execute(failed.order_by(QUEUE.c.id))}
    return {session: summary(one, last.get(session), errors.get(session)) for session, one in found.items()}


def summary(numbers: Mapping[str, int], last: str | None = None, error: str | None = None) -> dict[str, Any]:
    """The summary of one session, from how many of its items stand where."""
    order = ((RUNNING, "running"), (QUEUED, "queued"), (FAILED, "error"))
    return {
        "status": next((name for status, name in order if numbers.get(status)), "idle"),
        "queuedCount": numbers.get(QUEUED, 0),
        "runningCount": numbers.get(RUNNING, 0),
        "lastQueueItemId": last,
        "lastError": error,
    }


def wire(row: RowMapping) -> dict[str, Any]:
    """An item as clients read it."""
    return {
        "id": row["id"],
        "sessionId": row["session_id"],
        "requestId": row["request_id"],
        "prompt": row["prompt"],
        "status": row["status"],
        "position": row["position"],
        "resultImageIds": loads(row["result_image_ids"], list),
        "errorCode": row["error_code"],
        "errorMessage": row["error_message"],
        "createdAt": row["created_at"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "options": loads(row["options"], dict),
        "plan": loads(row["tool_plan"], dict),
    }
