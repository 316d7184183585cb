"""``POST /api/video/edit`` and ``/extend``: another clip out of one that is there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ima2.contracts import Provider, Storage
from ima2.errors import Ima2Error
from ima2.keys import is_key
from ima2.library import Library
from ima2.library.rows import extension_of
from ima2.media.frames import MAX_CLIP
from ima2.media.sniff import MP4, media_type_of
from ima2.models import Artifact, Json, Link, Picture, Source, VideoRequest
from ima2.ways import continuity
from ima2.ways.body import Body
from ima2.ways.choices import choose_model
from ima2.ways.clip import Clip, seconds
from ima2.ways.footage import PREFIX, clip, known
from ima2.ways.pictures import Providers
from ima2.ways.references import decode_bytes
from ima2.ways.script import Script
from ima2.ways.shape import duration_error, modes_of, whole
from ima2.ways.video import read_id, read_prompt
from ima2.ways.way import Limits, Outcome

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


class Change(Clip):
    """One edit or extension; the request's mode says which."""

    modes: ClassVar[tuple[str, ...]] = ("edit", "extend")

    def begun(self) -> None:
        return None

    @classmethod
    async def read(
        cls,
        mode: str,
        fields: Mapping[str, Any],
        providers: Providers,
        library: Library,
        limits: Limits,
        fallback_id: str,
    ) -> Change:
        """Check a body in the reference's order: prompt, clip named, model, length, clip found."""
        body = Body(fields)
        provider = providers(body.get("provider"))
        if mode not in modes_of(provider).modes:
            raise Ima2Error(
                provider.capabilities.code("VIDEO_MODE_INVALID"), 400, f"This provider cannot {mode} clips."
            )
        prompt = read_prompt(body, limits)
        if not isinstance(body.get("videoUrl"), str) or not body.get("videoUrl").strip():
            raise Ima2Error("VIDEO_URL_REQUIRED", 400, "videoUrl must say which clip to change.")
        model = _model(body, mode, provider)
        duration = _duration(body, mode, provider)
        options = choose_model(Body({"options": body.get("options")}), provider, "video")
        original = await find(body.get("videoUrl").strip(), library.storage, takes_links=provider.capabilities.links)
        lineage = continuity.stored(original.facts, original.filename) if original.filename else None
        script = Script(
            prompt,
            lineage=lineage.data() if lineage else None,
            parent=original.filename,
            source=original.summary,
            source_seconds=original.seconds,
        )
        request = VideoRequest(
            prompt, provider.id, model, mode, duration, clip=original.source, options=options.options
        )
        return cls(read_id(fields, fallback_id), provider, request, script, limits, warnings=options.warnings)

    def expected(self) -> float:
        return (self.script.source_seconds or 0.0) + (self.request.duration if self.request.mode == "extend" else 0)

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        video = {
            "operation": self.request.mode,
            "duration": self.duration(artifact),
            "source": self.script.source,
            "sourceUrl": summary_of_url(artifact.url) if artifact.url else None,
            "contentType": MP4,
        }
        return {
            **self.told(artifact, created_at, outcome),
            "requestId": self.upstream_id(artifact) or self.id,
            "jobId": self.id,
            "video": video,
        }

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        made = outcome.made[0]
        return {
            "requestId": self.upstream_id(made.artifact) or self.id,
            "jobId": self.id,
            "url": made.kept.url,
            "filename": made.kept.key,
            "mediaType": "video",
            "sourceUrl": made.artifact.url,
            "duration": self.duration(made.artifact),
            "model": self.models(made.artifact)["effectiveModel"],
            "elapsed": outcome.elapsed,
            "usage": outcome.usage,
            "cost": outcome.cost,
            "video": made.kept.facts["video"],
            "videoContinuity": made.kept.facts["videoContinuity"],
            "warnings": outcome.warnings,
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
        await clip(storage, key), {"kind": "generated-file", "filename": key}, key, await known(storage, key)
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


def _model(body: Body, mode: str, provider: Provider) -> str:
    """The model of a change: one of those the mode is limited to, its default where none is named."""
    able = provider.capabilities
    every = tuple(model.id for model in able.models if model.media == "video" and model.supported)
    allowed = modes_of(provider).models.get(mode, every)
    asked = body.get("model")
    if asked is None or asked == "":
        return able.default_video_model if able.default_video_model in allowed else allowed[0]
    if not isinstance(asked, str) or asked not in allowed:
        raise Ima2Error(able.code("VIDEO_MODEL_INVALID"), 400, f"model must be one of: {', '.join(allowed)}")
    return asked


def _duration(body: Body, mode: str, provider: Provider) -> int:
    """Seconds to add. An edit keeps the length of its original, whatever is asked."""
    low, high = modes_of(provider).durations.get(mode, (1, 15))
    if mode != "extend":
        return low
    duration = whole(body.get("duration"), min(max(EXTENSION_S, low), high))
    if duration is None or not low <= duration <= high:
        raise duration_error(provider, low, high)
    return duration
