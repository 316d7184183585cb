"""A provider in front of the fake CLI, in a home of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.upstreams import agy_cli
from tests.upstreams.world import picture

from ima2_plugins.agy.provider import AgyProvider
from ima2_plugins.agy.settings import AgySettings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a temporary folder of this test's own."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return home


@pytest.fixture
def cli(tmp_path: Path, home: Path) -> Path:
    """The folder of the fake CLI."""
    agy_cli.install(tmp_path / "cli", picture=picture(seed=3))
    return tmp_path / "cli"


@pytest.fixture
def make(cli: Path) -> Callable[..., AgyProvider]:
    """Makes providers that use the fake in a mode, with other settings as given."""

    def provider(mode: str = "result", **settings: Any) -> AgyProvider:
        (cli / "mode").write_text(mode)
        return AgyProvider(AgySettings(**{"command": str(cli / "agy"), **settings}))

    return provider
