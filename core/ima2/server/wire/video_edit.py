"""``POST /api/video/edit`` and ``/extend``: another clip out of one that is there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ima2.contracts import Storage
from ima2.errors import Ima2Error
from ima2.interfaces import JobResult, Label, Studio
from ima2.keys import is_key
from ima2.library import Gallery
from ima2.library.names import extension_of
from ima2.media.frames import MAX_CLIP
from ima2.media.sniff import MP4, media_type_of
from ima2.models import Artifact, Json, Link, Picture, Source, VideoRequest
from ima2.server.wire import lineage
from ima2.server.wire.gallery_inputs import PREFIX, clip, sidecar_facts
from ima2.server.wire.picture_view import warnings
from ima2.server.wire.references import decode_bytes
from ima2.server.wire.video_body import VideoBody, whole_seconds
from ima2.server.wire.video_view import MODES, VideoView, seconds, upstream_id
from ima2.studio.check import video_model, video_modes

KIND, VIEW = "video", "video-edit"
FILE_ID = re.compile(r"file[-_][A-Za-z0-9._-]{1,200}")
"""An upstream's own id of a file it keeps (docs.x.ai, files)."""
EXTENSION_S = 6
URL_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Original:
    """The clip to change. ``summary`` names it without its content; ``filename`` is set for one of the gallery."""

    source: Source
    summary: dict[str, Json]
    filename: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def seconds(self) -> float | None:
        """Its length, where the gallery knows it."""
        video = self.facts.get("video")
        return seconds(video.get("duration")) if isinstance(video, Mapping) else None


async def read(
    mode: str, fields: Mapping[str, Any], studio: Studio, library: Gallery, fallback_id: str
) -> tuple[VideoRequest, Label]:
    """Check a body in the reference's order: prompt, clip named, model, length, clip found."""
    body = VideoBody(fields, studio, fallback_id)
    body.choose_provider()
    if mode not in video_modes(body.provider).modes:
        raise Ima2Error(body.able.code("VIDEO_MODE_INVALID"), 400, f"This provider cannot {mode} clips.")
    prompt = body.require_prompt()
    named = body.get("videoUrl")
    if not isinstance(named, str) or not named.strip():
        raise Ima2Error("VIDEO_URL_REQUIRED", 400, "videoUrl must say which clip to change.")
    asked = body.get("model")
    asked = asked if isinstance(asked, str) or asked is None else " "
    model = video_model(body.able, asked or "", mode, any_model=body.any_model)
    duration = _duration(body, mode)
    body.read_options()
    original = await find(named.strip(), library.storage, takes_links=body.able.links)
    body.identify()
    request = VideoRequest(
        prompt,
        body.provider.id,
        model,
        mode,
        duration,
        clip=original.source,
        options=body.options,
        any_model=body.any_model,
    )
    return request, _label(body, request, original)


def _label(body: VideoBody, request: VideoRequest, original: Original) -> Label:
    before = lineage.stored(original.facts, original.filename) if original.filename else None
    meta = {
        "clientNodeId": None,
        "model": request.model,
        "mode": MODES[request.mode],
        "duration": request.duration,
        "resolution": request.resolution,
    }
    extra = {
        "prompt": request.prompt,
        "lineage": before.data() if before else None,
        "parent": original.filename,
        "source": original.summary,
        "source_seconds": original.seconds,
    }
    return Label(id=body.id, kind=KIND, view=VIEW, name="{ms}_{hex}", meta=meta, extra=extra, warnings=body.warnings)


class VideoEditView(VideoView):
    """One edit or extension; the request's mode says which."""

    def expected(self) -> float:
        before = float(self.label.extra.get("source_seconds") or 0.0)
        return before + (self.request.duration if self.request.mode == "extend" else 0)

    def facts(self, artifact: Artifact, result: JobResult) -> dict[str, Json]:
        video = {
            "operation": self.request.mode,
            "duration": self.duration(result.kept[0]),
            "source": self.label.extra.get("source"),
            "sourceUrl": summary_of_url(artifact.url) if artifact.url else None,
            "contentType": MP4,
        }
        ids = {"request_id": upstream_id(result) or result.id, "jobId": result.id}
        return {**super().facts(artifact, result), **ids, "video": video}

    def done(self, result: JobResult) -> dict[str, Json]:
        output = result.kept[0]
        return {
            "requestId": upstream_id(result) or result.id,
            "jobId": result.id,
            "url": output.url,
            "filename": output.key,
            "mediaType": "video",
            "sourceUrl": output.artifact.url,
            "duration": self.duration(output),
            "model": self.models(output.artifact)["effectiveModel"],
            "elapsed": result.elapsed,
            "usage": result.usage,
            "cost": result.cost,
            "costEstimate": result.estimate,
            "video": output.facts["video"],
            "videoContinuity": output.facts["videoContinuity"],
            "warnings": warnings(result),
        }


async def find(text: str, storage: Storage, *, takes_links: bool) -> Original:
    """The clip that a client names: an address, a ``data:`` URL, an upstream's file id, or a file of the gallery."""
    if text.startswith(("http://", "https://")) or (FILE_ID.fullmatch(text) and extension_of(text) != "mp4"):
        if not takes_links or len(text) > URL_CHARS:
            raise Ima2Error("VIDEO_URL_INVALID", 400, "This provider takes clips themselves, not their address.")
        is_url = text.startswith("http")
        return Original(Link(text), summary_of_url(text) if is_url else {"kind": "file_id"})
    if text.startswith("data:"):
        return await asyncio.to_thread(_sent, text)
    key = _key(text, storage)
    return Original(
        await clip(storage, key), {"kind": "generated-file", "filename": key}, key, await sidecar_facts(storage, key)
    )


def summary_of_url(url: str) -> dict[str, Json]:
    """Where an address leads, without what may be secret in it: its origin and the last part of its path."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return {
        "kind": "url",
        "origin": f"{parts.scheme}://{parts.hostname or ''}{port}",
        "pathname": parts.path.rpartition("/")[2],
    }


def _sent(text: str) -> Original:
    """A clip sent along as a ``data:`` URL."""
    head, _, payload = text.partition(",")
    if not head.startswith("data:video/") or not head.endswith(";base64"):
        raise Ima2Error("VIDEO_URL_INVALID", 400, "A data: URL for a clip must be data:video/mp4;base64,….")
    data = decode_bytes(payload, "videoUrl", "VIDEO_URL_INVALID")
    if len(data) > MAX_CLIP or media_type_of(data) != MP4:
        raise Ima2Error("VIDEO_INVALID", 400, "The clip sent along must be an MP4 of at most 100 MB.")
    return Original(Picture(data, MP4), {"kind": "data-url", "approximateBytes": len(data)})


def _key(text: str, storage: Storage) -> str:
    """The key of a file of the gallery, named by its key, its address here, or its absolute path."""
    name = text.removeprefix(PREFIX)
    root = storage.local_path("x.mp4")
    if name.startswith("/") and root is not None:
        path, folder = Path(name), root.parent
        for base in (folder, folder.resolve()):
            if path.is_relative_to(base):
                name = path.relative_to(base).as_posix()
    if not is_key(name):
        raise Ima2Error("VIDEO_URL_INVALID", 400, "videoUrl must name a clip inside the gallery.")
    if extension_of(name) != "mp4":
        raise Ima2Error("VIDEO_URL_INVALID", 400, "The clip must be an .mp4 file.")
    return name


def _duration(body: VideoBody, mode: str) -> int:
    """Seconds to add. An edit keeps the length of its original, whatever is asked."""
    low, high = video_modes(body.provider).durations.get(mode, (1, 15))
    if mode != "extend":
        return low
    return whole_seconds(body.get("duration"), min(max(EXTENSION_S, low), high), low, high, body.provider)
