"""What plugins offer besides parts: facets, tools, routes and sites, as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ima2.errors import Ima2Error
from ima2.models import Json

if TYPE_CHECKING:
    from fastapi import APIRouter
    from sqlalchemy import Column


@dataclass(frozen=True, slots=True)
class Facet:
    """A table of a plugin that the library joins to the gallery's pages, in SQL and before paging.

    ``key`` is the column, of one of the plugin's own tables, that equals what ``on`` names of a picture: its storage
    ``key``, its ``session_id`` or its ``request_id``. ``scope`` narrows it to the caller's rows: what is known of a
    caller (``browser_id``) to the column that holds it. ``filters`` are query fields by the name a client uses, each
    compared with a column; ``rows`` are fields added to each picture's row, each with a column's value. In both,
    ``None`` for the column asks whether there is a matching row at all. For ``rows`` at most one row may match a
    picture.
    """

    key: Column[Any]
    on: Literal["key", "session_id", "request_id"] = "key"
    scope: Mapping[str, Column[Any]] = field(default_factory=dict)
    filters: Mapping[str, Column[Any] | None] = field(default_factory=dict)
    rows: Mapping[str, Column[Any] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A named call that an agent, or any other program, may be offered.

    ``name`` is a slug, unique among all tools; ``schema`` the JSON schema of its arguments, an object; ``call`` takes
    them and answers with JSON. ``spends`` says that it may cost money: then its caller must have the consent of whoever
    pays.
    """

    name: str
    description: str
    schema: Mapping[str, Json]
    call: Callable[[Mapping[str, Json]], Awaitable[Json]] = field(repr=False)
    spends: bool = False

    async def run(self, arguments: Mapping[str, Json], *, consent: bool = False) -> Json:
        """Call it. 403 ``CONSENT_REQUIRED`` when it spends and nobody has agreed to that."""
        if self.spends and not consent:
            raise Ima2Error("CONSENT_REQUIRED", 403, f"The tool {self.name} may cost money: ask for consent first.")
        return await self.call(arguments)


@dataclass(frozen=True, slots=True)
class Routes:
    """HTTP routes below a prefix of their own: ``/api/notes``, or ``/v1`` for a wire that others defined.

    The router's paths follow the prefix. ``errors`` makes the body of every failure below it (400, 404 and crashes
    too); the status is the error's own.
    """

    router: APIRouter
    prefix: str = ""
    errors: Callable[[Ima2Error], Mapping[str, Json]] | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of static files, served at ``path``: ``/`` takes the place of ima2's own page.

    A folder answers with its ``index.html``; only files below ``folder`` are served.
    """

    folder: Path
    path: str = "/"
