"""What routes of plugins need of HTTP: bodies within limits, JSON with pictures, a job as an event stream.

```python
from ima2 import web


@router.post("/api/notes")
async def add(request: Request) -> web.Json:
    body = await web.read_json(request)
    return web.Json({"ok": True}, 201)
```
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from ima2.errors import Ima2Error
from ima2.keys import is_key
from ima2.library.names import extension_of
from ima2.library.names import url_of as file_url
from ima2.media.sniff import MEDIA_TYPES
from ima2.models import Json as JsonValue
from ima2.server import bodies
from ima2.server.access import request_id_of as request_id
from ima2.server.job_routes import accepted, claimed_id, finished, read_job, submit
from ima2.server.replies import Json, failure
from ima2.server.schemas import GENERATE_RESPONSES as JOB_RESPONSES
from ima2.server.schemas import picture_job_body
from ima2.server.streams import event_stream
from ima2.server.wire.body import Body
from ima2.server.wire.errors import upstream as upstream_labels
from ima2.server.wire.gallery_inputs import frame as gallery_frame
from ima2.server.wire.gallery_inputs import sidecar_facts
from ima2.server.wire.image_body import ImageBody
from ima2.server.wire.picture_view import PictureView, single_record
from ima2.server.wire.references import References

__all__ = [
    "JOB_RESPONSES",
    "Body",
    "ImageBody",
    "Json",
    "PictureView",
    "References",
    "accepted",
    "browser_id",
    "claimed_id",
    "event_stream",
    "failure",
    "file_url",
    "finished",
    "gallery_frame",
    "is_media_key",
    "picture_job_body",
    "problem",
    "read_body",
    "read_form",
    "read_job",
    "read_json",
    "request_id",
    "sidecar_facts",
    "single_record",
    "submit",
    "upstream_labels",
]
_BROWSER_ID = re.compile(r"[A-Za-z0-9_.:-]{1,120}")


async def read_body(request: Request, limit: int = bodies.SMALL) -> bytes:
    """The raw body, of at most ``limit`` bytes. Raises ``PAYLOAD_TOO_LARGE`` (413) and ``BODY_INCOMPLETE`` (400)."""
    return await bodies.read_body(request, limit)


async def read_json(request: Request, limit: int = bodies.SMALL) -> Mapping[str, JsonValue]:
    """The body as a JSON object, of at most ``limit`` bytes; an empty one where there is none.

    Raises `Ima2Error` ``INVALID_JSON`` and ``INVALID_BODY`` (400), ``PAYLOAD_TOO_LARGE`` (413), ``BODY_INCOMPLETE``,
    and ``UNSUPPORTED_MEDIA_TYPE`` (415) for a body that says it is something else: a form of another site cannot.
    """
    _check_type(request, "application/json")
    return await bodies.read_json(request, limit) or {}


async def read_form(request: Request, limit: int = bodies.SMALL) -> dict[str, str]:
    """The fields of a form (``application/x-www-form-urlencoded``), of at most ``limit`` bytes; the last of a name
    counts. Raises as `read_json` does."""
    kind = "application/x-www-form-urlencoded"
    _check_type(request, kind)
    raw = await bodies.read_body(request, limit)
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise Ima2Error("INVALID_BODY", 400, "The form cannot be read.") from None


def browser_id(request: Request) -> str:
    """The id that a page made up for itself (``X-Ima2-Browser-Id``); empty where there is none, or an odd one."""
    value = request.headers.get("x-ima2-browser-id", "")
    return value if _BROWSER_ID.fullmatch(value) else ""


def is_media_key(name: str) -> bool:
    """Whether a name is that of a picture or clip that the gallery may hold."""
    return is_key(name) and extension_of(name) in MEDIA_TYPES


def problem(error: Ima2Error) -> Json:
    """The answer of a failure, as every route gives it. Raising the error does the same."""
    return failure(error)


def _check_type(request: Request, wanted: str) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = request.headers.get("content-length") == "0" or (
        "content-length" not in request.headers and "transfer-encoding" not in request.headers
    )
    if kind != wanted and not empty:
        raise Ima2Error("UNSUPPORTED_MEDIA_TYPE", 415, f"The body must be {wanted}.")
