"""The record of how a picture was made, put into it and read back without touching a pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Literal

from ima2.media import jpeg, png, webp
from ima2.media.payload import payload
from ima2.media.sniff import JPEG, PNG, WEBP, media_type_of
from ima2.media.xmp import Untouched, packet, record_in

__all__ = ["Found", "embed", "payload", "read"]

_FORMS: dict[str | None, ModuleType] = {PNG: png, JPEG: jpeg, WEBP: webp}


@dataclass(frozen=True, slots=True)
class Found:
    """What `read` found: the record and where it was."""

    metadata: dict[str, Any] | None = None
    source: Literal["xmp", "png-comment"] | None = None


def embed(data: bytes, facts: Mapping[str, Any]) -> bytes:
    """The picture with the record of ``facts`` (see `payload`) inside, its pixels and other metadata as they were.

    The same bytes come back when nothing can be added without harm: another kind of file, a broken one, one
    with a C2PA manifest (whose signature covers the file), one whose own XMP packet cannot be extended, or a
    packet of more than 65 536 characters.
    """
    form = _FORMS.get(media_type_of(data))
    if form is None:
        return data
    try:
        result: bytes = form.embedded(data, partial(packet, payload(facts)))
    except Untouched:
        return data
    return result


def read(data: bytes) -> Found:
    """The record inside a picture: from its XMP, else from the text comments of a PNG. A broken file has none."""
    form = _FORMS.get(media_type_of(data))
    try:
        for text in form.packets(data) if form else ():
            if record := record_in(text):
                return Found(record, "xmp")
        for text in png.comments(data) if form is png else ():
            if record := record_in(text):
                return Found(record, "png-comment")
    except Untouched:
        pass
    return Found()


def read_metadata(data: bytes) -> tuple[dict[str, Any] | None, str | None]:
    """The record of how a picture was made, and where it stood (``xmp``, ``png-comment``); ``None`` twice without one.

    The record has the names and the form of ima2-gen's payload.
    """
    found = read(data)
    return found.metadata, found.source
