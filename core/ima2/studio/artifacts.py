"""What a provider hands over, made into what was asked for: true types, the format promised, clips cut as asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ima2.errors import Ima2Error
from ima2.interfaces import Request
from ima2.media.convert import convert
from ima2.media.frames import cut_start
from ima2.media.sniff import EXTENSIONS, MEDIA_TYPES, MP4, media_type_of
from ima2.models import Artifact, ImageRequest, Json, Notice, Picture, VideoRequest


async def accept(
    artifact: Artifact, request: Request, formats: tuple[str, ...]
) -> tuple[Picture, Mapping[str, Json], Notice | None]:
    """The file to keep, what there is to write down of it, and a notice. 502 ``PROVIDER_ANSWER_INVALID`` for what is
    no picture, or no clip, at all."""
    if isinstance(request, VideoRequest):
        return await _clip(artifact, request)
    picture, facts = await _image(artifact, request, formats)
    return picture, facts, None


async def _image(
    artifact: Artifact, request: ImageRequest, formats: tuple[str, ...]
) -> tuple[Picture, Mapping[str, Json]]:
    """The picture in the format asked for, where the provider promises one. Its true type is what its bytes say."""
    data = artifact.picture.data
    media_type = media_type_of(data)
    if media_type is None or not media_type.startswith("image/"):
        raise Ima2Error("PROVIDER_ANSWER_INVALID", 502, "The provider sent something that is no picture.")
    wanted = MEDIA_TYPES[request.format]
    if media_type == wanted or request.format not in formats:
        return Picture(data, media_type), {}
    return Picture(await asyncio.to_thread(convert, data, wanted), wanted), {"converted_from": EXTENSIONS[media_type]}


async def _clip(artifact: Artifact, request: VideoRequest) -> tuple[Picture, Mapping[str, Json], Notice | None]:
    """The clip, cut where that was asked for. One that cannot be cut is kept whole."""
    clip = Picture(artifact.picture.data, MP4)
    if media_type_of(clip.data) != MP4:
        raise Ima2Error("PROVIDER_ANSWER_INVALID", 502, "The provider sent something that is no MP4 clip.")
    if not request.trim_start:
        return clip, {}, None
    try:
        return await cut_start(clip, request.trim_start), {"trimmed_seconds": request.trim_start}, None
    except Ima2Error as error:
        text = f"The black start of the clip could not be cut off; the clip was kept whole. {error.text}"
        return clip, {}, Notice("STORYBOARD_NOT_TRIMMED", text)


def differences(request: Request, artifact: Artifact, used: Mapping[str, Json]) -> list[Notice]:
    """A notice for each thing that was asked for explicitly and came differently. Never a failure: it is paid."""
    found = []
    sent, served = artifact.model or request.model, used["model"]
    if served != sent:
        found.append(_differs("MODEL_DIFFERS", "model", sent, served))
    quality = used.get("quality")
    if isinstance(request, ImageRequest) and isinstance(quality, str) and quality != request.quality != "auto":
        found.append(_differs("QUALITY_DIFFERS", "quality", request.quality, quality))
    return found


def _differs(code: str, field: str, asked: Json, used: Json) -> Notice:
    return Notice(
        code, f"{field} was asked as {asked}; {used} was used.", {"field": field, "requested": asked, "used": used}
    )
