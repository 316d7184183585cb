"""What of an event goes where: with its pictures, with their addresses, or without them for the ring.

An event's data may carry a picture under ``image``, at the top and in each element of ``images``; these
dictionaries are called holders here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

import ima2
from ima2_plugins.sse.frames import data_url_length

Rendering = Literal["data", "url"]
"""How a listener gets pictures: inside the event as data URLs (the old wire), or by address."""
Payload = dict[str, ima2.Json]
OMITTED = "_imageOmitted"
LONG_IMAGE = 1000
"""An ``image`` of more characters than this is not kept for replay."""


def addressed(event: ima2.Event) -> Payload:
    """The event's data with ``url`` beside every ``filename`` and ``jobId`` last; the event is left as it is.

    An end that is told again after a restart has ``None`` in the place of its pictures.
    """
    payload = _changed(_changed(dict(event.data), _add_url), _mark_omitted)
    payload.pop("jobId", None)
    payload["jobId"] = event.job_id
    return payload


def without_pictures(payload: Payload) -> Payload:
    """The form for the ring: long images are left out, and that is said."""
    omitted = False

    def omit(holder: Payload) -> None:
        nonlocal omitted
        if _is_long(holder.get("image")):
            del holder["image"]
            holder[OMITTED] = omitted = True

    slim = _changed(payload, omit)
    if omitted:
        slim[OMITTED] = True
    return _job_last(slim)


def linked(payload: Payload, preview: Callable[[ima2.Picture], str | None] = lambda _: None) -> Payload:
    """The form with addresses instead of pictures. Takes a live payload or the ring's form of it.

    A holder with ``url`` gets that as its ``image``; any other picture the address that ``preview`` gives
    it. What has no address is left out, and that is said.
    """

    def link(holder: Payload) -> None:
        image = holder.get("image")
        if not image and OMITTED not in holder:
            return
        address = holder.get("url") or (preview(image) if isinstance(image, ima2.Picture) else None)
        if address:
            holder["image"] = address
            holder.pop(OMITTED, None)
        elif _is_long(image):
            del holder["image"]
            holder[OMITTED] = True

    slim = _changed(payload, link)
    elements = [element for element in slim.get("images") or () if isinstance(element, dict)]
    if elements and "url" not in slim and not any(OMITTED in element for element in elements):
        slim.pop(OMITTED, None)
    return _job_last(slim)


def image_size(payload: Payload) -> int:
    """How large the payload's images are, in bytes or characters."""
    size = 0

    def count(holder: Payload) -> None:
        nonlocal size
        image = holder.get("image")
        if isinstance(image, ima2.Picture):
            size += len(image.data)
        elif isinstance(image, str):
            size += len(image)

    _changed(payload, count)
    return size


def generated_url(filename: str) -> str:
    """The address of a file of the gallery, each segment percent-encoded as browsers do."""
    return "/generated/" + "/".join(quote(segment, safe="!'()*~") for segment in filename.split("/"))


def _changed(payload: Payload, change: Callable[[Payload], None]) -> Payload:
    """A copy with ``change`` applied to a copy of each holder; the top one comes last."""
    copy = dict(payload)
    if isinstance(images := copy.get("images"), list | tuple):
        copy["images"] = elements = [dict(one) if isinstance(one, dict) else one for one in images]
        for element in elements:
            if isinstance(element, dict):
                change(element)
    change(copy)
    return copy


def _add_url(holder: Payload) -> None:
    filename = holder.get("filename")
    if isinstance(filename, str) and filename and not holder.get("url"):
        holder["url"] = generated_url(filename)


def _mark_omitted(holder: Payload) -> None:
    if "image" in holder and holder["image"] is None:
        del holder["image"]
        holder[OMITTED] = True


def _is_long(image: ima2.Json) -> bool:
    if isinstance(image, ima2.Picture):
        return data_url_length(image) > LONG_IMAGE
    return isinstance(image, str) and len(image) > LONG_IMAGE


def _job_last(payload: Payload) -> Payload:
    payload["jobId"] = payload.pop("jobId", "")
    return payload
