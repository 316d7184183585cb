"""What is told about plugins: rows for the command line and the HTTP interface, and the last failures across starts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ima2.aliases import camel_keys
from ima2.files import private_folder, write_whole
from ima2.kernel.discovery import PluginRecord, State
from ima2.kernel.switches import switched_off
from ima2.version import API_VERSION

if TYPE_CHECKING:
    from ima2.kernel.registry import Registry


def rows(records: Iterable[PluginRecord], registry: Registry | None = None) -> list[dict[str, Any]]:
    """One JSON row a plugin, in order of name; what is absent is left out.

    ``problem`` joins what its parts say is missing, and needs the registry; a plugin with one is still ``ready``.
    """
    return [_row(record, registry) for record in sorted(records, key=lambda record: record.name)]


def problems(record: PluginRecord, registry: Registry) -> list[str]:
    """What a plugin's parts say is missing before they can work, each sentence once."""
    from ima2.kernel import guard  # here, because listing plugins must not pay for it

    said: dict[str, None] = {}
    for (kind, part_id), owner in registry.owners.items():
        if owner == record.name:
            sentence = guard.problem(registry.part(kind, part_id))
            if sentence:
                said[sentence] = None
    return list(said)


def remember(config_dir: Path, records: Iterable[PluginRecord]) -> None:
    """Keep what this start found out for `recall` and `absent`. Trouble with the file is no trouble for the program."""
    path = _memory(config_dir)
    before, now = _read(path), {}
    for record in records:
        known = before.get(record.name, {})
        offers = record.offers if record.state is State.READY else known.get("offers", [])
        entry = {"key": _key(record), "stage": record.stage, "error": record.error, "offers": offers}
        if record.package and (record.error or offers):
            now[record.name] = entry
    try:
        if now != before:
            write_whole(private_folder(path.parent) / path.name, json.dumps(now).encode())
    except OSError:
        return


def recall(config_dir: Path, records: Iterable[PluginRecord]) -> dict[str, str]:
    """The failures of the last start by plugin, where the same version of the same package still stands."""
    known = _read(_memory(config_dir))
    found = ((record.name, known.get(record.name, {}), _key(record)) for record in records)
    return {
        name: f"{entry.get('stage')}: {entry['error']}"
        for name, entry, key in found
        if entry.get("error") and entry.get("key") == key
    }


def absent(config_dir: Path, records: Iterable[PluginRecord]) -> dict[str, str]:
    """Parts (``kind:id``) of plugins that are off or failed, as an earlier start knew them: what became of each."""
    known = _read(_memory(config_dir))
    found: dict[str, str] = {}
    for record in records:
        if record.state in (State.OFF, State.FAILED):
            off = f"is {switched_off(record.name)}"
            state = off if record.state is State.OFF else f"failed ({record.stage}): {record.error}"
            parts = known.get(record.name, {}).get("offers", [])
            found.update({str(part): f"Its plugin {record.name} {state}" for part in parts})
    return found


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        stored = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return {name: one for name, one in stored.items() if isinstance(one, dict)} if isinstance(stored, dict) else {}


def _row(record: PluginRecord, registry: Registry | None) -> dict[str, Any]:
    said = problems(record, registry) if registry is not None else []
    row = {
        "name": record.name,
        "state": str(record.state),
        "package": record.package,
        "version": record.version,
        "entry_point": record.value,
        "offers": record.offers,
        "hooks": record.hooks,
        "problem": " ".join(said),
        "warnings": record.warnings,
        "stage": record.stage,
        "error": record.error,
        "load_ms": record.load_ms,
        "written_for": record.api,
        "api_version": _api(record),
        "turned_on_by": list(record.turned_on_by),
    }
    return camel_keys({key: value for key, value in row.items() if value or key in ("name", "state")})


def _api(record: PluginRecord) -> int:
    """The interface a plugin was written for: what its package's requirement says, else ours if it is ours; or 0."""
    own = record.package.lower() in ("ima2", "")
    return int(record.api.partition(".")[0]) if record.api else API_VERSION if own else 0


def _key(record: PluginRecord) -> str:
    return f"{record.package} {record.version} {record.value}"


def _memory(config_dir: Path) -> Path:
    return config_dir / "state" / "plugins.json"
