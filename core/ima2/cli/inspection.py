"""Looking at plugins from the command line: they are imported and asked, but nothing is opened."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ima2.contracts import Sql
from ima2.errors import Ima2Error
from ima2.kernel import compat, discovery
from ima2.kernel.boot import Booted, boot
from ima2.kernel.context import PluginContext
from ima2.kernel.discovery import PluginRecord, State
from ima2.kernel.hooks import Hooks
from ima2.kernel.switches import Switches
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile
from ima2.settings.model import misspelt, plugin_settings

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy import Connection

T = TypeVar("T")
logging.getLogger("ima2").addHandler(logging.NullHandler())  # failures are rows here, not log lines


class Closed(Sql):
    """The database as plugins see it while they are only looked at: every use is refused."""

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Refused."""
        _refuse()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Refused."""
        _refuse()


def inspect_plugins(switches: Switches, records: Sequence[PluginRecord]) -> Booted:
    """Boot these plugins to see what they offer. Nothing is opened, and no failure is raised."""
    document = ConfigFile(paths.config_file()).read()
    return boot(
        switches,
        settings=lambda name, model: plugin_settings(model, name, os.environ, document),
        context=lambda name, settings: _context(name, settings, paths.config_dir()),
        records=list(records),
        fatal=False,
        misspelt=lambda name, model: misspelt(model, name, os.environ, document),
    )


def inspect_here() -> Booted:
    """Look at every plugin that is on for this command line; failures are rows."""
    from ima2.cli import current_switches

    return inspect_plugins(current_switches(), discovery.discover())


def models(switches: Switches) -> dict[str, type[BaseModel]]:
    """The settings model of every plugin that is on and can be imported, by plugin; settings need not be valid."""
    found: dict[str, type[BaseModel]] = {}
    for record in discovery.discover():
        usable = switches.is_on(record.name) and record.state is State.FOUND
        if usable and compat.check(record) and discovery.load(record):
            model = _model(record)
            if model is not None:
                found[record.name] = model
    return found


def _model(record: PluginRecord) -> type[BaseModel] | None:
    from pydantic import BaseModel

    hooks = Hooks()
    try:
        hooks.register(record.name, record.module)
        model = hooks.call(record.name, "ima2_settings")
    except (Exception, SystemExit) as error:
        record.fail("ima2_settings", error)
        return None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _context(plugin: str, settings: Any, config_dir: Path) -> PluginContext:
    return PluginContext(
        plugin=plugin,
        settings=settings,
        config_dir=config_dir,
        log=logging.getLogger(f"ima2.plugins.{plugin}"),
        http=_refuse,
        database=Closed(),
        publish=lambda _event: None,
    )


def _refuse() -> NoReturn:
    raise Ima2Error("NOT_RUNNING", 503, "Plugins are only being looked at; start `ima2 serve` to use them.")
