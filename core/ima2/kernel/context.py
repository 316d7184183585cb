"""What a plugin's hooks are handed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ima2.contracts import Sql
from ima2.models import Event

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What one plugin sees of the process.

    ``settings`` is what `ima2_settings` asked for, validated (``None`` without that hook). ``config_dir`` is the
    user's folder, ``data_dir`` this plugin's own below it, made on first use by `private_dir`. ``http`` gives the one
    shared
    client, made on first use and closed by the host; it follows no redirects, reads no proxy settings for loopback
    and names
    ima2 as its user agent. ``database`` may be used once parts are opened. ``publish`` tells every sink. ``origins``
    says of each setting that was given
    whether it came from ``env`` or ``config``; one that is missing there has its default.
    """

    plugin: str
    settings: Any
    config_dir: Path
    log: logging.Logger
    http: Callable[[], httpx.AsyncClient]
    database: Sql
    publish: Callable[[Event], None]
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        """This plugin's own folder; it may not exist yet."""
        return self.config_dir / "plugins" / self.plugin

    def private_dir(self) -> Path:
        """`data_dir`, made if missing, readable by its owner only."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.data_dir
