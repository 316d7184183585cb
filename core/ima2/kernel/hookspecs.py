"""The hooks: everything a plugin can offer.

Hooks are sync, cheap and free of I/O; each is called once, and no hook depends on order. A plugin
implements the ones it needs as functions of its module, marked with ``@ima2.hookimpl``, and may
leave ``ctx`` out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter
    from pydantic import BaseModel

    from ima2.contracts import EventSink, Provider, Storage, Tables, Thumbnailer
    from ima2.interfaces import Policy
    from ima2.kernel.context import PluginContext
    from ima2.models import Json, Panel
    from ima2.offers import Facet, Routes, Site, Tool


def ima2_settings() -> type[BaseModel] | None:
    """Name the model of the plugin's settings. Called first; the validated settings arrive as ``ctx.settings``.

    Values come from ``IMA2_PLUGINS__<NAME>__<FIELD>``, then the field's own environment names, then
    ``plugins.<name>`` in
    config.json, then the field's own config key, then its default (see `ima2.setting`). A secret is a ``SecretStr``.
    """


def ima2_tables(ctx: PluginContext) -> Tables | None:
    """Bring tables and migrations. Called when the database is opened, before any part is."""


def ima2_providers(ctx: PluginContext) -> Sequence[Provider] | None:
    """Offer providers of pictures, clips or words. Called at boot."""


def ima2_storages(ctx: PluginContext) -> Sequence[Storage] | None:
    """Offer storages. Called at boot; the setting ``storage.use`` names the one in use."""


def ima2_thumbnailers(ctx: PluginContext) -> Sequence[Thumbnailer] | None:
    """Offer thumbnailers. Called at boot; one is chosen by media type and preference."""


def ima2_event_sinks(ctx: PluginContext) -> Sequence[EventSink] | None:
    """Offer sinks that hear every event. Called at boot, before any job."""


def ima2_policies(ctx: PluginContext) -> Sequence[Policy] | None:
    """Offer policies, which see every request before it runs. Called at boot."""


def ima2_library_facets(ctx: PluginContext) -> Sequence[Facet] | None:
    """Offer filters and row fields of the gallery from the plugin's own tables. Called once the database is open."""


def ima2_tools(ctx: PluginContext) -> Sequence[Tool] | None:
    """Offer named calls with a JSON schema. Called once parts are open."""


def ima2_routes(ctx: PluginContext) -> APIRouter | Routes | None:
    """Offer HTTP routes below ``/api/`` or a prefix. Called only when the server is built; a route that is taken makes
    the plugin fail."""


def ima2_site(ctx: PluginContext) -> Site | None:
    """Offer a folder of static files. Called only when the server is built."""


def ima2_capabilities(ctx: PluginContext) -> Mapping[str, Json] | None:
    """Offer blocks of ``/api/capabilities`` by name. Called when the server is built."""


def ima2_panels(ctx: PluginContext) -> Sequence[Panel] | None:
    """Offer pieces of the web page, as data. Called only when the server is built."""


def ima2_lifespan(ctx: PluginContext) -> AbstractAsyncContextManager[None] | None:
    """Offer a context manager around the process's work, for state that belongs to no single part. Entered once
    the studio works, left while it still does."""


HOOKS = tuple(name for name in list(globals()) if name.startswith("ima2_"))
