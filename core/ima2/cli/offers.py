"""What the plugins of this installation offer, as help texts name it. Remembered, so that showing a help boots none."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ima2.errors import Ima2Error
from ima2.files import private_folder, write_whole
from ima2.settings import paths
from ima2.settings.config_file import is_secret
from ima2.version import VERSION

if TYPE_CHECKING:
    from ima2.kernel.registry import Registry


@dataclass(frozen=True, slots=True)
class Offers:
    """Ids of the providers that are on, in the order they are shown, and of the models that make clips."""

    providers: tuple[str, ...] = ()
    video_models: tuple[str, ...] = ()


def list_offers() -> Offers:
    """What is offered: as the last look at these plugins and settings saw it, else after looking now.

    Nothing where that cannot be found out, as with a broken config.json.
    """
    try:
        remembered = _recall()
        if remembered is not None:
            return remembered
        from ima2.cli.inspection import inspect_here

        registry = inspect_here().registry
        remember_offers(registry)
        return offers_of(registry)
    except Ima2Error:
        return Offers()


def offers_of(registry: Registry) -> Offers:
    """What a process with these parts offers."""
    from ima2.catalogue import ranked

    providers = ranked(registry)
    models = [m.id for one in providers for m in one.capabilities.models if m.media == "video" and m.supported]
    return Offers(tuple(one.id for one in providers), tuple(dict.fromkeys(models)))


def remember_offers(registry: Registry) -> None:
    """Keep what a process with these parts offers. Trouble with the file is no trouble for the program."""
    path = _file()
    text = json.dumps({"key": _key(), **asdict(offers_of(registry))})
    with suppress(OSError):
        write_whole(private_folder(path.parent) / path.name, text.encode())


def _recall() -> Offers | None:
    try:
        stored = json.loads(_file().read_bytes())
        if stored.get("key") != _key():
            return None
        return Offers(tuple(map(str, stored["providers"])), tuple(map(str, stored["video_models"])))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _key() -> str:
    """Changes with everything that may change what is offered: packages, switches, settings, variables."""
    from ima2.cli import current_switches
    from ima2.kernel.discovery import discover

    switches = current_switches()
    on = [(one.name, one.package, one.version, one.value) for one in discover() if switches.is_on(one.name)]
    variables = sorted((k, v) for k, v in os.environ.items() if k.startswith("IMA2_") and not is_secret(k))
    try:
        config = paths.config_file().read_bytes()
    except OSError:
        config = b""
    parts = json.dumps([VERSION, on, variables]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(parts + hashlib.sha256(config).digest()).hexdigest()


def _file() -> Path:
    return paths.config_dir() / "state" / "offers.json"
