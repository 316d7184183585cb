"""The tables of the documentation that come from the code. ``python -m tests.docs`` writes them anew.

A table stands between ``<!-- table: name -->`` and ``<!-- end -->``; everything around it is written by hand.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ima2.catalogue import ranked
from ima2.contracts import Provider
from ima2.kernel.discovery import discover, starting_off
from ima2.runtime import Runtime, assemble
from ima2.settings.model import Settings
from ima2.settings.sources import is_secret_field, sources
from ima2_plugins.agy import failures as agy
from ima2_plugins.openai import catalogue as openai
from ima2_plugins.openai import reasons as openai_reasons
from ima2_plugins.openai_compatible import failures as compatible
from ima2_provider_gemini import reasons as gemini
from tests import names
from tests.docs_cli import command_reference, exit_code_table

ROOT = Path(__file__).parents[1]
NAMES_PAGE = "docs/internals.md"
PAGES = ("docs/cli.md", "docs/configuration.md", "docs/providers.md")
PACKAGES = frozenset({"ima2", "ima2-provider-grok", "ima2-provider-gemini"})
_PLACE = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def runtime() -> Runtime:
    """A process over an empty folder with every first-party plugin, and nothing that this machine has set."""
    with tempfile.TemporaryDirectory() as folder:
        bare = {"HOME": folder, "PATH": os.environ.get("PATH", ""), "IMA2_CONFIG_DIR": folder}
        bare |= {place: "1" for places in starting_off().values() for place in places if place.isupper()}
        return assemble(environ=bare, extra=_not_installed())


def _not_installed() -> dict[str, ModuleType]:
    """Plugins of this tree that came after it was installed."""
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["ima2.plugins"]
    known = {record.name for record in discover()}
    return {name: import_module(module) for name, module in entries.items() if name not in known}


def tables() -> dict[str, str]:
    """Every generated table by its name."""
    found = runtime()
    return {
        "commands": command_reference(),
        "exit-codes": exit_code_table(),
        "kernel": settings_table(Settings, ""),
        "plugins": plugin_tables(found),
        "providers": provider_table(_ours(found)),
        "models": model_table(_ours(found)),
        "options": option_table(_ours(found)),
        "model-facts": fact_table(_ours(found)),
        "prices": price_table(_ours(found)),
        "gemini-reasons": gemini_reasons(),
        "openai-drawing": openai_drawing(),
        "openai-reasons": openai_labels(),
        "outcomes-grok": grok_outcomes(),
        "agy-failures": agy_failures(),
        "compatible-failures": compatible_failures(),
        "names": names.page(),
    }


def filled(text: str, known: dict[str, str]) -> str:
    """A page with its tables as they should be. An unknown table is ``KeyError``."""
    return _PLACE.sub(lambda match: f"{match[1]}{known[match[2]]}\n{match[3]}", text)


def gemini_reasons() -> str:
    """What each of Gemini's finish and block reasons means."""
    rows = ((f"`{name}`", one.kind, "yes" if one.again else "–", one.text) for name, one in gemini.REASONS.items())
    return table(("Reason", "Kind", "Again", "What happened"), rows)


def openai_drawing() -> str:
    """The models that OpenAI's drawing tool draws with."""
    rows = []
    for one in openai.DRAWING_MODELS:
        state = f"{one.state}, {one.ends}" if one.ends else one.state
        sizes = _codes(one.sizes) if one.sizes else "by the rule"
        rows.append(
            (
                _codes([one.id]),
                state,
                _codes([one.replacement] if one.replacement else []),
                sizes,
                _codes(one.qualities),
                f"{one.source}, {one.checked}",
            )
        )
    return table(("Model", "State", "Replaced by", "Sizes", "Qualities", "Source, read on"), rows)


def openai_labels() -> str:
    """What each label of OpenAI's failures means, one row a kind."""
    rows = []
    for kind, meaning in openai_reasons.MEANINGS.items():
        labels = [label for label, one in openai_reasons.REASONS.items() if one == kind]
        status = str(meaning.status) if meaning.status else "OpenAI's own"
        again = "yes" if meaning.again else "–"
        rows.append((kind, _codes(labels), _codes([meaning.code]), status, meaning.outcome, again))
    return table(("Kind", "Labels of OpenAI", "Code", "Status", "Outcome", "Try again"), rows)


def agy_failures() -> str:
    """What each failure of the Antigravity CLI means."""
    answer = {True: "yes", False: "–"}
    rows = (
        (f"`{code}`", str(one.status), answer[one.ran], answer[one.again], one.text)
        for code, one in agy.MEANINGS.items()
    )
    return table(("Code", "Status", "May count", "Again", "What happened"), rows)


def compatible_failures() -> str:
    """What each kind of failure of a server of OpenAI's wire is called, and whether trying again can help."""
    rows = (
        (kind, f"`{one.code}`", str(one.status or "the server's own"), one.outcome, _shown(one.again))
        for kind, one in compatible.MEANINGS.items()
    )
    return table(("Kind", "Code", "Status", "Outcome", "Try again"), rows)


# -- settings -----------------------------------------------------------------------------------


def plugin_tables(found: Runtime) -> str:
    """One table a plugin that has settings, under its name."""
    parts = []
    for record in sorted(found.booted.records, key=lambda one: one.name):
        context = found.booted.contexts.get(record.name)
        if record.package in {"", *PACKAGES} and context is not None and isinstance(context.settings, BaseModel):
            parts.append(f"### {record.name}\n\n{settings_table(type(context.settings), record.name)}")
    return "\n\n".join(parts)


def settings_table(model: type[BaseModel], plugin: str) -> str:
    """A settings model as a table: what sets a field, its default, what it is for."""
    rows = []
    for name, field in model.model_fields.items():
        own, general = sources(field), sources(field, plugin, name)
        cells = []
        for from_env in (True, False):
            named = [one.name for one in own if one.from_env is from_env]
            cells.append(_codes(named or [one.name for one in general if one.from_env is from_env]))
        rows.append((_codes([name]), *cells, _default(field), field.description or ""))
    return table(("Setting", "Environment", "config.json", "Default", "Meaning"), rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True) if field.default_factory is None else field.default_factory()  # type: ignore[call-arg]
    if value is PydanticUndefined or value is None or value == "" or value == ():
        return "secret, none" if is_secret_field(field) else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset | set):
        return _codes(str(one) for one in value)
    return _codes([str(value)])


# -- providers ----------------------------------------------------------------------------------


def provider_table(providers: Iterable[Provider]) -> str:
    """What each provider declares about itself."""
    header = ("Provider", "Title", "Makes", "Formats", "References", "At once", "Edit", "Mask", "Previews", "Story")
    rows = []
    for provider in providers:
        able = provider.capabilities
        makes = " and ".join({"image": "pictures", "video": "clips"}[medium] for medium in able.media)
        formats = ", ".join(able.formats) or "as it comes"
        numbers = (able.max_references, able.max_count)
        flags = (able.edit, able.mask, able.partials, able.sequence)
        cells = [_codes([provider.id]), provider.title, makes, formats, *(str(number) for number in numbers)]
        rows.append([*cells, *(_shown(flag) for flag in flags)])
    return table(header, rows)


def model_table(providers: Iterable[Provider]) -> str:
    """The models and sizes of each provider."""
    rows = []
    for provider in providers:
        able = provider.capabilities
        defaults = {able.default_model, able.default_video_model} - {""}
        models = [f"`{one.id}`{' (default)' if one.id in defaults else ''}" for one in able.models if one.supported]
        sizes = [f"`{size}`" for size in able.sizes.listed]
        if able.sizes.free:
            sizes = [f"any WxH up to {able.sizes.max_edge}"]
        if "size" in able.fixed:
            sizes = [f"always `{able.fixed['size']}`"]
        elif able.sizes.auto:
            sizes.append("`auto`")
        rows.append((_codes([provider.id]), ", ".join(models) or "one", ", ".join(sizes), f"`{able.default_size}`"))
    return table(("Provider", "Models", "Sizes", "Default size"), rows)


def fact_table(providers: Iterable[Provider]) -> str:
    """What is known of each model, where from and since when."""
    rows = []
    for provider in providers:
        for model in provider.capabilities.models:
            if model.source:
                ends = f"{model.state}, {model.ends}" if model.ends else model.state
                most = "" if model.max_references is None else str(model.max_references)
                facts = (ends, _codes([model.replacement] if model.replacement else ()), most)
                cells = [one or "–" for one in (*facts, model.source, model.checked)]
                rows.append((f"`{provider.id}`", f"`{model.id}`", *cells))
    return table(("Provider", "Model", "State", "Replaced by", "References", "Source", "Checked"), rows)


def price_table(providers: Iterable[Provider]) -> str:
    """List prices in US dollars."""
    rows = []
    for provider in providers:
        for price in provider.capabilities.prices:
            detail = " ".join(one for one in (price.resolution, price.quality) if one) or "–"
            rows.append((f"`{provider.id}`", f"`{price.model}`", price.unit, detail, f"{price.usd:.4g}"))
    return table(("Provider", "Model", "Per", "Size, quality", "US dollars"), rows)


def option_table(providers: Iterable[Provider]) -> str:
    """The options of requests that each provider declares."""
    rows = []
    for provider in providers:
        for option in provider.capabilities.options:
            values = _codes(option.values) if option.values else option.kind
            default = "none" if option.default is None else f"`{str(option.default).lower()}`"
            rows.append((_codes([provider.id]), _codes([option.name]), values, default, option.title))
    return table(("Provider", "Option", "Values", "Default", "Meaning"), rows)


def grok_outcomes() -> str:
    """What each failure of xAI is called, and whether trying again can help."""
    from ima2_provider_grok.outcomes import MEANINGS

    rows = [
        (
            one.when,
            f"`{one.code}`" if one.code else "the step's own",
            str(one.status or "xAI's own"),
            one.outcome,
            _shown(one.again),
        )
        for one in MEANINGS.values()
    ]
    return table(("What happened", "Code", "Status", "Outcome", "Try again"), rows)


def _ours(found: Runtime) -> list[Provider]:
    packages = {record.name: record.package for record in found.booted.records}
    owners = found.registry.owners
    return [one for one in ranked(found.registry) if packages[owners["provider", one.id]] in PACKAGES]


def _shown(value: Any) -> str:
    return "yes" if value is True else str(value) if value else "–"


# -- Markdown -----------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _codes(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names) or "–"


def main(say: Callable[[str], None] = print) -> None:
    """Write the pages that differ."""
    known = tables()
    for page in (*PAGES, NAMES_PAGE):
        path = ROOT / page
        before = path.read_text()
        after = filled(before, known)
        if after != before:
            path.write_text(after)
            say(f"{page} is written anew")


if __name__ == "__main__":
    main()
