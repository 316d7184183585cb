"""What becomes of a job whose process went away, and the rest of one whose files are all there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson

from ima2.contracts import Provider
from ima2.interfaces import Label, Output, Request
from ima2.jobs.leases import Verdict, plain_verdict
from ima2.jobs.record import JobRecord, now_ms
from ima2.kernel.registry import Registry
from ima2.library import Gallery
from ima2.library.names import sidecar_of, url_of
from ima2.library.sidecar import from_facts, to_facts
from ima2.media.sniff import media_type_of
from ima2.models import Artifact, ImageRequest, Picture
from ima2.studio.file_names import possible_keys

log = logging.getLogger("ima2.studio")


def judge(record: JobRecord, registry: Registry, *, died: bool = False) -> Verdict:
    """What becomes of a job of a process that goes away, or ``died``.

    Its files are looked after; paid work is collected; what was not ordered runs; each waits for a provider that is
    not in use now. An order that nobody can follow is unknown, unless its files turn out to be there. A feature's own
    job is closed.
    """
    if record.request.get("media") not in ("image", "video"):
        return plain_verdict(record)
    provider = registry.providers.get(str(record.request["request"].get("provider")))
    lost = record.ordered_at is not None and record.receipt is None and not record.files
    if provider is None:
        return "unknown" if lost else "wait"
    if record.receipt is not None:
        return "collect" if can_collect(record, provider) else "unknown"
    if record.files:
        return "complete"
    if lost:
        return "complete" if died else "unknown"
    return "rerun"


def can_collect(record: JobRecord, provider: Provider) -> bool:
    """Whether a provider can collect what this job has ordered."""
    if record.request.get("media") == "video":
        return type(provider).resume is not Provider.resume
    return type(provider).resume_images is not Provider.resume_images


def expected_files(request: Request) -> int:
    """How many files end a request: of a sequence at least one."""
    return request.count if isinstance(request, ImageRequest) and not request.sequence else 1


async def stored_outputs(
    library: Gallery, record: JobRecord, request: Request, label: Label, name_bytes: int
) -> list[Output]:
    """The files of a job that are in the gallery. A sidecar that is missing is written again from the record."""
    found = []
    for index, key in possible_keys(record.id, label, request, name_bytes):
        try:
            data = await library.storage.get(key)
        except KeyError:
            continue
        facts = await _facts(library, key, record, request, label)
        picture = Picture(data, media_type_of(data) or "application/octet-stream")
        known = to_facts(facts)
        created_at = int(known.get("created_at") or record.started_at)
        revised, model = known.get("revised_prompt"), known.get("model")
        artifact = Artifact(
            picture, index, revised, known.get("provider_url"), model if model != request.model else None
        )
        found.append(Output(key, url_of(key), picture, facts, artifact, created_at, index))
    return found


async def _facts(library: Gallery, key: str, record: JobRecord, request: Request, label: Label) -> Mapping[str, Any]:
    try:
        facts = orjson.loads(await library.storage.get(sidecar_of(key)))
        if isinstance(facts, dict):
            return facts
    except (KeyError, orjson.JSONDecodeError):
        log.warning("the sidecar of %s was lost with the process; it is written again", key)
    facts = from_facts(
        {
            **label.facts,
            "request_id": record.id,
            "session_id": label.session_id,
            "client_node_id": label.client_id,
            "prompt": request.prompt,
            "user_prompt": label.facts.get("user_prompt", request.prompt),
            "provider": request.provider,
            "model": request.model,
            "created_at": now_ms(),
            "request_options": dict(request.options),
        }
    )
    await library.storage.put(sidecar_of(key), orjson.dumps(facts))
    return facts
