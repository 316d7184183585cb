"""Example answers of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from ima2.server.schemas import answer, refusal

Responses = dict[int | str, dict[str, Any]]
_BACKEND = {"configuredPort": 3333, "actualPort": 3333, "url": "http://127.0.0.1:3333"}
_JOB = {
    "requestId": "f_17_ab",
    "kind": "classic",
    "prompt": "a red bicycle",
    "meta": {"kind": "classic", "quality": "low", "n": 1},
    "startedAt": 1795000000000,
    "phase": "streaming",
    "phaseAt": 1795000000020,
}
_ENDED = {
    **_JOB,
    "status": "completed",
    "finishedAt": 1795000021000,
    "durationMs": 21000,
    "httpStatus": 200,
    "meta": {"kind": "classic", "filenames": ["1795000020960_1a2b3c4d_0.png"], "imageCount": 1},
}
_ROW = {
    "filename": "1795000020960_1a2b3c4d_0.png",
    "url": "/generated/1795000020960_1a2b3c4d_0.png",
    "thumb": "/generated/1795000020960_1a2b3c4d_0.thumb.jpg",
    "createdAt": 1795000020960,
    "prompt": "a red bicycle",
    "mediaType": "image",
    "isFavorite": False,
}
_CURSOR = {"before": 1795000020960, "beforeFilename": "1795000020960_1a2b3c4d_0.png"}

PAGE_PARAMETERS = [
    {"name": name, "in": "query", "required": False, "schema": {"type": kind}, "description": text}
    for name, kind, text in (
        ("limit", "integer", "rows of a page; 50 unless told, 500 at most"),
        ("since", "integer", "only rows newer than this, in ms"),
        ("before", "integer", "rows older than this, in ms; see nextCursor"),
        ("beforeFilename", "string", "with before: the last row of the page before"),
        ("sessionId", "string", "rows of one session"),
        ("requestId", "string", "rows of one job"),
        ("favoritesOnly", "string", "1 or true: favourites of the X-Ima2-Browser-Id"),
        ("groupBy", "string", "session: grouped by session"),
    )
]

HEALTH: Responses = {
    200: answer(
        "It is alive",
        {
            "ok": True,
            "version": "3.0.0",
            "uptimeSec": 83,
            "activeJobs": 0,
            "pid": 123,
            "runtime": {"backend": _BACKEND},
        },
    )
}
PROVIDERS: Responses = {
    200: answer(
        "Every provider in use",
        {
            "default": "example",
            "providers": [{"id": "example", "title": "Example", "problem": None, "media": ["image"]}],
        },
    )
}
PROBE: Responses = {
    200: answer("What the upstream says", {"status": "ready", "models": ["example-1"]}),
    404: refusal("No such provider", "UNKNOWN_PROVIDER"),
}
PLUGINS: Responses = {
    200: answer(
        "A row a plugin",
        {
            "plugins": [
                {"name": "sse", "state": "ready", "package": "ima2", "version": "3.0.0", "offers": ["event_sink:sse"]}
            ]
        },
    )
}
PANELS: Responses = {
    200: answer(
        "Every panel in use",
        {"panels": [{"plugin": "x", "id": "x", "title": "X", "slot": "side", "script": "/api/x/panel.js"}]},
    )
}
CAPABILITIES: Responses = {
    200: answer(
        "What can be asked", {"ok": True, "name": "ima2", "valid": {"quality": ["low", "medium", "high"]}, "limits": {}}
    )
}
STORAGE: Responses = {
    200: answer(
        "Where the gallery lies",
        {"ok": True, "data": {"generatedDirLabel": "~/.ima2/generated", "generatedCount": 42, "state": "ok"}},
    )
}
JOBS: Responses = {200: answer("What runs, and what has ended lately", {"jobs": [_JOB], "terminalJobs": [_ENDED]})}
CANCELED: Responses = {200: answer("What there was to stop", {"requestId": "f_17_ab", "active": True, "aborted": True})}
MOVED: Responses = {200: answer("The place it has now", {"requestId": "f_17_ab", "place": 1})}
HISTORY: Responses = {200: answer("A page of the gallery", {"items": [_ROW], "total": 412, "nextCursor": _CURSOR})}
FILE: Responses = {
    200: {
        "description": "The whole file",
        "content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}, "video/mp4": {}},
    },
    206: {"description": "The range asked for", "content": {"video/mp4": {}}},
    404: {"description": "Nothing public by that name", "content": {"text/plain": {"example": "Not found"}}},
}
LOGIN: Responses = {
    200: answer("Signed in; the cookie is set", {"ok": True}),
    401: refusal("That is not the token", "TOKEN_REQUIRED"),
    404: refusal("This server has no token", "LAN_OFF"),
}
