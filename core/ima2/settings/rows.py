"""Every setting that config.json may hold: who owns it, where else it comes from, what is in force."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ima2.settings import paths
from ima2.settings.config_file import REDACTED, ConfigFile, redacted
from ima2.settings.model import Settings, load
from ima2.settings.sources import is_secret_field, shaped, sources

SIGN_IN_KEYS = frozenset(
    source.name for source in sources(Settings.model_fields["default_provider"]) if not source.from_env
)
"""Keys that say who makes the pictures."""
_RESOLVED = {"generated_dir": "generated", "db_path": "database", "advertise_file": "advertisement"}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One field of the kernel (``plugin`` empty) or of a plugin. ``keys`` and ``env`` are strongest first."""

    name: str
    plugin: str
    info: FieldInfo = field(repr=False)

    @property
    def keys(self) -> list[str]:
        """Dotted keys of config.json."""
        return [source.name for source in sources(self.info, self.plugin, self.name) if not source.from_env]

    @property
    def env(self) -> list[str]:
        """Environment variables."""
        return [source.name for source in sources(self.info, self.plugin, self.name) if source.from_env]

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        return is_secret_field(self.info)

    @property
    def own_key(self) -> str | None:
        """The key that is not below ``plugins``, if the field has one."""
        return next((key for key in self.keys if not key.startswith("plugins.")), None)

    def variable(self, key: str) -> str | None:
        """The variable that goes with a key: the general one with ``plugins.…``, else the field's own."""
        return next(
            (name for name in self.env if name.startswith("IMA2_PLUGINS__") == key.startswith("plugins.")), None
        )

    def overridden_by(self, environ: Mapping[str, str]) -> str | None:
        """The variable that is set and beats config.json, if any."""
        return next((name for name in self.env if environ.get(name, "").strip()), None)


def kernel_rows() -> list[SettingRow]:
    """The kernel's settings that have a key."""
    rows = (SettingRow(name, "", info) for name, info in Settings.model_fields.items())
    return [row for row in rows if row.keys]


def plugin_rows(models: Mapping[str, type[BaseModel]]) -> list[SettingRow]:
    """The settings of plugins."""
    return [
        SettingRow(name, plugin, info) for plugin, model in models.items() for name, info in model.model_fields.items()
    ]


def by_key(rows: list[SettingRow]) -> dict[str, SettingRow]:
    """Rows by every key they may be written under; of two owners the first counts."""
    found: dict[str, SettingRow] = {}
    for row in rows:
        for key in row.keys:
            found.setdefault(key, row)
    return found


def may_write(key: str, row: SettingRow) -> bool:
    """Whether a person may set a key by hand. What belongs to signing in has a way of its own."""
    sign_in = key in SIGN_IN_KEYS or (row.secret and row.plugin and not key.startswith("plugins."))
    return not sign_in


def writable_rows(rows: list[SettingRow]) -> dict[str, SettingRow]:
    """The keys to show to somebody who wants to write one, sorted: a field's own, else the one below ``plugins``."""

    def is_preferred(key: str, row: SettingRow) -> bool:
        return row.own_key is None or key == row.own_key or not may_write(row.own_key, row)

    return {key: row for key, row in sorted(by_key(rows).items()) if may_write(key, row) and is_preferred(key, row)}


def in_force(rows: list[SettingRow], document: Mapping[str, Any]) -> Iterator[tuple[SettingRow, Any]]:
    """What each row's value is, as JSON with secrets hidden; rows without any value are left out."""
    settings = load(os.environ, document).settings
    for row in rows:
        own = _RESOLVED.get(row.name, row.name)
        value = _raw(row, document) if row.plugin else getattr(settings, own)
        if value is not None and value is not PydanticUndefined:
            yield row, REDACTED if row.secret else redacted(_plain(value))


def of_plugin(plugin: str, model: type[BaseModel]) -> list[dict[str, Any]]:
    """One plugin's settings as JSON rows: ``name, value?, env[], keys[], help?``."""
    rows = plugin_rows({plugin: model})
    values = dict(in_force(rows, ConfigFile(paths.config_file()).read()))
    found = []
    for row in rows:
        entry = {"name": row.name, "env": row.env, "keys": row.keys, "help": row.info.description}
        if row in values:
            entry["value"] = values[row]
        found.append({key: value for key, value in entry.items() if value is not None})
    return found


def _raw(row: SettingRow, document: Mapping[str, Any]) -> Any:
    for source in sources(row.info, row.plugin, row.name):
        value = source.read(os.environ, document)
        if value is not None:
            return shaped(row.info, value)
    return row.info.get_default(call_default_factory=True, validated_data={})


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, SecretStr):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value
