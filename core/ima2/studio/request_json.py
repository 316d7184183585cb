"""A typed request and its label as JSON, so that a job can be read back, repeated and resumed.

Pictures are no JSON: they lie in the storage below `INPUTS`, under names that follow from the job's id, as long as the
job is not over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from ima2.contracts import Storage
from ima2.interfaces import Label, Request
from ima2.models import ImageRequest, Json, Link, Picture, Source, VideoRequest

INPUTS = ".jobs"
_KINDS: dict[str, type[ImageRequest] | type[VideoRequest]] = {"image": ImageRequest, "video": VideoRequest}
_SOURCES = ("source", "mask", "clip")


def dump(job_id: str, request: Request, label: Label) -> dict[str, Json]:
    """Request and label as JSON. Pictures are named, not held; see `pictures`."""
    plain = {
        one.name: getattr(request, one.name) for one in fields(request) if one.name not in (*_SOURCES, "references")
    }
    named = iter(range(1000))
    for name in _SOURCES:
        if (value := getattr(request, name, None)) is not None:
            plain[name] = _name(job_id, value, named)
    plain["references"] = [_name(job_id, one, named) for one in request.references]
    plain["options"] = dict(request.options)
    media = "image" if isinstance(request, ImageRequest) else "video"
    return {"media": media, "request": plain, "label": asdict(label)}


def parse(stored: Mapping[str, Any]) -> tuple[Request, Label]:
    """What `dump` made, without its pictures. Raises ``KeyError`` or ``TypeError`` where it is not complete."""
    kind, plain, label = _KINDS[stored["media"]], stored["request"], stored["label"]
    known = {one.name for one in fields(kind)} - {*_SOURCES, "references"}
    request: Request = kind(**{name: value for name, value in plain.items() if name in known})
    return request, Label(**{one.name: label[one.name] for one in fields(Label) if one.name in label})


async def with_inputs(request: Request, stored: Mapping[str, Any], storage: Storage) -> Request:
    """The request with its pictures, read from the storage. ``KeyError`` where one is gone."""
    plain = stored["request"]
    sources = {name: await _input(plain[name], storage) for name in _SOURCES if name in plain}
    references = [await _input(value, storage) for value in plain.get("references", ())]
    return replace(request, references=tuple(references), **sources)  # type: ignore[arg-type]


def pictures(job_id: str, request: Request) -> dict[str, bytes]:
    """The pictures of a request by the names that `dump` gives them."""
    sources = [getattr(request, name, None) for name in _SOURCES]
    present = [one for one in (*sources, *request.references) if one is not None]
    return {_key(job_id, place): one.data for place, one in enumerate(present) if isinstance(one, Picture)}


def folder(job_id: str) -> str:
    """Where a job's pictures lie. Ids may hold what no file name may, so it is a hash."""
    return f"{INPUTS}/{hashlib.sha256(job_id.encode()).hexdigest()[:24]}"


def _key(job_id: str, place: int) -> str:
    return f"{folder(job_id)}/{place}"


def _name(job_id: str, source: Source, places: Any) -> dict[str, Json]:
    place = next(places)
    return {"link": source.url} if isinstance(source, Link) else {"key": _key(job_id, place), "type": source.media_type}


async def _input(value: Mapping[str, Any], storage: Storage) -> Source:
    return Link(value["link"]) if "link" in value else Picture(await storage.get(value["key"]), value["type"])
