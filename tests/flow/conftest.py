"""The real ``ima2`` against a real server, and without one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.flow.cli import Cli


@pytest.fixture
def at_work(ima2_executable: Path, tmp_path: Path) -> Iterator[Any]:
    """``at_work(served)`` runs commands with a server's environment, or with a given one."""
    folder = tmp_path / "desk"
    folder.mkdir()
    made: list[Cli] = []

    def make(environ: Mapping[str, str]) -> Cli:
        made.append(Cli(ima2_executable, environ, folder))
        return made[-1]

    yield make
    for process in (one for cli in made for one in cli.started):
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def serverless(at_work: Any, tmp_path: Path) -> Cli:
    """Commands where no server runs: the port is one at which nobody listens."""
    home = tmp_path / "home"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IMA2_")}
    clean |= {"IMA2_CONFIG_DIR": str(home), "HOME": str(tmp_path), "IMA2_PORT": "1"}
    cli: Cli = at_work({**clean, "IMA2_PLUGINS": "local_storage,pillow_thumbs,demo,graph"})
    return cli
