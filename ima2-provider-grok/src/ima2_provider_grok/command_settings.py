"""The plugin's settings for its commands, which run without the host: environment, then config.json, then defaults."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ima2 import Ima2Error
from ima2_provider_grok.settings import GrokSettings


def command_settings(environ: Mapping[str, str] | None = None) -> GrokSettings:
    """The settings in force. Raises `Ima2Error` ``PLUGIN_SETTINGS_INVALID`` naming the fields that are not usable."""
    environ = os.environ if environ is None else environ
    document = _document(Path(environ.get("IMA2_CONFIG_DIR") or "~/.ima2").expanduser() / "config.json")
    values = {
        name: value for name in GrokSettings.model_fields if (value := _value(name, environ, document)) is not None
    }
    try:
        return GrokSettings.model_validate(values)
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors(include_input=False)}))
        raise Ima2Error("PLUGIN_SETTINGS_INVALID", 500, f"These settings of grok are not usable: {fields}.") from None


def _value(name: str, environ: Mapping[str, str], document: Mapping[str, Any]) -> Any:
    """Where the host looks, in its order; an empty text counts as not given."""
    extra = GrokSettings.model_fields[name].json_schema_extra
    hints = extra if isinstance(extra, dict) else {}
    own = [f"IMA2_PLUGINS__GROK__{name.upper()}", *map(str, _listed(hints.get("env")))]
    found = [environ.get(key) for key in own]
    found += [_at(document, f"plugins.grok.{name}"), _at(document, str(hints.get("key") or ""))]
    return next((value for value in found if value not in (None, "")), None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _at(document: Any, key: str) -> Any:
    for step in key.split(".") if key else ():
        document = document.get(step) if isinstance(document, Mapping) else None
    return document if key else None


def _document(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
