"""What `ima2.terminal` gives the commands of plugins."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ima2 import terminal


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\x00\x01")
    assert terminal.read_bytes(tmp_path / "a.bin") == b"\x00\x01"
    with pytest.raises(click.UsageError, match="No such file"):
        terminal.read_bytes(tmp_path / "gone")


def test_every_name_it_promises_is_there() -> None:
    assert all(hasattr(terminal, name) for name in terminal.__all__)
