"""Changing one setting of a plugin while it runs: in config.json, and in its validated settings, or in neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from ima2.errors import Ima2Error
from ima2.settings.config_file import ConfigFile, find, put, take
from ima2.settings.model import plugin_settings
from ima2.settings.sources import Source, sources


class LiveSettings:
    """The settings of plugins in one config.json, below one environment."""

    def __init__(self, file: ConfigFile, environ: Mapping[str, str]) -> None:
        self._file, self._environ = file, environ

    def change(self, model: type[BaseModel], plugin: str, field: str, value: Any) -> BaseModel:
        """Store a value (``None`` = back to the default) and give the settings as they are now. Blocks on files.

        Raises `Ima2Error` ``UNKNOWN_SETTING`` and ``SETTING_INVALID`` (400), and ``SETTING_FROM_ENVIRONMENT`` (409)
        where a variable decides, so that a change would have no effect.
        """
        info = model.model_fields.get(field) if issubclass(model, BaseModel) else None
        if info is None:
            known = ", ".join(getattr(model, "model_fields", ())) or "none"
            raise Ima2Error("UNKNOWN_SETTING", 400, f"Plugin {plugin} has no setting {field}. It has: {known}.")
        places = sources(info, plugin, field)
        variable = next((one.name for one in places if one.from_env and one.read(self._environ, {}) is not None), None)
        if variable:
            text = f"{variable} is set and decides over config.json: change or unset it."
            raise Ima2Error("SETTING_FROM_ENVIRONMENT", 409, text)
        raw = value.get_secret_value() if isinstance(value, SecretStr) else value

        def edit(document: dict[str, Any]) -> BaseModel:
            _store(document, [one for one in places if not one.from_env], raw)
            try:
                return plugin_settings(model, plugin, self._environ, document)
            except Ima2Error as error:
                raise Ima2Error("SETTING_INVALID", 400, error.text) from None

        changed: BaseModel = self._file.change(edit)
        return changed

    def origins(self, model: type[BaseModel], plugin: str) -> dict[str, str]:
        """Which layer each given setting of a plugin comes from: ``env`` or ``config``."""
        document, given = self._file.read(), {}
        for name, info in getattr(model, "model_fields", {}).items():
            found = (one for one in sources(info, plugin, name) if one.read(self._environ, document) is not None)
            if (first := next(found, None)) is not None:
                given[name] = "env" if first.from_env else "config"
        return given


def _store(document: dict[str, Any], places: list[Source], value: Any) -> None:
    """Where the value stands now, else where other programs look for it, else below the plugin's own name."""
    for one in places if value is None else ():
        take(document, one.name)
    if value is not None:
        given = [one for one in places if find(document, one.name) is not None]
        put(document, (given or places[1:] or places)[0].name, value)
