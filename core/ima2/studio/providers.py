"""Which provider a request means: the one named, else the default for its medium."""

from __future__ import annotations

from typing import Any

from ima2.catalogue import ranked
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.kernel.guard import problem
from ima2.kernel.registry import Registry

VIDEO_UNSUPPORTED = "VIDEO_PROVIDER_UNSUPPORTED"
_UNNAMED = (None, "", "auto")


def image_provider(registry: Registry, default: str, name: Any = None) -> Provider:
    """The provider a client names. Absent, ``null`` and ``auto`` mean the default; anything unknown is refused."""
    if name in _UNNAMED:
        return registry.provider(default_id(registry, default))
    if not isinstance(name, str):
        raise Ima2Error("UNKNOWN_PROVIDER", 400, "provider must be a string.")
    return registry.provider(name)


def default_id(registry: Registry, default: str) -> str:
    """The id that ``auto`` stands for: the setting's, else the one provider that says it is the default."""
    if default and default != "auto":
        return default
    claims = sorted(name for name, one in registry.providers.items() if one.is_default)
    if len(claims) != 1:
        reason = f"{' and '.join(claims)} both claim to be the default" if claims else "no provider is the default"
        raise Ima2Error("UNKNOWN_PROVIDER", 400, f"Name a provider: {reason}. The setting `provider` can choose one.")
    return claims[0]


def video_provider(registry: Registry, default: str, name: Any = None) -> Provider:
    """The provider of clips that a client names. Absent, ``null`` and ``auto`` mean the default one.

    That is the provider of the setting where it makes clips, else the one that says it is the default for clips, else
    the only one there is. Raises 400 ``VIDEO_PROVIDER_UNSUPPORTED``, or the provider's own code, for one that makes
    none.
    """
    able = {one.id: one for one in registry.providers.values() if "video" in one.capabilities.media}
    if name in _UNNAMED:
        claims = [one for one in able.values() if one.is_video_default]
        chosen = [able[default]] if default in able else claims or list(able.values())
        if len(chosen) != 1:
            raise Ima2Error(VIDEO_UNSUPPORTED, 400, f"Name a provider that makes clips: {_names(able)}.")
        return chosen[0]
    if isinstance(name, str) and name in able:
        return able[name]
    there = registry.providers.get(name) if isinstance(name, str) else None
    code = there.capabilities.codes.get("VIDEO_UNSUPPORTED", VIDEO_UNSUPPORTED) if there else VIDEO_UNSUPPORTED
    raise Ima2Error(code, 400, f"This provider makes no clips. These do: {_names(able)}.")


def text_provider(registry: Registry, default: str, name: Any = None) -> Provider:
    """The provider of words that a caller names; unnamed, the default one if it has words and is ready, else the
    first that does. One that costs nothing stands in for no other: it answers where it is named, the default, or alone.
    400 ``TEXT_UNSUPPORTED`` where nobody has words, 503 ``TEXT_NOT_READY`` where nobody is ready."""
    if name not in _UNNAMED:
        provider = registry.provider(str(name))
        if not has_words(provider):
            raise provider.unsupported("text")
        return provider
    able = [one for one in ranked(registry) if has_words(one)]
    able = [one for one in able if not one.free or one.id == default] or able
    able.sort(key=lambda one: one.id != default)
    if not able:
        raise Ima2Error("TEXT_UNSUPPORTED", 400, "No provider here answers in words.")
    ready = next((one for one in able if problem(one) is None), None)
    if ready is None:
        reasons = " ".join(f"{one.id}: {problem(one)}" for one in able)
        raise Ima2Error("TEXT_NOT_READY", 503, f"No provider with words is ready. {reasons}")
    return ready


def has_words(provider: Provider) -> bool:
    """Whether a provider answers in words; those that say nothing of it are judged by whether they can be asked."""
    return provider.capabilities.text or type(provider).text is not Provider.text


def _names(able: dict[str, Provider]) -> str:
    return ", ".join(sorted(able)) or "none is in use here"
