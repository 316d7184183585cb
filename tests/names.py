"""The public names of ima2 as a page: what each is, its fields, its methods; from the code, so that it stays true."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import ima2

_HOMES = {
    "What a provider can do": "ima2.capabilities",
    "Requests, updates, events": "ima2.models",
    "Parts": "ima2.contracts",
    "Studio and jobs": "ima2.interfaces",
    "Gallery": "ima2.library_api",
    "Plugins": "ima2.kernel ima2.settings",
    "Helpers for routes, commands and scripts": "ima2.web ima2.terminal ima2.scripts ima2.client",
    "Pictures and files": "ima2.media ima2.files ima2.keys",
    "Network": "ima2.network",
    "Errors, versions and the rest": "ima2",
}
"""Sections of the page, each with the modules whose names it holds; a name goes to the first that fits."""


def page() -> str:
    """Every public name, in sections."""
    left = dict.fromkeys(ima2.__all__)
    parts = []
    for title, modules in _HOMES.items():
        names = [name for name in left if any(_home(name).startswith(module) for module in modules.split())]
        for name in names:
            del left[name]
        if names:
            parts.append(f"## {title}\n\n" + "\n\n".join(_entry(name) for name in names))
    return "\n\n".join(parts)


def _home(name: str) -> str:
    from ima2 import _MODULES

    return next((module for module, names in _MODULES.items() if name in names.split()), f"ima2.{name}")


def _entry(name: str) -> str:
    thing = getattr(ima2, name)
    pieces = [f"### `{name}`{_signature(thing)}", _prose(thing)]
    if dataclasses.is_dataclass(thing):
        pieces.append(_fields(thing))
    elif isinstance(thing, ModuleType):
        pieces.append("\n\n".join(_method(one, getattr(thing, one)) for one in thing.__all__))
    if inspect.isclass(thing):
        pieces.append("\n".join(_methods(thing)))
    return "\n\n".join(piece for piece in pieces if piece)


def _signature(thing: Any) -> str:
    if not inspect.isfunction(thing):
        return ""
    return f"\n\n```python\n{thing.__name__}{inspect.signature(thing)}\n```".replace("'", "")


def _prose(thing: Any) -> str:
    if not (inspect.isclass(thing) or callable(thing) or isinstance(thing, ModuleType)):
        return f"Value: `{thing!r}`." if isinstance(thing, str | int) else f"An alias: `{_alias(thing)}`."
    text = inspect.getdoc(thing) or ""
    own = not (inspect.isclass(thing) and "__doc__" not in vars(thing))
    return _markdown(text) if own and text else f"`{thing!r}`"


def _alias(thing: Any) -> str:
    return re.sub(r"\b[a-z_]+(?:\.[a-z_]+)*\.(?=[A-Z])", "", str(thing))


def _markdown(text: str) -> str:
    code = re.sub(
        r"::\n\n((?:    .*\n?|\n)+)", lambda match: ":\n\n```python\n" + inspect.cleandoc(match[1]) + "\n```\n", text
    )
    return re.sub(r"``(.+?)``", r"`\1`", code).strip()


def _fields(thing: Any) -> str:
    lines = ["| Field | Type | Default |", "| --- | --- | --- |"]
    for field in dataclasses.fields(thing):
        if field.init and not field.name.startswith("_"):
            kind = str(field.type).replace("|", "\\|")
            lines.append(f"| `{field.name}` | `{kind}` | {_default(field)} |")
    return "\n".join(lines)


def _default(field: Any) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return "empty" if field.default_factory in (dict, list) else "made anew"
    if field.default is dataclasses.MISSING:
        return "required"
    text = repr(field.default).replace("|", "\\|")
    return f"`{text}`" if len(text) < 60 else f"`{type(field.default).__name__}()`"


def _methods(thing: Any) -> Iterator[str]:
    for name, value in vars(thing).items():
        inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if not name.startswith("_") and inspect.isfunction(inner) and inspect.getdoc(inner):
            yield _method(name, inner, is_property=isinstance(value, property))


def _method(name: str, value: Any, *, is_property: bool = False) -> str:
    text = _markdown(" ".join((inspect.getdoc(value) or "").split()))
    if is_property or not inspect.isfunction(value):
        return f"- `{name}`: {text}"
    signature = re.sub(r"\(self(?:, )?", "(", str(inspect.signature(value))).replace("'", "")
    before = "await " if inspect.iscoroutinefunction(value) else ""
    return f"- `{before}{name}{signature}`: {text}"
