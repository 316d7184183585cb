"""The parts in use, by kind and id."""

from __future__ import annotations

from dataclasses import dataclass, field

from ima2.contracts import EventSink, Part, Provider, Storage, Thumbnailer
from ima2.errors import Ima2Error


@dataclass(slots=True)
class Registry:
    """What the plugins of one process offer. Filled at boot, read everywhere else."""

    providers: dict[str, Provider] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    thumbnailers: dict[str, Thumbnailer] = field(default_factory=dict)
    event_sinks: dict[str, EventSink] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    """Which plugin offered a part: (kind, id) to plugin name."""

    def parts(self) -> list[Part]:
        """Every part, in the order offered."""
        return [
            *self.storages.values(),
            *self.thumbnailers.values(),
            *self.event_sinks.values(),
            *self.providers.values(),
        ]

    def provider(self, name: str) -> Provider:
        """The provider of that id, or 400 ``UNKNOWN_PROVIDER``: never another one in its place."""
        try:
            return self.providers[name]
        except KeyError:
            offered = ", ".join(sorted(self.providers)) or "none"
            raise Ima2Error("UNKNOWN_PROVIDER", 400, f"No such provider. Offered here: {offered}.") from None

    def thumbnailer(self, media_type: str, preferred: str = "") -> Thumbnailer | None:
        """The thumbnailer for a media type: the preferred one if it takes the type, else the most preferable."""
        able = [one for one in self.thumbnailers.values() if media_type in one.media_types and not one.problem()]
        able.sort(key=lambda one: (one.id == preferred, one.preference), reverse=True)
        return able[0] if able else None
