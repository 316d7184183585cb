"""The command line run in this process, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ima2.cli import run


@dataclass(frozen=True)
class Answer:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document it must be."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder."""
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path / "home"))
    for name in ("IMA2_PLUGINS", "IMA2_PORT", "PORT", "IMA2_LOG_LEVEL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def ima2(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``ima2`` with these arguments."""

    def call(*args: str) -> Answer:
        capsys.readouterr()
        code = run(args)
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return call
