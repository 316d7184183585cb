"""What the 1.5 models take beside pictures: a last frame, keyframes, voices, and a choice of sound.

Fields and shapes: xai-sdk 1.21.0, types/video.py and video.proto (v6).
"""

from __future__ import annotations

from collections.abc import Mapping

from ima2 import Ima2Error, Json, VideoRequest
from ima2_provider_grok import wire
from ima2_provider_grok.catalogue import VIDEO_15, VideoModel

NAMES = ("lastFrame", "keyframes", "sound", "voices")


def check(request: VideoRequest, model: str, able: VideoModel) -> None:
    """400 ``INVALID_OPTION`` for an extra that makes no sense or that the model has not."""
    wanted = fields(request)
    if wanted and not able.extras:
        names = ", ".join(name for name in NAMES if _is_set(request, name))
        raise Ima2Error("INVALID_OPTION", 400, f"{model} does not take {names}; {VIDEO_15} does.")


def fields(request: VideoRequest) -> dict[str, Json]:
    """xAI's fields of the extras that were asked for."""
    options = request.options
    found: dict[str, Json] = {}
    if _is_set(request, "lastFrame"):
        found["last_frame"] = _picture(options["lastFrame"], "lastFrame")
    if _is_set(request, "keyframes"):
        found["keyframes"] = [_keyframe(one, request.duration) for one in options["keyframes"]]
    if _is_set(request, "voices"):
        found["reference_audios"] = [_voice(one) for one in options["voices"]]
    if _is_set(request, "sound"):
        found["generate_audio"] = options["sound"] == "on"
    return found


def _is_set(request: VideoRequest, name: str) -> bool:
    value = request.options.get(name)
    return value in ("on", "off") if name == "sound" else bool(value)


def _picture(value: Json, what: str) -> dict[str, str]:
    source = wire.link(value, what)
    return {"file_id" if wire.is_file_id(source) else "url": source.url}


def _keyframe(value: Json, seconds: int) -> dict[str, Json]:
    """One picture that the clip passes through, strictly inside its length."""
    entry = value if isinstance(value, Mapping) else {}
    at = entry.get("timestamp")
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 < at < seconds:
        text = f"Each of keyframes needs a timestamp in seconds, after 0 and before the end of the clip ({seconds})."
        raise Ima2Error("INVALID_OPTION", 400, text)
    return {"image": _picture(entry.get("image"), "image of keyframes"), "timestamp_s": at}


def _voice(value: Json) -> dict[str, str]:
    name = value.get("voiceId") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise Ima2Error("INVALID_OPTION", 400, "Each of voices needs a voiceId of xAI's voice catalogue.")
    return {"voice_id": name.strip()}
