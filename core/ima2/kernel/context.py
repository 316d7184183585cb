"""What a plugin's hooks are handed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ima2.contracts import Sql
from ima2.deprecation import deprecated
from ima2.errors import Ima2Error
from ima2.models import Event, Json
from ima2.offers import Tool

if TYPE_CHECKING:
    import httpx

    from ima2.events.subscription import Subscription, Subscriptions
    from ima2.interfaces import Studio
    from ima2.kernel.configuration import Configuration
    from ima2.library_api import Library
    from ima2.network.fetch import Fetched, FetchLimits

ENDS = frozenset({"done", "error"})
"""Names of events that end somebody's job: only the job's own end may bear them."""


@dataclass(slots=True, eq=False)
class Host:
    """What a process hands to all its plugins once it is open. Until then each field is empty."""

    studio: Studio | None = None
    library: Library | None = None
    subscriptions: Subscriptions | None = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    change: Callable[[PluginContext, str, Any], Awaitable[None]] | None = None
    configuration: Configuration | None = None


@dataclass(slots=True, eq=False)
class PluginContext:
    """What one plugin sees of the process.

    ``settings`` is what `ima2_settings` asked for, validated (``None`` without that hook), and always the newest.
    ``config_dir`` is the user's folder, ``data_dir`` this plugin's own below it, made on first use by `private_dir`.
    ``http`` gives the one shared client, made on first use and closed by the host; it follows no redirects, reads no
    proxy settings for loopback and names ima2 as its user agent. ``database`` may be used once parts are opened.
    ``sources`` says of each setting that was given whether it came from ``env`` or ``config``; one that is missing
    there has its default. ``state`` is an object of the plugin's own, the same in all its hooks. `studio` and
    `library` work from ``ima2_lifespan`` on, in routes, tools and in every method that runs then.
    """

    plugin: str
    settings: Any
    config_dir: Path
    log: logging.Logger
    http: Callable[[], httpx.AsyncClient]
    database: Sql
    publish: Callable[[Event], None]
    sources: Mapping[str, str] = field(default_factory=dict)
    host: Host = field(default_factory=Host, repr=False)
    state: SimpleNamespace = field(default_factory=SimpleNamespace)
    _tell: Callable[[Event], None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        owner = getattr(self.publish, "__self__", None)  # another context's, when this is a copy of it
        self._tell = owner._tell if isinstance(owner, PluginContext) else self.publish
        self.publish = self._publish

    @property
    def data_dir(self) -> Path:
        """This plugin's own folder; it may not exist yet."""
        return self.config_dir / "plugins" / self.plugin

    def private_dir(self) -> Path:
        """`data_dir`, made if missing, readable by its owner only."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.data_dir

    @property
    def studio(self) -> Studio:
        """Runs requests and jobs. 503 ``NOT_OPEN`` before the process is open."""
        studio: Studio = self._opened("studio", self.host.studio)
        return studio

    @property
    def library(self) -> Library:
        """The gallery. 503 ``NOT_OPEN`` before the process is open."""
        library: Library = self._opened("library", self.host.library)
        return library

    @property
    def configuration(self) -> Configuration:
        """Every plugin's settings, for features that let a person change them. 503 ``NOT_OPEN`` while booting."""
        configuration: Configuration = self._opened("configuration", self.host.configuration)
        return configuration

    def tools(self) -> Mapping[str, Tool]:
        """Every plugin's tools by name; empty before parts are open."""
        return self.host.tools

    async def set(self, field: str, value: Any) -> None:
        """Change one of the plugin's own settings in config.json, and let its providers `reconfigure`.

        ``None`` brings the default back. Raises `Ima2Error` ``UNKNOWN_SETTING``, ``SETTING_INVALID`` (400), or
        ``SETTING_FROM_ENVIRONMENT`` (409) where a variable decides.
        """
        await self._opened("set", self.host.change)(self, field, value)

    def emit(self, name: str, data: Mapping[str, Json], job_id: str = "") -> None:
        """Tell every sink and subscriber that something happened, as ``<plugin>.<name>``. It never ends a job."""
        self._tell(Event(f"{self.plugin}.{name}", job_id, dict(data)))

    def subscribe(self, *names: str) -> Subscription:
        """Follow events from now on, all or those of some names: ``async for event in ctx.subscribe("done"):``."""
        subscriptions: Subscriptions = self._opened("subscribe", self.host.subscriptions)
        return subscriptions.add(*names)

    async def fetch(self, url: str, limits: FetchLimits | None = None) -> Fetched:
        """The file at an address that came from outside: the one guarded download, within ``limits``. Raises
        `ima2.FetchError`."""
        found: Fetched = await self._opened("fetch", getattr(self.http, "fetch", None))(url, limits)
        return found

    @property
    def origins(self) -> Mapping[str, str]:
        """Deprecated name of ``sources``."""
        deprecated("ctx.origins", "ctx.sources")
        return self.sources

    def _publish(self, event: Event) -> None:
        deprecated("ctx.publish", "ctx.emit")
        if event.terminal or event.name in ENDS:
            text = f"Plugin {self.plugin} may not end a job of others: a job ends once, by itself."
            raise Ima2Error("EVENT_NOT_ALLOWED", 500, text)
        self._tell(event)

    def _opened(self, what: str, value: Any) -> Any:
        if value is None:
            text = f"ctx.{what} works once the process is open: from ima2_lifespan on, in routes, tools and jobs."
            raise Ima2Error("NOT_OPEN", 503, text)
        return value
