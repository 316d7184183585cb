"""Who makes clips, and which jobs of a process that went away can be gone on with."""

from __future__ import annotations

import logging
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.jobs.record import JobRecord
from ima2.kernel.registry import Registry
from ima2.ways.change import Change
from ima2.ways.clip import Clip
from ima2.ways.video import Film
from ima2.ways.way import Limits

log = logging.getLogger("ima2.studio")
UNSUPPORTED = "VIDEO_PROVIDER_UNSUPPORTED"


def film_provider(registry: Registry, default: str, name: Any = None) -> Provider:
    """The provider of clips that a client names. Absent, ``null`` and ``auto`` mean the default one.

    That is the provider of the setting where it makes clips, else the one that says it is the default for clips, else
    the only one there is. Raises 400 ``VIDEO_PROVIDER_UNSUPPORTED``, or the provider's own code, for one that makes
    none.
    """
    able = {one.id: one for one in registry.providers.values() if "video" in one.capabilities.media}
    if name is None or name in ("", "auto"):
        claims = [one for one in able.values() if one.is_video_default]
        chosen = [able[default]] if default in able else claims or list(able.values())
        if len(chosen) != 1:
            raise Ima2Error(UNSUPPORTED, 400, f"Name a provider that makes clips: {_names(able)}.")
        return chosen[0]
    if isinstance(name, str) and name in able:
        return able[name]
    there = registry.providers.get(name) if isinstance(name, str) else None
    code = there.capabilities.codes.get("VIDEO_UNSUPPORTED", UNSUPPORTED) if there else UNSUPPORTED
    raise Ima2Error(code, 400, f"This provider makes no clips. These do: {_names(able)}.")


def resumed(record: JobRecord, registry: Registry, limits: Limits) -> Clip | None:
    """The way of a stored job whose clip is ordered and can still be collected, else ``None``."""
    provider = registry.providers.get(str(record.request.get("provider")))
    if record.receipt is None or provider is None or type(provider).resume is Provider.resume:
        return None
    try:
        kind = Change if record.request["mode"] in Change.modes else Film
        return kind.stored(record, provider, limits)
    except (KeyError, TypeError, ValueError):
        log.warning("job %s cannot be resumed: what is stored of it is not complete", record.id)
        return None


def _names(able: dict[str, Provider]) -> str:
    return ", ".join(sorted(able)) or "none is in use here"
