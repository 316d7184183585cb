"""Finding plugins without importing them, and importing one: the only user of stevedore.

What is installed is read once a process from the packages' own metadata, which also tells each plugin's package and
version. stevedore does the loading; its disk cache of entry points is left aside, because that knows no packages and
compares times in steps of two minutes, so that it misses a package installed twice in a row.
"""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

from ima2.kernel.switches import RESERVED

PLUGINS, COMMANDS, OFF = "ima2.plugins", "ima2.commands", "ima2.plugins.off"
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_KEY_LIKE = re.compile(r"(?:sk-|xai-|AIza|ya29\.|eyJ)\S+|(?<=://)[^/@\s]+(?=@)")


class State(StrEnum):
    """How far a plugin got: switched off, found but not imported, in use, or out of use with a reason."""

    OFF = "off"
    FOUND = "found"
    READY = "ready"
    FAILED = "failed"


@dataclass(slots=True)
class PluginRecord:
    """One plugin, from its entry point to what it offers. A failure is written here, never raised.

    ``offers`` holds ``kind:id`` of each part in use, ``stage`` and ``error`` say where and why it failed,
    ``load_ms`` is the time its import took.
    """

    name: str
    package: str = ""
    version: str = ""
    value: str = ""
    requires: tuple[str, ...] = field(default=(), repr=False)
    state: State = State.FOUND
    module: Any = field(default=None, repr=False)
    hooks: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    error: str | None = None
    stage: str | None = None
    warnings: list[str] = field(default_factory=list)
    load_ms: float | None = None
    api: str = ""
    """The oldest ima2 that its package says it works with."""
    turned_on_by: tuple[str, ...] = ()
    """Of a plugin that starts off: the variables and config keys that turn it on."""
    entry: EntryPoint | None = field(default=None, repr=False)

    def fail(self, stage: str, error: BaseException | str) -> None:
        """Write down a failure as one line, with the way out where one is known. The first one stays."""
        if self.state is State.FAILED:
            return
        self.state, self.stage = State.FAILED, stage
        self.error = error if isinstance(error, str) else explain(error) + self._way_out(error)

    def _way_out(self, error: BaseException) -> str:
        if not isinstance(error, ModuleNotFoundError) or not error.name:
            return ""
        module, missing = f"{self.value.partition(':')[0]}.", f"{error.name}."
        own = module.startswith(missing) or missing.startswith(module)
        remedy = f"Install {self.package or 'its package'} again" if own else f"Install what brings {error.name}"
        return f". {remedy}, or run `ima2 plugins disable {self.name}`."


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command of a plugin, not imported. ``rivals`` are further packages that claim its name; ``plugin`` is the one
    that it is switched off with."""

    name: str
    package: str
    entry: EntryPoint = field(repr=False)
    rivals: tuple[str, ...] = ()
    plugin: str = ""


def discover() -> list[PluginRecord]:
    """All installed plugins by name, whether on or off, importing none. A name that two packages claim has failed."""
    by_name: dict[str, list[PluginRecord]] = {}
    off = starting_off()
    for entry, distribution in _scan(PLUGINS):
        record = PluginRecord(entry.name, _name(distribution), distribution.version, entry.value, entry=entry)
        record.requires = tuple(distribution.requires or ())
        record.turned_on_by = off.get(entry.name, ())
        by_name.setdefault(entry.name, []).append(record)
    return [_settle(by_name[name]) for name in sorted(by_name)]


def starting_off() -> dict[str, tuple[str, ...]]:
    """The plugins that start off, by name, each with the variable and the config key that turn it on.

    A package says so in its metadata, in the group ``ima2.plugins.off``: ``name = "VARIABLE:config.key"``, either of
    the two, or ``plugins.enabled`` for one that only `ima2 plugins enable` turns on.
    """
    return {entry.name: tuple(entry.value.replace(" ", "").split(":")) for entry, _ in _scan(OFF)}


def commands() -> dict[str, CommandEntry]:
    """The commands that packages bring, by name, importing none."""
    found: dict[str, CommandEntry] = {}
    homes = {entry.value.partition(":")[0]: entry.name for entry, _ in _scan(PLUGINS)}
    for entry, distribution in _scan(COMMANDS):
        first, package = found.get(entry.name), _name(distribution)
        module = f"{entry.value.partition(':')[0]}."
        plugin = next((name for home, name in homes.items() if module.startswith(f"{home}.")), entry.name)
        found[entry.name] = (
            replace(first, rivals=(*first.rivals, package))
            if first
            else CommandEntry(entry.name, package, entry, plugin=plugin)
        )
    return found


def load(record: PluginRecord) -> bool:
    """Import one plugin, and say whether that worked. Whatever it raises, up to ``SystemExit``, is on the record."""
    if record.entry is None:
        return True
    started = time.perf_counter()
    try:
        record.module = _load(record.entry)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything
        record.fail("import", error)
    record.load_ms = round((time.perf_counter() - started) * 1000, 1)
    return record.state is not State.FAILED


def explain(error: BaseException) -> str:
    """One line about an exception: its kind and first line, and nothing that looks like a key."""
    from ima2.errors import Ima2Error

    if isinstance(error, Ima2Error):
        return error.text
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    line = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return _KEY_LIKE.sub("<redacted>", line)[:300]


def is_slug(text: object) -> bool:
    """Whether a name is fit to be an id: ``a-z``, ``0-9``, ``-`` and ``_``."""
    return isinstance(text, str) and bool(_SLUG.fullmatch(text))


def _load(entry: EntryPoint) -> Any:
    from stevedore.named import NamedExtensionManager

    class OnePlugin(NamedExtensionManager[Any]):
        """stevedore's manager over one entry point that is already known."""

        def list_entry_points(self) -> list[EntryPoint]:
            return [entry]

    errors: list[BaseException] = []
    found = OnePlugin(
        entry.group,
        [entry.name],
        on_load_failure_callback=lambda _manager, _entry, error: errors.append(error),
        on_missing_entrypoints_callback=None,
    )
    if errors:
        raise errors[0]
    return found.extensions[0].plugin


def _settle(claims: list[PluginRecord]) -> PluginRecord:
    record = claims[0]
    if len(claims) > 1:
        packages = sorted({claim.package for claim in claims})
        record.package = ", ".join(packages)
        record.fail("discovery", f"Claimed by {' and '.join(packages)}: uninstall one of them.")
    elif not is_slug(record.name) or record.name in RESERVED:
        record.fail("discovery", "The name must be a slug (a-z, 0-9, - and _), and not disabled or required.")
    return record


def _scan(group: str) -> list[tuple[EntryPoint, Distribution]]:
    return [(entry, owner) for owner, entries in _owners(tuple(sys.path)) for entry in entries if entry.group == group]


@cache
def _owners(path: tuple[str, ...]) -> list[tuple[Distribution, list[EntryPoint]]]:
    """The packages that bring plugins or commands. Of a package that lies twice on the path, the first counts."""
    owners: dict[str, tuple[Distribution, list[EntryPoint]]] = {}
    for distribution in distributions(path=list(path)):
        text = distribution.read_text("entry_points.txt") or ""
        if f"[{PLUGINS}]" in text or f"[{COMMANDS}]" in text:
            entries = list(dict.fromkeys(distribution.entry_points))
            owners.setdefault(re.sub(r"[-_.]+", "-", _name(distribution)).lower(), (distribution, entries))
    return list(owners.values())


def _name(distribution: Distribution) -> str:
    return distribution.metadata["Name"] or "a package without a name"
