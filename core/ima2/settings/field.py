"""Settings models: one way to say where a field's value comes from, for the kernel and for plugins."""

from __future__ import annotations

from typing import Any


def setting(
    default: Any, *, env: str = "", key: str = "", help: str = "", restart: bool | None = None, **rules: Any
) -> Any:
    """A pydantic field that also reads the names the reference used.

    ``env`` holds environment variables, strongest first, separated by blanks; ``key`` dotted keys of
    config.json likewise. ``restart`` says whether a change counts from the next start only. ``rules`` are pydantic's
    own (``ge``, ``le``, ``pattern``, …). For every field of a plugin ``IMA2_PLUGINS__<PLUGIN>__<FIELD>`` and
    ``plugins.<plugin>.<field>`` work without being named. In a list or mapping default, give a factory by
    ``default_factory=``.
    """
    from pydantic import Field

    extra: dict[str, Any] = {"env": env.split(), "key": key}
    if restart is not None:
        extra["restart"] = restart
    if "default_factory" in rules:
        return Field(description=help or None, json_schema_extra=extra, **rules)
    return Field(default=default, description=help or None, json_schema_extra=extra, **rules)
