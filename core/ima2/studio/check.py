"""A typed request, judged by what its provider declares: the same rules for every caller."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ima2.capabilities import Capabilities, Option, Sizes, VideoModes
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.interfaces import Checked
from ima2.models import ImageRequest, Json, Media, Notice, VideoRequest
from ima2.studio.estimate import estimate

_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
SMALLEST_EDGE = 16
"""Pixels below which no provider is asked."""


def check_images(request: ImageRequest, provider: Provider) -> Checked:
    """A request for pictures as it will be sent, or 400 with the provider's own code for what it does not take."""
    able = provider.capabilities
    if "image" not in able.media:
        raise provider.unsupported("image")
    check_prompt(request.prompt)
    notices: list[Notice] = []
    model = fixed_model(able, request.model, notices) or check_model(
        able, request.model, "image", any_model=request.any_model
    )
    if any_notice := unknown_model_notice(able, model):
        notices.append(any_notice)
    _check_inputs(request, provider, model)
    _check_counts(request, provider)
    checked = replace(
        request,
        provider=provider.id,
        model=model,
        size=fixed_size(able, request.size, notices) or check_size(able, request.size, model),
        quality=_quality(able, request.quality, model),
        moderation=_moderation(able, request.moderation),
        options=check_options(able, request.options),
    )
    return Checked(checked, provider, notices, estimate(able, checked))


def check_video(request: VideoRequest, provider: Provider) -> Checked:
    """A request for a clip as it will be sent, or 400 with the provider's own code for what it does not take."""
    able, modes = provider.capabilities, video_modes(provider, request.model)
    check_prompt(request.prompt)
    if request.mode not in modes.modes:
        raise Ima2Error(
            able.code("VIDEO_MODE_INVALID"), 400, f"This provider makes no clips of the mode {request.mode}."
        )
    if len(request.references) > modes.max_references:
        text = f"At most {modes.max_references} pictures can go into a clip; {len(request.references)} were given."
        raise Ima2Error(able.code("VIDEO_REF_TOO_MANY"), 400, text)
    checked = replace(
        request,
        provider=provider.id,
        model=video_model(able, request.model, request.mode, any_model=request.any_model),
        duration=check_duration(request.duration, request.mode, provider, request.model),
        resolution=check_shape(able, "resolution", request.resolution, modes.resolutions),
        aspect_ratio=check_shape(able, "aspect_ratio", request.aspect_ratio, modes.aspect_ratios),
        options=check_options(able, request.options),
    )
    notice = unknown_model_notice(able, checked.model)
    return Checked(checked, provider, [notice] if notice else [], estimate(able, checked))


def check_prompt(prompt: str) -> None:
    """Words that say something and can be written down: 400 ``PROMPT_REQUIRED`` or ``INVALID_PROMPT``."""
    if not prompt.strip():
        raise Ima2Error("PROMPT_REQUIRED", 400, "Prompt is required")
    if _SURROGATE.search(prompt):
        raise Ima2Error("INVALID_PROMPT", 400, "The prompt holds half of a surrogate pair, which is no text.")


# -- models -----------------------------------------------------------------------------------------


def check_model(able: Capabilities, asked: str, media: Media, *, any_model: bool = False) -> str:
    """A model that can be used: the one asked for, the default for ``""``. One that nobody declared only with
    ``any_model``."""
    default = able.default_model if media == "image" else able.default_video_model
    if not asked:
        return default
    known = {model.id: model for model in able.models if model.media == media}
    usable = ", ".join(model.id for model in known.values() if model.supported)
    if asked in known and not known[asked].supported:
        raise Ima2Error(able.code("MODEL_UNSUPPORTED"), 400, f"This model cannot make pictures. Use one of: {usable}")
    if asked not in known and not any_model:
        code = able.code("MODEL_INVALID" if media == "image" else f"{media.upper()}_MODEL_INVALID")
        raise Ima2Error(code, 400, f"model must be one of: {usable}")
    return asked


def fixed_model(able: Capabilities, asked: str, notices: list[Notice]) -> str | None:
    """The one model of a provider that sets it itself; a notice where another was asked for."""
    if "model" not in able.fixed:
        return None
    used = able.fixed["model"]
    if asked and asked != used:
        notices.append(normalized("MODEL_FIXED", "model", used, "provider-has-one-model"))
    return able.default_model or str(used)


def video_model(able: Capabilities, asked: str, mode: str, *, any_model: bool = False) -> str:
    """The model of a clip: one of those its mode is limited to, its default where none is named."""
    limited = able.video.models.get(mode) if able.video else None
    if limited is None:
        return check_model(able, asked, "video", any_model=any_model)
    if not asked:
        return able.default_video_model if able.default_video_model in limited else limited[0]
    if asked not in limited and not any_model:
        raise Ima2Error(able.code("VIDEO_MODEL_INVALID"), 400, f"model must be one of: {', '.join(limited)}")
    return asked


def unknown_model_notice(able: Capabilities, model: str) -> Notice | None:
    """What to say of a model that its provider does not declare."""
    if not model or any(known.id == model for known in able.models):
        return None
    return Notice(
        "MODEL_UNKNOWN", "This model is not among those known here; it was sent as it is.", {"field": "model"}
    )


# -- options and looks --------------------------------------------------------------------------------


def check_options(able: Capabilities, given: Mapping[str, Json]) -> dict[str, Json]:
    """Declared options with their values checked and the defaults filled in; 400 ``UNKNOWN_OPTION`` for any other."""
    chosen: dict[str, Json] = {}
    for name, value in given.items():
        option = able.option(name)
        if option is None:
            names = ", ".join(sorted(option.name for option in able.options)) or "none"
            raise Ima2Error("UNKNOWN_OPTION", 400, f"This provider has no such option. It has: {names}")
        chosen[name] = value if value == option.default else check_option(option, value)
    for option in able.options:
        chosen.setdefault(option.name, option.default)
    return chosen


def check_option(option: Option, value: Any) -> Json:
    """A value of a declared option, or 400 with the option's own code."""
    good = {
        "choice": lambda: isinstance(value, str) and value in option.values,
        "flag": lambda: isinstance(value, bool),
        "text": lambda: isinstance(value, str) and len(value) <= 4000,
        "number": lambda: _fits(option, value),
        "list": lambda: isinstance(value, list) and len(value) <= 64 and all(isinstance(one, dict) for one in value),
    }[option.kind]()
    if not good:
        raise Ima2Error(option.error_code, 400, f"{option.name} must be {_wanted(option)}")
    return value


def _fits(option: Option, value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 2**53:
        return False
    low = option.min if option.min is not None else value
    high = option.max if option.max is not None else value
    return low <= value <= high and (not option.integer or value == int(value))


def _wanted(option: Option) -> str:
    if option.values:
        return f"one of: {', '.join(option.values)}"
    if option.kind != "number":
        return f"a {option.kind}"
    kind = "a whole number" if option.integer else "a number"
    low = f" from {option.min:g}" if option.min is not None else ""
    high = f" up to {option.max:g}" if option.max is not None else ""
    return f"{kind}{low}{high}"


def check_size(able: Capabilities, asked: str, model: str = "") -> str:
    """A size the provider, or the model where it is narrower, takes; its default for ``""``. 400 ``INVALID_SIZE``."""
    sizes = next((one.sizes for one in able.models if one.id == model and one.sizes), None) or able.sizes
    if not asked:
        return able.default_size
    if takes_size(sizes, asked):
        return asked
    allowed = f"WIDTHxHEIGHT up to {sizes.max_edge}" if sizes.free else ", ".join(sizes.listed)
    raise Ima2Error("INVALID_SIZE", 400, f"size must be {allowed}{' or auto' if sizes.auto else ''}.")


def takes_size(sizes: Sizes, asked: str) -> bool:
    """Whether a size is among those declared."""
    match = _SIZE.fullmatch(asked)
    fits = match and sizes.free and all(SMALLEST_EDGE <= int(edge) <= sizes.max_edge for edge in match.groups())
    listed = asked in sizes.listed or (asked == "auto" and sizes.auto)
    return bool(fits) or listed or any(re.fullmatch(form, asked) for form in sizes.forms)


def fixed_size(able: Capabilities, asked: str, notices: list[Notice]) -> str | None:
    """The one size of a provider that sets it itself; a notice where another was asked for."""
    if "size" not in able.fixed:
        return None
    used = str(able.fixed["size"])
    if asked and asked != used:
        notices.append(normalized("SIZE_FIXED", "size", used, "provider-has-one-size"))
    return used


def normalized(code: str, field: str, used: Json, reason: str) -> Notice:
    """The notice that something else than what was asked is used."""
    text = f"{field} was taken as {used}."
    return Notice(code, text, {"field": field, "normalized_to": used, "reason": reason})


def qualities(able: Capabilities, model: str) -> tuple[str, ...]:
    """The qualities of a model, else of its provider."""
    own = next((one.qualities for one in able.models if one.id == model), None)
    return able.qualities if own is None else own


def _quality(able: Capabilities, asked: str, model: str) -> str:
    known = qualities(able, model)
    if asked in known or not known:
        return asked
    if asked in ("", ImageRequest.__dataclass_fields__["quality"].default):
        return known[0]
    raise Ima2Error("INVALID_QUALITY", 400, f"quality must be one of: {', '.join(known)}")


def _moderation(able: Capabilities, asked: str) -> str:
    if asked in able.moderations or not able.moderations:
        return asked
    if asked in ("", "low"):
        return able.moderations[0]
    raise Ima2Error("INVALID_MODERATION", 400, f"moderation must be one of: {', '.join(able.moderations)}")


# -- inputs and counts --------------------------------------------------------------------------------


def _check_inputs(request: ImageRequest, provider: Provider, model: str) -> None:
    able = provider.capabilities
    if request.source is not None and not able.edit:
        raise provider.unsupported("edit")
    if request.mask is not None and not able.mask:
        raise Ima2Error(able.code("MASK_UNSUPPORTED"), 400, f"{provider.title} cannot edit with a mask.")
    taken = 1 if request.source is not None and not able.source_is_extra else 0
    check_reference_count(able, len(request.references), taken, model)


def check_reference_count(able: Capabilities, count: int, taken: int = 0, model: str = "") -> None:
    """Whether so many reference pictures are taken beside ``taken`` other inputs; 400 ``REF_TOO_MANY``."""
    own = next((one.max_references for one in able.models if one.id == model), None)
    most = able.max_references if own is None else own
    if count + taken > max(most, taken):
        raise Ima2Error(able.code("REF_TOO_MANY"), 400, f"This provider takes {most} reference pictures at most.")


def _check_counts(request: ImageRequest, provider: Provider) -> None:
    able = provider.capabilities
    if request.sequence and able.sequence < 1:
        raise provider.unsupported("sequence")
    for name, value, low, high in (
        ("count", request.count, 1, able.max_count),
        ("sequence", request.sequence, 0, able.sequence),
        ("partials", request.partials, 0, max(able.partials, 0)),
    ):
        if not low <= value <= high:
            raise Ima2Error(f"INVALID_{name.upper()}", 400, f"{name} must be from {low} to {high} here.")


# -- clips --------------------------------------------------------------------------------------------


def video_modes(provider: Provider, model: str = "") -> VideoModes:
    """What a provider of clips takes, with this model where it differs, or its refusal to make any."""
    able = provider.capabilities
    if able.video is None:
        raise provider.unsupported("video")
    name = model or able.default_video_model
    return next((one.video for one in able.models if one.id == name and one.video is not None), able.video)


def check_duration(duration: int, mode: str, provider: Provider, model: str = "") -> int:
    """A length in seconds that this mode takes; 400 ``VIDEO_DURATION_INVALID``."""
    low, high = video_modes(provider, model).durations.get(mode, (duration, duration))
    if not low <= duration <= high:
        raise duration_error(provider, low, high)
    return duration


def duration_error(provider: Provider, low: int, high: int) -> Ima2Error:
    """400: not a length that can be asked for."""
    code = provider.capabilities.code("VIDEO_DURATION_INVALID")
    return Ima2Error(code, 400, f"duration must be a whole number of seconds from {low} to {high}")


def check_shape(able: Capabilities, name: str, value: str, allowed: tuple[str, ...]) -> str:
    """A resolution or ratio that is declared; 400 ``VIDEO_RESOLUTION_INVALID`` or ``VIDEO_ASPECT_RATIO_INVALID``."""
    if value not in allowed:
        code = able.code(f"VIDEO_{name.upper()}_INVALID")
        shown = name.partition("_")[0] + name.partition("_")[2].capitalize()
        raise Ima2Error(code, 400, f"{shown} must be one of: {', '.join(allowed)}")
    return value
