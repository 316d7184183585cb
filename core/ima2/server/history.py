"""``GET /api/history``: the gallery, newest first, in pages."""

from __future__ import annotations

import re
from collections.abc import Collection

import orjson
from fastapi import APIRouter, Request

from ima2.library import Listed
from ima2.library.sidecar import GROUP_TITLE, spliced
from ima2.library_api import LibraryQuery
from ima2.server import examples
from ima2.server.access import runtime_of
from ima2.server.replies import Json

router = APIRouter(tags=["history"])
_BROWSER_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")


@router.get(
    "/api/history",
    summary="List the gallery",
    responses=examples.HISTORY,
    openapi_extra={"parameters": examples.PAGE_PARAMETERS},
)
async def history(request: Request) -> Json:
    """Rows newest first. Query: ``limit``, ``since``, ``before`` with ``beforeFilename``, ``sessionId``, ``requestId``,
    ``groupBy=session``, and the filters that plugins offer, such as ``favoritesOnly``. As in the reference, a value
    that does not parse counts as absent."""
    runtime = runtime_of(request)
    settings, filters = runtime.settings, runtime.library.filters()
    query = page_query(request, settings.history_page_size, settings.history_max_page, filters)
    rows, more = await runtime.library.rows(query)
    cursor = {"before": rows[-1].created_at, "beforeFilename": rows[-1].key} if rows and more else None
    tail: dict[str, object] = {"total": runtime.library.index.total, "nextCursor": cursor}
    if runtime.library.scan.running:
        tail["indexing"] = {"done": runtime.library.scan.done, "todo": runtime.library.scan.todo}
    if _one(request, "groupBy") == "session":
        return Json(_grouped(rows, tail))
    items = orjson.Fragment(b"[" + b",".join(_spliced(row) for row in rows) + b"]")
    return Json(orjson.dumps({"items": items, **tail}))


def page_query(request: Request, default: int, most: int, filters: Collection[str] = ()) -> LibraryQuery:
    """The page a request asks for."""
    limit = _number(request, "limit") or 0
    browser = request.headers.get("x-ima2-browser-id", "")
    browser = browser if _BROWSER_ID.fullmatch(browser) else ""
    return LibraryQuery(
        limit=min(limit, most) if limit > 0 else default,
        since=_number(request, "since"),
        before=_number(request, "before"),
        before_key=_one(request, "beforeFilename"),
        session_id=_one(request, "sessionId"),
        request_id=_one(request, "requestId"),
        filters={name: value for name in filters if (value := _one(request, name)) is not None},
        scope={"browser_id": browser} if browser else {},
    )


def _grouped(rows: list[Listed], tail: dict[str, object]) -> bytes:
    groups: dict[str, list[Listed]] = {}
    loose = []
    for row in rows:
        if row.session_id:
            groups.setdefault(row.session_id, []).append(row)
        else:
            loose.append(row)
    sessions = [
        {
            "sessionId": session,
            "items": [orjson.Fragment(_spliced(row)) for row in members],
            "lastUsedAt": members[0].created_at,
            "title": (title := members[0].fields.get(GROUP_TITLE)),
            "label": title or session[:8],
        }
        for session, members in groups.items()
    ]
    return orjson.dumps({"sessions": sessions, "loose": [orjson.Fragment(_spliced(row)) for row in loose], **tail})


def _spliced(row: Listed) -> bytes:
    return spliced(row.row, row.thumb_url, row.fields)


def _one(request: Request, name: str) -> str | None:
    """A query value that was given once; repeated ones are ignored, as the reference does."""
    values = request.query_params.getlist(name)
    return values[0] if len(values) == 1 and values[0] != "" and len(values[0]) <= 400 else None


def _number(request: Request, name: str) -> int | None:
    value = _one(request, name)
    return int(value) if value is not None and re.fullmatch(r"-?\d{1,16}", value) else None
