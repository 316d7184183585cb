"""Which plugins are on. Read before any plugin is imported, and never needs one to work. Standard library only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ima2.errors import Ima2Error
from ima2.settings.config_file import ConfigFile, find

RESERVED = frozenset({"disabled", "required"})
"""Names no plugin may have: their place below ``plugins`` in config.json is taken."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What is on. Installed means on, unless a stronger word says otherwise.

    ``only`` holds the names of ``--plugins`` or ``IMA2_PLUGINS`` (``None`` = neither given; empty = no plugin at all),
    ``disabled`` and ``required`` the lists of config.json, which count only where ``only`` is ``None``.
    """

    only: frozenset[str] | None = None
    disabled: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    source: str = ""
    """What named the plugins: ``--plugins``, ``IMA2_PLUGINS`` or ``config.json``."""

    @classmethod
    def from_sources(cls, flag: str | None, environ: Mapping[str, str], document: Mapping[str, Any]) -> Switches:
        """The strongest of flag, environment and config.json. A list there that is none is ``CONFIG_INVALID``."""
        if flag is not None:
            return cls(only=_names(flag), source="--plugins")
        if "IMA2_PLUGINS" in environ:
            return cls(only=_names(environ["IMA2_PLUGINS"]), source="IMA2_PLUGINS")
        disabled, required = (_listed(document, f"plugins.{key}") for key in ("disabled", "required"))
        return cls(disabled=disabled, required=required, source="config.json")

    def is_on(self, name: str) -> bool:
        """Whether a plugin may be imported."""
        return name not in self.disabled if self.only is None else name in self.only

    def named(self, name: str) -> bool:
        """Whether a person named this plugin, so that its failure ends the program."""
        return name in (self.required if self.only is None else self.only)

    def unknown(self, names: Iterable[str]) -> str | None:
        """A sentence about a named plugin that is not among ``names``, or is required and off; ``None`` if none is."""
        known = sorted(names)
        wanted = sorted(self.required if self.only is None else self.only)
        for name in wanted:
            if name not in known:
                return f"{self.source} names a plugin that is not installed: {name}.{suggestion(name, known)}"
            if not self.is_on(name):
                return f"{self.source} both requires and disables {name}: take it out of one of the two lists."
        return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """`` Did you mean …?`` with the closest names, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def disable(file: ConfigFile, name: str) -> bool:
    """Put a plugin on the off list of config.json. Says whether that changed anything."""
    return _switch(file, name, off=True)


def enable(file: ConfigFile, name: str) -> bool:
    """Take a plugin off the off list of config.json. Says whether that changed anything."""
    return _switch(file, name, off=False)


def _switch(file: ConfigFile, name: str, *, off: bool) -> bool:
    def edit(document: dict[str, Any]) -> bool:
        before = _listed(document, "plugins.disabled")
        after = before | {name} if off else before - {name}
        section = document.setdefault("plugins", {})
        section["disabled"] = sorted(after)
        if not after:
            del section["disabled"]
        if not section:
            del document["plugins"]
        return after != before

    return bool(file.change(edit))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _listed(document: Mapping[str, Any], dotted: str) -> frozenset[str]:
    if "plugins" in document and not isinstance(document["plugins"], dict):
        raise Ima2Error("CONFIG_INVALID", 500, "plugins in config.json must be an object.")
    value = find(document, dotted)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Ima2Error("CONFIG_INVALID", 500, f"{dotted} in config.json must be a list of plugin names.")
    return frozenset(value)
