"""What is known of a picture or clip when it is saved: what was asked, and what was really used."""

from __future__ import annotations

from ima2.interfaces import JobResult, Label, Request
from ima2.media.sniff import EXTENSIONS, size_of
from ima2.models import Artifact, ImageRequest, Json, Picture


def facts_of(
    request: Request, label: Label, result: JobResult, artifact: Artifact, picture: Picture, created_at: int
) -> dict[str, Json]:
    """Every fact of one file, snake_case. What the label says of its own stands first and may be overruled."""
    own: dict[str, Json] = {"session_id": label.session_id, "client_node_id": label.client_id, **label.facts}
    common = {
        "request_id": result.id,
        "prompt": request.prompt,
        "user_prompt": label.facts.get("user_prompt", request.prompt),
        "revised_prompt": artifact.revised_prompt,
        "provider": request.provider,
        "model": artifact.model or request.model,
        "created_at": created_at,
        "elapsed": result.elapsed,
        "usage": result.usage,
        "web_search_calls": result.searches,
    }
    special = (
        {**_image(request, picture), **artifact.facts} if isinstance(request, ImageRequest) else {"media_type": "video"}
    )
    used = {"used": used_of(request, artifact, picture)}
    url = {"provider_url": artifact.url} if artifact.url else {}
    return {**own, **common, **special, **used, **url}


def used_of(request: Request, artifact: Artifact, picture: Picture) -> dict[str, Json]:
    """What was really used, read from the answer and the bytes: model, size in pixels, and what the answer names."""
    pixels = size_of(picture.data)
    used: dict[str, Json] = {"model": artifact.used.get("model") or artifact.model or request.model}
    if pixels is not None:
        used |= {"size": f"{pixels[0]}x{pixels[1]}", "width": pixels[0], "height": pixels[1]}
    return {**artifact.used, **used}


def _image(request: ImageRequest, picture: Picture) -> dict[str, Json]:
    return {
        "quality": request.quality,
        "size": request.size,
        "format": EXTENSIONS[picture.media_type],
        "moderation": request.moderation,
        "request_options": dict(request.options),
    }
