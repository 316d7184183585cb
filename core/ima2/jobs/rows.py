"""A job's record and its row in the database: one from the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import orjson

from ima2.jobs.record import JobRecord
from ima2.models import Json, Picture, Receipt


def columns(record: JobRecord) -> dict[str, Any]:
    """What changes while a job lives. Its id, owner, fence and the mark of an order have writers of their own."""
    receipt = record.receipt
    stored = {"id": receipt.id, "data": dict(receipt.data), "facts": dict(receipt.facts)} if receipt else None
    return {
        "kind": record.kind,
        "prompt": _whole(record.prompt),
        "meta": to_json(dict(record.meta)),
        "request": to_json(dict(record.request)),
        "receipt": to_json(stored) if stored else None,
        "session_id": record.session_id,
        "started_at": record.started_at,
        "phase": record.phase,
        "phase_at": record.phase_at,
        "status": record.status,
        "finished_at": record.finished_at,
        "http_status": record.http_status,
        "error_code": record.error_code,
        "files": to_json(list(record.files)),
        "client": record.client,
        "direct": record.direct,
        "place": record.place,
    }


_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS
"""Without the second, orjson writes a picture's fields out before anybody is asked."""


def from_row(row: Mapping[str, Any]) -> JobRecord:
    """The record of a row of ``ima2_jobs``."""
    receipt = orjson.loads(row["receipt"]) if row["receipt"] else None
    return JobRecord(
        id=row["id"],
        kind=row["kind"],
        prompt=row["prompt"],
        meta=orjson.loads(row["meta"]),
        request=orjson.loads(row["request"]),
        started_at=row["started_at"],
        phase=row["phase"],
        phase_at=row["phase_at"],
        owner=row["owner"],
        status=row["status"],
        finished_at=row["finished_at"],
        http_status=row["http_status"],
        error_code=row["error_code"],
        receipt=Receipt(receipt["id"], receipt["data"], receipt.get("facts") or {}) if receipt else None,
        session_id=row["session_id"],
        ordered_at=row["ordered_at"],
        fence=row["fence"],
        files=tuple(orjson.loads(row["files"])),
        client=row["client"],
        direct=row["direct"],
        place=row["place"],
    )


def to_json(value: Json) -> str:
    """JSON of what a provider or caller may have put together: what JSON cannot say becomes text, a picture null."""
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS).decode()
    except TypeError:  # a half surrogate, a number beyond 64 bits
        return _whole(json.dumps(value, default=_plain, ensure_ascii=False))


def _whole(text: str) -> str:
    """Text that can be stored: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()


def _plain(value: object) -> Json:
    if isinstance(value, Picture):
        return None
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)
