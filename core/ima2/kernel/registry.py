"""The parts in use, by kind and id."""

from __future__ import annotations

from dataclasses import dataclass, field

from ima2.contracts import EventSink, Part, Provider, Storage, Thumbnailer
from ima2.errors import Ima2Error
from ima2.interfaces import Policy
from ima2.kernel import guard
from ima2.offers import Facet, Tool


@dataclass(slots=True)
class Registry:
    """What the plugins of one process offer. Filled at boot, read everywhere else."""

    providers: dict[str, Provider] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)
    thumbnailers: dict[str, Thumbnailer] = field(default_factory=dict)
    event_sinks: dict[str, EventSink] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    facets: list[tuple[str, Facet]] = field(default_factory=list)
    """What plugins join to the gallery's pages, with the plugin's name."""
    tools: dict[str, Tool] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Parts (``kind:id``) that are known but not in use, with a sentence on why."""
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    """Which plugin offered a part: (kind, id) to plugin name."""

    def part(self, kind: str, part_id: str) -> Part:
        """A part by its kind, as in ``owners``, and its id."""
        found: Part = getattr(self, "policies" if kind == "policy" else f"{kind}s")[part_id]
        return found

    def providers_of(self, plugin: str) -> list[Provider]:
        """The providers that a plugin offers."""
        return [one for one in self.providers.values() if self.owners.get(("provider", one.id)) == plugin]

    def provider(self, name: str) -> Provider:
        """The provider of that id, or 400 ``UNKNOWN_PROVIDER``: never another one in its place."""
        try:
            return self.providers[name]
        except KeyError:
            why = self.absent.get(f"provider:{name}")
            if why:
                raise Ima2Error("UNKNOWN_PROVIDER", 400, f"The provider {name} is not in use. {why}.") from None
            offered = ", ".join(sorted(self.providers)) or "none"
            raise Ima2Error("UNKNOWN_PROVIDER", 400, f"No such provider. Offered here: {offered}.") from None

    def thumbnailer(self, media_type: str, preferred: str = "") -> Thumbnailer | None:
        """The thumbnailer for a media type: the preferred one if it takes the type, else the most preferable."""
        able = [one for one in self.thumbnailers.values() if media_type in one.media_types and not guard.problem(one)]
        able.sort(key=lambda one: (one.id == preferred, one.preference), reverse=True)
        return able[0] if able else None
