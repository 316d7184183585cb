"""What a request asks of its provider, checked against what the provider declares.

Nothing is changed in silence: a value is taken, refused with the provider's own code, or answered
with a warning that names what was used instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ima2.capabilities import Capabilities, Option
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.models import Json, Media
from ima2.ways.body import Body, integer

_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")
FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
WIRE_NAMES = {"reasoningEffort": "reasoningEffort", "webSearchEnabled": "webSearch", "mode": "mode"}
"""Fields that have a place of their own in a body, and the option each one sets."""


@dataclass(slots=True)
class Choices:
    """The settings of one request as they take effect. ``warnings`` say where they differ from what was asked."""

    model: str
    options: dict[str, Json] = field(default_factory=dict)
    quality: str = "medium"
    size: str = "1024x1024"
    format: str = "png"
    moderation: str = "low"
    warnings: list[dict[str, Json]] = field(default_factory=list)
    adjustments: list[dict[str, Json]] = field(default_factory=list)
    """Numbers brought into range. Not among the warnings, where clients of the reference would not expect them."""

    def warn(self, code: str, field_name: str, used: Json, reason: str) -> None:
        """Add a warning in the wire's shape."""
        self.warnings.append({"code": code, "field": field_name, "normalizedTo": used, "reason": reason})


def choose_model(body: Body, provider: Provider, media: Media = "image") -> Choices:
    """First step of every way: the model and the provider's own options."""
    able = provider.capabilities
    if media not in able.media:
        raise provider.unsupported(media)
    asked = body.get("model")
    asked = asked if isinstance(asked, str) and asked else None
    default = able.default_model if media == "image" else able.default_video_model
    choices = Choices(default)
    if asked and "model" in able.fixed:
        if asked != able.fixed["model"]:
            choices.warn("MODEL_FIXED", "model", able.fixed["model"], "provider-has-one-model")
    elif asked:
        choices.model = _model(able, asked, media)
    _declared(body, able, choices)
    return choices


def choose_look(body: Body, provider: Provider, choices: Choices) -> None:
    """Quality, size, format and moderation."""
    able = provider.capabilities
    quality = body.get("quality")
    if isinstance(quality, str) and quality in able.qualities:
        choices.quality = quality
    elif isinstance(quality, str) and quality:
        choices.warn("QUALITY_DEFAULTED", "quality", choices.quality, "invalid-quality")
    choices.size = _size(body, able, choices)
    choices.format = _format(body, choices)


def choose_moderation(body: Body, provider: Provider, choices: Choices) -> None:
    """Moderation, or 400 ``INVALID_MODERATION``."""
    value = body.get("moderation")
    allowed = provider.capabilities.moderations
    if value is None:
        choices.moderation = "low" if "low" in allowed else allowed[0]
    elif isinstance(value, str) and value in allowed:
        choices.moderation = value
    else:
        raise Ima2Error("INVALID_MODERATION", 400, f"moderation must be one of: {', '.join(allowed)}")


def choose_count(body: Body, name: str, most: int, choices: Choices) -> int:
    """How many: 1 to ``most``. As in the reference others are brought into range; ``adjustments`` says so."""
    value = body.get(name)
    if value is None:
        return 1
    number = integer(value)
    used = 1 if number is None or number == 0 else min(max(number, 1), most)
    if used != number:
        choices.adjustments.append({"field": name, "used": used, "reason": f"allowed-1-to-{most}"})
    return used


def _model(able: Capabilities, asked: str, media: Media) -> str:
    known = {model.id: model for model in able.models if model.media == media}
    usable = [model.id for model in known.values() if model.supported]
    if asked in known and not known[asked].supported:
        raise Ima2Error(
            able.code("MODEL_UNSUPPORTED"), 400, f"This model cannot make pictures. Use one of: {', '.join(usable)}"
        )
    if asked not in known:
        code = able.code("MODEL_INVALID" if media == "image" else f"{media.upper()}_MODEL_INVALID")
        raise Ima2Error(code, 400, f"model must be one of: {', '.join(usable)}")
    return asked


def _declared(body: Body, able: Capabilities, choices: Choices) -> None:
    for wire_name, name in WIRE_NAMES.items():
        value, option = body.get(wire_name), able.option(name)
        if option is None:
            if value is not None and wire_name == "reasoningEffort":
                choices.warn("OPTION_IGNORED", wire_name, None, "provider-has-no-such-option")
        else:
            choices.options[name] = _lenient(option, value)
    more = body.get("options")
    if more is not None and not isinstance(more, dict):
        raise Ima2Error("INVALID_OPTIONS", 400, "options must be an object.")
    for name, value in (more or {}).items():
        option = able.option(name) if isinstance(name, str) else None
        if option is None:
            names = ", ".join(sorted(option.name for option in able.options)) or "none"
            raise Ima2Error("UNKNOWN_OPTION", 400, f"This provider has no such option. It has: {names}")
        choices.options[option.name] = checked(option, value)
    for option in able.options:
        choices.options.setdefault(option.name, option.default)


def _lenient(option: Option, value: Any) -> Json:
    """Fields of the reference: only ``false`` turns a search off, an unknown mode is the default, efforts are
    checked."""
    if option.kind == "flag":
        return option.default if value is None or not option.default else value is not False
    if value is None or value == "" or (option.name == "mode" and value not in option.values):
        return option.default
    return checked(option, value)


def checked(option: Option, value: Any) -> Json:
    """A value of a declared option, or 400 with the option's own code."""
    good = {
        "choice": lambda: isinstance(value, str) and value in option.values,
        "flag": lambda: isinstance(value, bool),
        "text": lambda: isinstance(value, str) and len(value) <= 4000,
        "number": lambda: isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53,
        "list": lambda: isinstance(value, list) and len(value) <= 64 and all(isinstance(one, dict) for one in value),
    }[option.kind]()
    if not good:
        wanted = f"one of: {', '.join(option.values)}" if option.values else f"a {option.kind}"
        raise Ima2Error(option.error_code, 400, f"{option.name} must be {wanted}")
    return value


def _size(body: Body, able: Capabilities, choices: Choices) -> str:
    asked = body.get("size")
    asked = asked if isinstance(asked, str) and asked else None
    if "size" in able.fixed:
        used = str(able.fixed["size"])
        if asked and asked != used:
            choices.warn("SIZE_FIXED", "size", used, "provider-has-one-size")
        return used
    if asked is None:
        return able.default_size
    sizes, match = able.sizes, _SIZE.fullmatch(asked)
    fits = match is not None and sizes.free and all(16 <= int(edge) <= sizes.max_edge for edge in match.groups())
    if (
        fits
        or asked in sizes.listed
        or (asked == "auto" and sizes.auto)
        or any(re.fullmatch(f, asked) for f in sizes.forms)
    ):
        return asked
    allowed = f"WIDTHxHEIGHT up to {sizes.max_edge}" if sizes.free else ", ".join(sizes.listed)
    raise Ima2Error("INVALID_SIZE", 400, f"size must be {allowed}{' or auto' if sizes.auto else ''}.")


def _format(body: Body, choices: Choices) -> str:
    asked = body.get("format")
    if asked is None or asked == "":
        return "png"
    used = FORMATS.get(asked) if isinstance(asked, str) else None
    if used is None:
        choices.warn("FORMAT_DEFAULTED", "format", "png", "invalid-format")
    return used or "png"
