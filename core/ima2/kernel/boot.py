"""From records to parts in use: each plugin is checked, imported, configured and asked for parts, all or nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ima2.capabilities import Capabilities
from ima2.contracts import EventSink, Part, Provider, Storage, Thumbnailer
from ima2.errors import Ima2Error
from ima2.interfaces import Policy
from ima2.kernel import compat, discovery
from ima2.kernel.context import PluginContext
from ima2.kernel.discovery import PluginRecord, State
from ima2.kernel.hooks import Hooks
from ima2.kernel.registry import Registry
from ima2.kernel.switches import Switches

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger("ima2.plugins")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the parts of one hook go: the kind's name, the registry's field, and the class they must be of."""

    kind: str
    field: str
    type: type[Part]


RESERVED_IDS = frozenset({"auto", "keys", "config", "auth"})
"""Ids that no provider may have: what requests and routes mean by them is something else."""
SLOTS = {
    "ima2_storages": Slot("storage", "storages", Storage),
    "ima2_thumbnailers": Slot("thumbnailer", "thumbnailers", Thumbnailer),
    "ima2_event_sinks": Slot("event_sink", "event_sinks", EventSink),
    "ima2_policies": Slot("policy", "policies", Policy),
    "ima2_providers": Slot("provider", "providers", Provider),
}


@dataclass(slots=True)
class Booted:
    """The plugins of one process after boot: their records, their hooks, their parts, and what each was handed."""

    switches: Switches
    hooks: Hooks
    records: list[PluginRecord] = field(default_factory=list)
    registry: Registry = field(default_factory=Registry)
    contexts: dict[str, PluginContext] = field(default_factory=dict)
    fatal: bool = True
    """Whether the failure of a plugin that a person named is raised."""

    def ready(self) -> list[PluginRecord]:
        """The plugins in use."""
        return [record for record in self.records if record.state is State.READY]

    def record(self, name: str) -> PluginRecord:
        """The record of a plugin; ``KeyError`` when there is none."""
        found = next((record for record in self.records if record.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def raise_if_named(self, record: PluginRecord) -> None:
        """Raise ``PLUGIN_FAILED`` when this plugin failed although a person named it."""
        if self.fatal and record.state is State.FAILED and self.switches.named(record.name):
            text = f"Plugin {record.name}, named by {self.switches.source}, failed ({record.stage}): {record.error}"
            raise Ima2Error("PLUGIN_FAILED", 500, text)


def boot(
    switches: Switches,
    *,
    settings: Callable[[str, type[BaseModel]], Any],
    context: Callable[[str, Any], PluginContext],
    hooks: Hooks | None = None,
    records: list[PluginRecord] | None = None,
    extra: Mapping[str, Any] | None = None,
    discover_entry_points: bool = True,
    fatal: bool = True,
    misspelt: Callable[[str, type], list[str]] | None = None,
) -> Booted:
    """Take in every plugin that is on. A plugin's failure is a row of ``records``.

    ``settings`` gives the validated settings of a plugin's model, ``context`` what its hooks are handed. ``extra``
    holds plugins that are already imported, by name; ``records`` replaces what discovery would find. ``misspelt`` says
    which given settings a plugin's model does not know. An id that two plugins offer goes to the one that config.json
    requires, else to the one of ima2 itself, else to the first by name; the other fails. Raises `Ima2Error`
    ``UNKNOWN_PLUGIN`` or ``PLUGIN_FAILED`` for a plugin that a person named (unless ``fatal`` is off).
    """
    if records is None:
        records = discovery.discover() if discover_entry_points else []
    booted = Booted(switches, hooks or Hooks(), [*records, *_inline(extra or {}, records)], fatal=fatal)
    unknown = switches.unknown(record.name for record in booted.records) if fatal else None
    if unknown is not None:
        raise Ima2Error("UNKNOWN_PLUGIN", 400, unknown)
    for record in sorted(booted.records, key=lambda one: _rank(one, switches)):
        if switches.is_on(record.name):
            load_plugin(booted, record, settings, context)
            if record.state is State.READY and misspelt is not None:
                record.warnings += misspelt(record.name, type(booted.contexts[record.name].settings))
            if record.state is State.FAILED:
                log.warning("plugin %s failed (%s): %s", record.name, record.stage, record.error)
                booted.raise_if_named(record)
        else:
            record.state = State.OFF
    return booted


def disable(booted: Booted, name: str, stage: str, error: BaseException | str) -> None:
    """Put a plugin out of use after boot: its record says why, and all its parts leave the registry."""
    record = booted.record(name)
    record.fail(stage, error)
    record.offers = []
    for slot in SLOTS.values():
        owned = [key for key, owner in booted.registry.owners.items() if key[0] == slot.kind and owner == name]
        for key in owned:
            del getattr(booted.registry, slot.field)[key[1]], booted.registry.owners[key]
    booted.hooks.unregister(name)
    log.warning("plugin %s failed (%s): %s", name, record.stage, record.error)
    log.debug("plugin %s", name, exc_info=error if isinstance(error, BaseException) else None)


def _rank(record: PluginRecord, switches: Switches) -> tuple[bool, bool, str]:
    return not switches.named(record.name), record.package.lower() != "ima2", record.name


def _inline(extra: Mapping[str, Any], records: Sequence[PluginRecord]) -> list[PluginRecord]:
    claimed = {record.name: record.package for record in records}
    inline = [PluginRecord(name, value=f"<{type(module).__name__}>", module=module) for name, module in extra.items()]
    for record in inline:
        if record.name in claimed:
            record.fail("discovery", f"The name is also claimed by {claimed[record.name] or 'another plugin'}.")
    return inline


def load_plugin(
    booted: Booted, record: PluginRecord, settings: Callable[..., Any], context: Callable[..., Any]
) -> None:
    """One plugin through all stages, up to the first that fails."""
    if record.state is State.FAILED or not compat.check(record) or not discovery.load(record):
        return
    stage = "hooks"
    try:
        record.warnings += [
            f"{hook} is not known to this version" for hook in booted.hooks.register(record.name, record.module)
        ]
        record.hooks = booted.hooks.hooks_of(record.name)
        stage = "settings"
        model = booted.hooks.call(record.name, "ima2_settings")
        ctx = context(record.name, None if model is None else settings(record.name, _model(model)))
        booted.contexts[record.name] = ctx
        offered: list[tuple[Slot, Part]] = []
        for stage, slot in SLOTS.items():
            parts = booted.hooks.call(record.name, stage, ctx=ctx)
            for part in list_of(stage, parts, slot.type):
                offered.append((slot, _check(booted, slot, part, offered)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        record.fail(stage, error)
        log.debug("plugin %s", record.name, exc_info=error)
        booted.hooks.unregister(record.name)
        return
    for slot, part in offered:
        getattr(booted.registry, slot.field)[part.id] = part
        booted.registry.owners[slot.kind, part.id] = record.name
    record.offers = [f"{slot.kind}:{part.id}" for slot, part in offered]
    record.state = State.READY


def _check(booted: Booted, slot: Slot, part: Part, offered: Sequence[tuple[Slot, Part]]) -> Part:
    """A part that may be taken in: a slug for an id, free in its kind, and with what its class promises."""
    part_id = getattr(part, "id", None)
    if not discovery.is_slug(part_id):
        raise TypeError(f"{type(part).__name__}.id must be a slug (a-z, 0-9, - and _), not {part_id!r}")
    if slot.kind == "provider" and part_id in RESERVED_IDS:
        raise ValueError(f"provider {part_id!r}: this id means something else in requests and routes; choose another")
    owner = booted.registry.owners.get((slot.kind, part.id))
    if owner is not None:
        raise LookupError(f"{slot.kind} {part_id!r} is already offered by plugin {owner}; turn one of the two off")
    if any(other.kind == slot.kind and taken.id == part_id for other, taken in offered):
        raise LookupError(f"{slot.kind} {part_id!r} is offered twice by this plugin")
    if isinstance(part, Provider) and not isinstance(getattr(part, "title", None), str):
        raise TypeError(f"{type(part).__name__} has no title")
    if isinstance(part, Provider) and not isinstance(part.capabilities, Capabilities):
        raise TypeError(f"{type(part).__name__}.capabilities must be Capabilities")
    if isinstance(part, Thumbnailer) and not isinstance(getattr(part, "media_types", None), tuple):
        raise TypeError(f"{type(part).__name__}.media_types must be a tuple")
    return part


def list_of(hook: str, answer: Any, kind: type) -> list[Any]:
    """The answer of a hook that offers several of a kind; ``TypeError`` for anything else."""
    if answer is None:
        return []
    if isinstance(answer, (kind, str, bytes, Mapping)) or not hasattr(answer, "__iter__"):
        raise TypeError(f"{hook} must return a list of {kind.__name__}, not one {type(answer).__name__}")
    return [one_of(hook, value, kind) for value in answer]


def one_of(hook: str, value: Any, kind: type | tuple[type, ...]) -> Any:
    """A value that is of a kind; ``TypeError`` for anything else."""
    if not isinstance(value, kind):
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        given = value.__name__ + " itself" if isinstance(value, type) else f"a {type(value).__name__}"
        raise TypeError(f"{hook} gave {given}, wanted a {names}")
    return value


def _model(model: Any) -> type[BaseModel]:
    from pydantic import BaseModel

    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError("ima2_settings must return a pydantic model class")
    return model
