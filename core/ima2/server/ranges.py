"""Parts of a file, as clients ask for them (RFC 9110, sections 13 and 14): one range, and whether the file changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

from ima2.contracts import Stored

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True, slots=True)
class Part:
    """Which bytes to send, and with which status and headers. 416 and 304 send none."""

    status: int
    start: int
    end: int
    headers: Mapping[str, str]


def part_of(stored: Stored, headers: Mapping[str, str]) -> Part:
    """What answers a request for a file. A range that is none, several at once, or an ``If-Range`` that no longer
    holds, mean the whole file."""
    size = stored.size
    tag = f'"{stored.modified:x}-{size:x}"'
    known = {"ETag": tag, "Last-Modified": formatdate(stored.modified / 1000, usegmt=True), "Accept-Ranges": "bytes"}
    if tag in [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]:
        return Part(304, 0, 0, known)
    valid = headers.get("if-range", tag) in (tag, known["Last-Modified"])
    match = _RANGE.fullmatch(headers.get("range", "").strip()) if valid else None
    if match is None or match.groups() == ("", ""):
        return Part(200, 0, size, {**known, "Content-Length": str(size)})
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return Part(200, 0, size, {**known, "Content-Length": str(size)})
    if start >= size or start >= end:
        return Part(416, 0, 0, {**known, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
    span = {"Content-Range": f"bytes {start}-{end - 1}/{size}", "Content-Length": str(end - start)}
    return Part(206, start, end, {**known, **span})
