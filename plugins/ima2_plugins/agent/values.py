"""What a client may set: titles, locks and how pictures are made. Checked before anything is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ima2

TITLE_CHARS, LOCKS, LOCK_CHARS, MODEL_CHARS, PROMPT_CHARS = 200, 50, 500, 120, 20_000
SIZE = re.compile(r"auto|\d{3,4}x\d{3,4}")
DEFAULTS: Mapping[str, Any] = {
    "provider": "",
    "model": "",
    "quality": "medium",
    "size": "1024x1024",
    "format": "png",
    "moderation": "low",
    "reasoningEffort": "medium",
    "webSearchEnabled": True,
    "generationStrategy": "auto",
    "variants": 1,
    "maxAutoVariants": 8,
    "parallelism": 2,
}
_CHOICES: Mapping[str, Sequence[str]] = {
    "quality": ("low", "medium", "high"),
    "format": ("png", "jpeg", "webp"),
    "moderation": ("auto", "low"),
    "reasoningEffort": ("low", "medium", "high", "xhigh"),
    "generationStrategy": ("auto", "manual"),
}
_COUNTS = ("variants", "maxAutoVariants", "parallelism")


def accepted(given: Any, providers: Sequence[ima2.Provider]) -> dict[str, Any]:
    """The settings that a client gave and that hold; counts are brought into 1 to 8, as ima2-gen does. Whatever else
    is wrong is left out, so that the old value stays."""
    if not isinstance(given, Mapping):
        return {}
    rules: dict[str, Callable[[Any], bool]] = {
        "provider": lambda value: value in {one.id for one in providers},
        "model": lambda value: 0 < len(value.strip()) <= MODEL_CHARS,
        "size": lambda value: bool(SIZE.fullmatch(value)) or _offered(value, providers, "sizes"),
        **{name: _choice(name, providers) for name in _CHOICES},
    }
    found: dict[str, Any] = {
        name: given[name].strip()
        for name, rule in rules.items()
        if isinstance(given.get(name), str) and rule(given[name])
    }
    if isinstance(given.get("webSearchEnabled"), bool):
        found["webSearchEnabled"] = given["webSearchEnabled"]
    for name in _COUNTS:
        value = given.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            found[name] = int(min(8, max(1, value)))
    return found


def shown(explicit: Mapping[str, Any], provider: ima2.Provider | None) -> dict[str, Any]:
    """All settings as clients read them: what was chosen, else the defaults of ``provider``."""
    known = {name: explicit[name] for name in DEFAULTS if name in explicit}
    settings = {**DEFAULTS, **known}
    if provider is not None:
        settings["provider"] = settings["provider"] or provider.id
        settings["model"] = settings["model"] or provider.capabilities.default_model
    return settings


def title(value: Any, default: str | None) -> str | None:
    """A title without space around it; ``default`` for none."""
    text = value.strip()[:TITLE_CHARS] if isinstance(value, str) else ""
    return text or default


def locks(value: Any) -> list[str] | None:
    """A list of short texts; ``None`` for anything else. 400 ``AGENT_LOCKS_INVALID`` for too many or too long ones."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    texts = [one.strip() for one in value if one.strip()]
    if len(texts) > LOCKS or any(len(one) > LOCK_CHARS for one in texts):
        text = f"At most {LOCKS} locks of {LOCK_CHARS} characters can be kept."
        raise ima2.Ima2Error("AGENT_LOCKS_INVALID", 400, text)
    return texts


def prompt(value: Any) -> str:
    """What a person asks. 400 ``AGENT_PROMPT_REQUIRED``, ``AGENT_PROMPT_TOO_LONG``."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ima2.Ima2Error("AGENT_PROMPT_REQUIRED", 400, "Prompt is required")
    if len(text) > PROMPT_CHARS:
        raise ima2.Ima2Error("AGENT_PROMPT_TOO_LONG", 400, f"A prompt has at most {PROMPT_CHARS} characters here.")
    return text


def loads(stored: str | None, kind: type[list[Any]] | type[dict[str, Any]]) -> Any:
    """JSON of a column; an empty list or object where it cannot be read."""
    try:
        value = json.loads(stored or "null")
    except (ValueError, RecursionError):
        return kind()
    return value if isinstance(value, kind) else kind()


def dumps(value: Any) -> str:
    """JSON for a column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _choice(name: str, providers: Sequence[ima2.Provider]) -> Callable[[str], bool]:
    return lambda value: value in _CHOICES[name] or _offered(value, providers, name)


def _offered(value: str, providers: Sequence[ima2.Provider], name: str) -> bool:
    """Whether some provider declares a value that ima2-gen does not know."""
    able = [one.capabilities for one in providers]
    if name == "sizes":
        return any(value in one.sizes.listed for one in able)
    declared = {"quality": "qualities", "format": "formats", "moderation": "moderations"}.get(name, "")
    return any(value in getattr(one, declared, ()) for one in able)
