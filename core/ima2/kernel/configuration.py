"""Every plugin's settings at one place, for features that let a person see and change them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.kernel.boot import Booted
from ima2.kernel.changes import Changes
from ima2.settings.config_file import ConfigFile
from ima2.settings.rows import kernel_rows, plugin_rows

if TYPE_CHECKING:
    from ima2.kernel.context import PluginContext
    from ima2.settings.rows import SettingRow


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of the plugins in use. Values that are secret are `pydantic.SecretStr`; show none of them."""

    _booted: Booted
    _changes: Changes
    _file: ConfigFile
    _environ: Mapping[str, str]

    def plugins(self) -> tuple[str, ...]:
        """The plugins in use that have settings, by name."""
        return tuple(sorted(name for name, ctx in self._booted.contexts.items() if self._rows(ctx)))

    def owner(self, provider: Provider) -> str:
        """The name of the plugin that offers a provider."""
        return self._booted.registry.owners[("provider", provider.id)]

    def settings(self, plugin: str) -> Any:
        """One plugin's validated settings, as they are now. 404 ``UNKNOWN_PLUGIN``."""
        return self._context(plugin).settings

    def sources(self, plugin: str) -> Mapping[str, str]:
        """Where each value that was given comes from: ``env`` or ``config``."""
        return self._context(plugin).sources

    def places(self, plugin: str) -> Mapping[str, tuple[str, ...]]:
        """For each setting its environment variables, strongest first, then its keys of config.json."""
        return {row.name: (*row.env, *row.keys) for row in self._rows(self._context(plugin))}

    async def set(self, plugin: str, field: str, value: Any) -> None:
        """Change a setting as `PluginContext.set` does, and raise as it does; 500 ``CONFIG_NOT_WRITTEN`` where
        config.json cannot be written."""
        try:
            await self._changes(self._context(plugin), field, value)
        except OSError as error:
            raise _unwritten(error) from None

    async def choose_provider(self, provider: Provider) -> None:
        """Make a provider the one that is used where a request names none, from the next start on. 409
        ``SETTING_FROM_ENVIRONMENT`` where a variable decides, 500 ``CONFIG_NOT_WRITTEN``."""
        (row,) = [one for one in kernel_rows() if one.name == "default_provider"]
        if variable := row.overridden_by(self._environ):
            text = f"{variable} is set and decides over config.json: change or unset it."
            raise Ima2Error("SETTING_FROM_ENVIRONMENT", 409, text)
        try:
            await asyncio.to_thread(self._file.set, row.keys[0], provider.id)
        except OSError as error:
            raise _unwritten(error) from None

    def _context(self, plugin: str) -> PluginContext:
        try:
            return self._booted.contexts[plugin]
        except KeyError:
            raise Ima2Error("UNKNOWN_PLUGIN", 404, "No such plugin is in use.") from None

    @staticmethod
    def _rows(ctx: PluginContext) -> list[SettingRow]:
        model = type(ctx.settings)
        return plugin_rows({ctx.plugin: model}) if hasattr(model, "model_fields") else []


def _unwritten(error: OSError) -> Ima2Error:
    reason = error.strerror or type(error).__name__
    return Ima2Error("CONFIG_NOT_WRITTEN", 500, f"config.json could not be written: {reason}.")
