"""The one place that puts a process together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from ima2.contracts import Storage
from ima2.database.sqlite import Database
from ima2.errors import Ima2Error
from ima2.events.publisher import Publisher
from ima2.events.subscription import Subscriptions
from ima2.interfaces import JobView, Label, Limits, Request
from ima2.jobs.jobs import Jobs
from ima2.jobs.process_lock import ProcessLock
from ima2.jobs.record import now_ms
from ima2.kernel import guard
from ima2.kernel.boot import Booted, boot
from ima2.kernel.changes import Changes
from ima2.kernel.collect import facets, migrate, tools
from ima2.kernel.configuration import Configuration
from ima2.kernel.context import Host, PluginContext
from ima2.kernel.discovery import State
from ima2.kernel.lifecycle import OpenParts, open_parts
from ima2.kernel.registry import Registry
from ima2.kernel.report import absent, remember
from ima2.kernel.switches import Switches
from ima2.library import Gallery
from ima2.models import Event
from ima2.network.http import Http
from ima2.settings.config_file import ConfigFile
from ima2.settings.live import LiveSettings
from ima2.settings.model import Settings, load, misspelt, plugin_settings
from ima2.settings.paths import config_file
from ima2.studio.job_run import Workplace
from ima2.studio.studio import Studio

log = logging.getLogger("ima2")
CLOSE_S = 2.0
"""How long a sink may take to let its readers go when the server stops, in seconds."""


@dataclass(slots=True)
class Runtime:
    """Everything one process runs on. ``library``, ``jobs`` and ``studio`` exist once it is open (`open_runtime`)."""

    settings: Settings
    warnings: list[str]
    booted: Booted
    database: Database
    http: Http
    config_file: ConfigFile
    environ: Mapping[str, str]
    host: Host
    publisher: Publisher = field(default_factory=Publisher)
    started_at: int = field(default_factory=now_ms)
    port: int = 0
    parts: OpenParts = field(init=False)
    views: dict[str, Callable[[Request | None, Label], JobView]] = field(default_factory=dict)
    """How jobs of each kind read to their clients: put there by whoever speaks with clients."""
    library: Gallery = field(init=False)
    jobs: Jobs = field(init=False)
    studio: Studio = field(init=False)

    @property
    def registry(self) -> Registry:
        """The parts in use."""
        return self.booted.registry

    def publish(self, event: Event) -> None:
        """Tell every sink."""
        self.publisher.publish(event)


def assemble(
    *,
    environ: Mapping[str, str] | None = None,
    plugins: str | None = None,
    extra: Mapping[str, Any] | None = None,
    discover_entry_points: bool = True,
) -> Runtime:
    """Read the settings and boot the plugins. Opens nothing yet.

    ``plugins`` is the ``--plugins`` flag; ``extra`` holds plugins by name that have no entry point, for tests.
    Raises `Ima2Error` for a malformed config.json and for a plugin that was named and failed.
    """
    environ = os.environ if environ is None else environ
    file = ConfigFile(config_file(environ))
    document = file.read()
    loaded = load(environ, document)
    settings = loaded.settings
    http = Http(environ)
    database = Database(settings.database)
    made: list[Runtime] = []
    host, live = Host(), LiveSettings(file, environ)

    def context(name: str, own: Any) -> PluginContext:
        return PluginContext(
            plugin=name,
            settings=own,
            config_dir=settings.config_dir,
            log=logging.getLogger(f"ima2.plugin.{name}"),
            http=http,
            database=database,
            publish=lambda event: made[0].publish(event),
            sources=live.origins(type(own), name),
            host=host,
        )

    booted = boot(
        Switches.from_sources(plugins, environ, document),
        settings=lambda name, model: plugin_settings(model, name, environ, document),
        context=context,
        extra=extra,
        discover_entry_points=discover_entry_points,
        misspelt=lambda name, model: misspelt(model, name, environ, document),
    )
    booted.registry.absent = absent(settings.config_dir, booted.records)
    host.change = changes = Changes(live, booted.registry.providers_of)
    host.configuration = Configuration(booted, changes, file, environ)
    runtime = Runtime(settings, loaded.warnings, booted, database, http, file, environ, host)
    made.append(runtime)
    return runtime


@asynccontextmanager
async def open_runtime(runtime: Runtime, *, background: bool = True) -> AsyncIterator[Runtime]:
    """Open the database and every part, close what a dead process left running, and keep it all open.

    With ``background`` the gallery is indexed meanwhile, and ordered work of a process that went away is collected.
    Leaving ends running jobs as interrupted and tells their clients.
    """
    settings = runtime.settings
    owner = ProcessLock(settings.config_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_release, owner)
        stack.push_async_callback(runtime.http.close)
        stack.push_async_callback(runtime.database.close)
        await runtime.database.open([("ima2", _kernel_tables())])
        await migrate(runtime.database, runtime.booted)
        runtime.registry.facets = facets(runtime.booted)
        runtime.parts = await stack.enter_async_context(open_parts(runtime.booted))
        runtime.registry.tools = runtime.host.tools = tools(runtime.booted)
        await asyncio.to_thread(remember, settings.config_dir, runtime.booted.records)
        runtime.host.subscriptions = Subscriptions()
        stack.push_async_callback(runtime.host.subscriptions.close)
        sinks = [*runtime.registry.event_sinks.values(), runtime.host.subscriptions]
        runtime.publisher = Publisher(sinks, origin=owner.id)
        runtime.publisher.start()
        stack.push_async_callback(runtime.publisher.close)
        _furnish(runtime, owner)
        stack.push_async_callback(runtime.library.close)
        await runtime.library.open()
        stack.push_async_callback(runtime.studio.close)
        stack.push_async_callback(runtime.jobs.interrupt_all, runtime.studio.verdict)
        if background:
            runtime.library.refresh()
        runtime.host.studio, runtime.host.library = cast(Any, runtime.studio), runtime.library
        async with runtime.parts.lifespans():
            await _recover(runtime, owner, adopt=background)
            yield runtime


async def wind_down(runtime: Runtime) -> None:
    """End what clients wait for, before connections are closed: jobs as interrupted (but for those that the next
    process resumes), then the event streams."""
    await runtime.jobs.interrupt_all(runtime.studio.verdict)
    await runtime.studio.close()
    await runtime.parts.leave_lifespans()
    await runtime.publisher.close()
    sinks = [one for one in (*runtime.registry.event_sinks.values(), runtime.host.subscriptions) if one is not None]
    await asyncio.gather(*(guard.attempt(sink.id, sink.close, CLOSE_S) for sink in sinks))


def _furnish(runtime: Runtime, owner: ProcessLock) -> None:
    settings = runtime.settings
    runtime.library = Gallery(
        _storage(runtime),
        runtime.database,
        runtime.registry,
        thumbnailer=settings.thumbnailer,
        trash=settings.trash_dir_name,
        spool=settings.config_dir / "spool",
    )
    runtime.jobs = Jobs(
        runtime.database,
        runtime.publisher,
        owner=owner.id,
        limit=settings.max_jobs,
        terminal_ttl_ms=settings.terminal_ttl_ms,
    )
    runtime.studio = Studio(
        runtime.registry,
        runtime.jobs,
        runtime.library,
        runtime.publisher,
        default_provider=settings.default_provider,
        place=Workplace(
            runtime.library, settings.job_timeout_s, settings.generated_hex_bytes, settings.max_result_bytes
        ),
        policies=runtime.registry.policies,
        views=runtime.views,
        limits=Limits(settings.max_ref_count, settings.max_ref_b64_bytes, settings.max_prompt_chars),
    )


def _storage(runtime: Runtime) -> Storage:
    """The storage in use, which the settings name: pictures never go somewhere else by themselves."""
    wanted = runtime.settings.storage
    try:
        return runtime.registry.storages[wanted]
    except KeyError:
        offered = ", ".join(sorted(runtime.registry.storages)) or "none"
        off = [record.name for record in runtime.booted.records if record.state is State.OFF]
        why = runtime.registry.absent.get(f"storage:{wanted}") or (f"Switched off: {', '.join(off)}" if off else "")
        text = f"No plugin offers the storage {wanted!r} (offered: {offered}). {f'{why}. ' if why else ''}"
        raise Ima2Error("STORAGE_MISSING", 500, f"{text}See `ima2 plugins list`.") from None


async def _recover(runtime: Runtime, owner: ProcessLock, *, adopt: bool) -> None:
    found = await runtime.jobs.recover(
        lambda name: not owner.is_alive(name), runtime.studio.verdict_after_death, adopt=adopt
    )
    for running in found.adopted:
        await runtime.studio.resume(running)
    if found.adopted:
        log.warning("%d jobs of the last server go on", len(found.adopted))
    if found.waiting:
        log.warning("%d jobs wait for a plugin that is not in use now", len(found.waiting))
    if found.closed:
        log.warning("%d jobs were still running when the last server ended; they are closed", len(found.closed))


async def _release(owner: ProcessLock) -> None:
    owner.release()


def _kernel_tables() -> Any:
    from ima2.database.tables import TABLES

    return TABLES
