"""Where the user's files lie. Standard library only: the command line asks before anything else is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def config_dir(environ: Mapping[str, str] | None = None) -> Path:
    """The user's folder: ``IMA2_CONFIG_DIR``, else ``~/.ima2``. An empty variable counts as unset."""
    named = (os.environ if environ is None else environ).get("IMA2_CONFIG_DIR", "")
    return Path(named or "~/.ima2").expanduser()


def config_file(environ: Mapping[str, str] | None = None) -> Path:
    """The settings file in `config_dir`; it may not exist."""
    return config_dir(environ) / "config.json"
