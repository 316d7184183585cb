"""Where things lie, as a client reads it: environment, config.json, default. Standard library only, and forgiving.

The server resolves the same settings strictly (`ima2.settings`); a client that only wants to find it must not stumble
over a broken file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ima2.errors import Ima2Error
from ima2.settings import paths
from ima2.settings.config_file import ConfigFile, find
from ima2.settings.values import is_unset

DEFAULT_PORT = 3333


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """The user's files and the port. ``problem`` says what is wrong with config.json, if anything is."""

    config_dir: Path
    generated: Path
    database: Path
    advertisement: Path
    port: int
    provider: str
    problem: str | None = None

    @property
    def config_file(self) -> Path:
        """config.json, whether it exists or not."""
        return self.config_dir / "config.json"


def client_settings(environ: Mapping[str, str] | None = None) -> ClientSettings:
    """Look everything up. Never raises: a config.json that cannot be read counts as empty, and ``problem`` says so."""
    environ = os.environ if environ is None else environ
    folder, problem = paths.config_dir(environ), None
    document: dict[str, Any] = {}
    try:
        document = ConfigFile(paths.config_file(environ)).read()
    except Ima2Error as error:
        problem = error.text

    def given(names: str, keys: str, default: Any) -> Any:
        values = [*map(environ.get, names.split()), *(find(document, key) for key in keys.split())]
        return next((value for value in values if not is_unset(value)), default)

    def path(names: str, keys: str, default: Path) -> Path:
        return Path(str(given(names, keys, default))).expanduser()

    name = str(given("IMA2_GENERATED_DIRNAME", "storage.generatedDirName", "generated"))
    return ClientSettings(
        folder,
        path("IMA2_GENERATED_DIR", "storage.generatedDir", folder / name),
        path("IMA2_DB_PATH", "storage.dbPath", folder / "sessions.db"),
        path("IMA2_ADVERTISE_FILE", "storage.advertiseFile", folder / "server.json"),
        _port(given("IMA2_PORT PORT", "server.port", DEFAULT_PORT)),
        str(given("IMA2_DEFAULT_PROVIDER", "provider", "auto")),
        problem,
    )


def _port(value: Any) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError):
        return DEFAULT_PORT
    return port if 0 < port <= 65535 else DEFAULT_PORT
