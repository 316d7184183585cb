"""Which plugins are on. Read before any plugin is imported, and never needs one to work. Standard library only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ima2.errors import Ima2Error
from ima2.settings.config_file import ConfigFile, find
from ima2.settings.values import as_flag

RESERVED = frozenset({"disabled", "required", "enabled"})
"""Names no plugin may have: their place below ``plugins`` in config.json is taken."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What is on. Installed means on, unless a stronger word says otherwise.

    ``only`` holds the names of ``--plugins`` or ``IMA2_PLUGINS`` (``None`` = neither given; empty = no plugin at all),
    ``disabled`` and ``required`` the lists of config.json, which count only where ``only`` is ``None``, as does
    ``waiting``: the plugins that start off and that nothing has turned on.
    """

    only: frozenset[str] | None = None
    disabled: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    source: str = ""
    """What named the plugins: ``--plugins``, ``IMA2_PLUGINS`` or ``config.json``."""

    @classmethod
    def from_sources(cls, flag: str | None, environ: Mapping[str, str], document: Mapping[str, Any]) -> Switches:
        """The strongest of flag, environment and config.json. A list there that is none is ``CONFIG_INVALID``."""
        if flag is not None:
            return cls(only=_names(flag), source="--plugins")
        if "IMA2_PLUGINS" in environ:
            return cls(only=_names(environ["IMA2_PLUGINS"]), source="IMA2_PLUGINS")
        disabled, required = (_names_at(document, f"plugins.{key}") for key in ("disabled", "required"))
        waiting = _waiting(environ, document) - required
        return cls(disabled=disabled, required=required, waiting=waiting, source="config.json")

    def is_on(self, name: str) -> bool:
        """Whether a plugin may be imported."""
        return name not in self.disabled | self.waiting if self.only is None else name in self.only

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


def switched_off(name: str) -> str:
    """What to do about a plugin that is off."""
    from ima2.kernel.discovery import starting_off

    places = [one for one in starting_off().get(name, ()) if one != "plugins.enabled"]
    ways = [f"{one}=1" if one.isupper() else f"`ima2 config set {one} true`" for one in places]
    return f"switched off: {' or '.join([*ways, f'`ima2 plugins enable {name}`'])} switches it on"


def disable(file: ConfigFile, name: str) -> bool:
    """Switch a plugin off in config.json. Says whether that changed anything."""
    return bool(file.change(lambda document: _mark(document, "disabled", name) | _unmark(document, "enabled", name)))


def enable(file: ConfigFile, name: str) -> bool:
    """Switch a plugin on in config.json, one that starts off too. Says whether that changed anything."""

    def edit(document: dict[str, Any]) -> bool:
        changed = _unmark(document, "disabled", name)
        return (_mark(document, "enabled", name) if _starts_off(name) else False) or changed

    return bool(file.change(edit))


def _mark(document: dict[str, Any], key: str, name: str) -> bool:
    names = _names_at(document, f"plugins.{key}")
    if name not in names:
        document.setdefault("plugins", {})[key] = sorted(names | {name})
    return name not in names


def _unmark(document: dict[str, Any], key: str, name: str) -> bool:
    names = _names_at(document, f"plugins.{key}")
    if name not in names:
        return False
    section = document["plugins"]
    section[key] = sorted(names - {name})
    if not section[key]:
        del section[key]
    if not section:
        del document["plugins"]
    return True


def _starts_off(name: str) -> bool:
    from ima2.kernel.discovery import starting_off

    return name in starting_off()


def _waiting(environ: Mapping[str, str], document: Mapping[str, Any]) -> frozenset[str]:
    """The plugins that start off and stay so: a variable decides, else a config key, else the list of those enabled."""
    from ima2.kernel.discovery import starting_off

    enabled = _names_at(document, "plugins.enabled")
    off = set()
    for name, places in starting_off().items():
        given = [environ[one] for one in places if environ.get(one)]
        keys = [one for one in places if one != "plugins.enabled"]
        given += [value for one in keys if (value := find(document, one)) not in (None, "")]
        if not (as_flag(given[0]) if given else name in enabled):
            off.add(name)
    return frozenset(off)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _names_at(document: Mapping[str, Any], dotted: str) -> frozenset[str]:
    if "plugins" in document and not isinstance(document["plugins"], dict):
        raise Ima2Error("CONFIG_INVALID", 500, "plugins in config.json must be an object.")
    value = find(document, dotted)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Ima2Error("CONFIG_INVALID", 500, f"{dotted} in config.json must be a list of plugin names.")
    return frozenset(value)
