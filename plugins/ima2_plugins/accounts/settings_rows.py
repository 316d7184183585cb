"""Every plugin's settings as data, so that a page can show and change them without knowing the plugin."""

from __future__ import annotations

from typing import Any

import ima2

LIMITS = {
    "minimum": "min",
    "exclusiveMinimum": "above",
    "maximum": "max",
    "exclusiveMaximum": "below",
    "pattern": "pattern",
    "minLength": "minLength",
    "maxLength": "maxLength",
    "enum": "choices",
}
"""Rules of a value by their names in JSON schema, and how the rows call them."""


def rows(ctx: ima2.PluginContext, plugin: str) -> list[dict[str, Any]]:
    """One plugin's settings. The value of a secret is never among them, only whether there is one."""
    configuration = ctx.configuration
    settings, sources, places = (
        configuration.settings(plugin),
        configuration.sources(plugin),
        configuration.places(plugin),
    )
    model = type(settings)
    schema, values = _schema(model), settings.model_dump(mode="json", warnings=False)
    found = []
    for name, info in model.model_fields.items():
        shape = _shape(schema.get(name, {}))
        secret = shape.get("format") == "password"
        row = {
            "name": name,
            "title": info.title or name.replace("_", " ").capitalize(),
            "help": info.description or "",
            "type": "secret" if secret else shape.get("type", "any"),
            "source": sources.get(name, "default"),
            "places": list(places[name]),
            "needsRestart": _restart(ctx, plugin, info.json_schema_extra),
            **{ours: shape[theirs] for theirs, ours in LIMITS.items() if theirs in shape},
        }
        found.append(row | ({"configured": _is_given(settings, name)} if secret else {"value": values.get(name)}))
    return found


def _schema(model: Any) -> dict[str, Any]:
    """What pydantic says of each field; nothing of a model that holds types without a JSON schema."""
    try:
        whole = model.model_json_schema(by_alias=False)
    except Exception:
        return {}
    properties: dict[str, Any] = whole.get("properties", {})
    return properties


def _shape(schema: dict[str, Any]) -> dict[str, Any]:
    """A field's rules, with those of its one kind of value where it may also be missing."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return {**schema, **kinds[0]} if len(kinds) == 1 else schema


def _is_given(settings: Any, name: str) -> bool:
    value = getattr(settings, name)
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _restart(ctx: ima2.PluginContext, plugin: str, extra: object) -> bool | None:
    """Whether a change counts from the next start only: as the setting says, else by what the plugin's providers take
    up while they run; ``None`` where nobody knows."""
    declared = extra.get("restart") if isinstance(extra, dict) else None
    if isinstance(declared, bool):
        return declared
    own = [one for one in ctx.studio.providers() if ctx.configuration.owner(one) == plugin]
    return any(type(one).reconfigure is ima2.Provider.reconfigure for one in own) if own else None
