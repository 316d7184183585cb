"""Asking the plugins in use for what is needed after boot. One that raises or answers wrongly fails as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ima2.contracts import Tables
from ima2.database.sqlite import Database
from ima2.database.tables import TABLES
from ima2.errors import Ima2Error
from ima2.kernel.boot import Booted, disable, list_of, one_of
from ima2.models import Json, Panel
from ima2.offers import Facet, Routes, Site, Tool


def tables(booted: Booted) -> list[tuple[str, Tables]]:
    """What each plugin keeps in the database. None may name, or touch, a table of the kernel or of another plugin."""
    kept: list[tuple[str, Tables]] = []
    owners = dict.fromkeys(TABLES.metadata.tables, "the kernel")
    for name, found in _ask(booted, "ima2_tables", lambda answer: one_of("ima2_tables", answer, Tables)):
        names = list(found.metadata.tables)
        steps = " ".join(statement for step in found.migrations for statement in step.statements)
        words = {*names, *re.findall(r"\w+", steps)} & {*owners, *(one for one in names if one.startswith("ima2_"))}
        if words:
            taken = sorted(words)[0]
            disable(booted, name, "ima2_tables", f"The table {taken} belongs to {owners.get(taken, 'the kernel')}.")
            booted.raise_if_named(booted.record(name))
            continue
        owners.update(dict.fromkeys(names, f"plugin {name}"))
        kept.append((name, found))
    return kept


async def migrate(database: Database, booted: Booted) -> None:
    """Bring every plugin's tables to their newest shape, each after a copy of the file. One whose steps fail, or whose
    tables a newer version of it made, is out of use; trouble with the file itself is raised."""
    for name, found in tables(booted):
        try:
            await database.migrate(name, found)
        except Exception as error:
            if isinstance(error, Ima2Error) and error.code != "DB_TOO_NEW":
                raise
            disable(booted, name, "ima2_tables", error)
            booted.raise_if_named(booted.record(name))


def facets(booted: Booted) -> list[tuple[str, Facet]]:
    """What each plugin joins to the gallery."""
    return list(_ask_many(booted, "ima2_library_facets", Facet))


def tools(booted: Booted) -> dict[str, Tool]:
    """Every tool by name. A plugin that offers one whose name is taken fails."""
    found: dict[str, Tool] = {}
    for name, tool in _ask_many(booted, "ima2_tools", Tool):
        if tool.name in found or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", tool.name):
            disable(booted, name, "ima2_tools", f"The tool {tool.name!r} is offered twice or is no slug.")
        else:
            found[tool.name] = tool
    return found


def routers(booted: Booted) -> list[tuple[str, Routes]]:
    """Each plugin's HTTP routes. Imports the web framework only if a plugin has any."""

    def check(answer: Any) -> Routes:
        from fastapi import APIRouter

        found = one_of("ima2_routes", answer, (APIRouter, Routes))
        routes = found if isinstance(found, Routes) else Routes(found)
        one_of("ima2_routes", routes.router, APIRouter)
        return routes

    return list(_ask(booted, "ima2_routes", check))


def sites(booted: Booted) -> list[tuple[str, Site]]:
    """Each plugin's folder of static files."""
    return list(_ask(booted, "ima2_site", lambda answer: one_of("ima2_site", answer, Site)))


def panels(booted: Booted) -> list[tuple[str, Panel]]:
    """Each plugin's pieces of the web page."""
    return list(_ask_many(booted, "ima2_panels", Panel))


def capability_blocks(booted: Booted) -> dict[str, Json]:
    """What plugins add to ``/api/capabilities``, by name; of two that add the same block the first counts."""
    blocks: dict[str, Json] = {}
    for _, found in _ask(booted, "ima2_capabilities", lambda answer: one_of("ima2_capabilities", answer, Mapping)):
        blocks = {**found, **blocks}
    return blocks


def _ask(booted: Booted, hook: str, check: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    for record in booted.ready():
        if hook not in record.hooks:
            continue
        try:
            answer = booted.hooks.call(record.name, hook, ctx=booted.contexts[record.name])
            value = None if answer is None else check(answer)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            disable(booted, record.name, hook, error)
            booted.raise_if_named(record)
            continue
        if value is not None:
            yield record.name, value


def _ask_many(booted: Booted, hook: str, kind: type) -> Iterator[tuple[str, Any]]:
    for name, values in _ask(booted, hook, lambda answer: list_of(hook, answer, kind)):
        yield from ((name, value) for value in values)
