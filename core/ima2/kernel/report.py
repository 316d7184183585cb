"""What is told about plugins: rows for the command line and the HTTP interface, and the last failures across starts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ima2.files import private_folder, write_whole
from ima2.kernel.discovery import PluginRecord, State
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
    """Keep the failures of this start for `recall`. Trouble with the file is no trouble for the program."""
    failures = {
        record.name: {"key": _key(record), "stage": record.stage, "error": record.error}
        for record in records
        if record.state is State.FAILED
    }
    path = _memory(config_dir)
    try:
        if failures or path.exists():
            write_whole(private_folder(path.parent) / path.name, json.dumps(failures).encode())
    except OSError:
        return


def recall(config_dir: Path, records: Iterable[PluginRecord]) -> dict[str, str]:
    """The failures of the last start by plugin, where the same version of the same package still stands."""
    try:
        stored = json.loads(_memory(config_dir).read_bytes())
    except (OSError, ValueError):
        return {}
    known = stored if isinstance(stored, dict) else {}
    found = ((record.name, known.get(record.name), _key(record)) for record in records)
    return {
        name: f"{entry.get('stage')}: {entry.get('error')}"
        for name, entry, key in found
        if isinstance(entry, dict) and entry.get("key") == key
    }


def _row(record: PluginRecord, registry: Registry | None) -> dict[str, Any]:
    said = problems(record, registry) if registry is not None else []
    row = {
        "name": record.name,
        "state": str(record.state),
        "package": record.package,
        "version": record.version,
        "entryPoint": record.value,
        "offers": record.offers,
        "hooks": record.hooks,
        "problem": " ".join(said),
        "warnings": record.warnings,
        "stage": record.stage,
        "error": record.error,
        "loadMs": record.load_ms,
        "apiVersion": API_VERSION,
    }
    return {key: value for key, value in row.items() if value or key in ("name", "state")}


def _key(record: PluginRecord) -> str:
    return f"{record.package} {record.version} {record.value}"


def _memory(config_dir: Path) -> Path:
    return config_dir / "state" / "plugins.json"
