"""What the doctor says of the gallery."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ima2.cli.doctor_checks import gallery
from ima2.testing import picture


def test_names_that_cannot_be_listed_are_counted_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMA2_CONFIG_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("IMA2_GENERATED_DIR", str(tmp_path))
    monkeypatch.setenv("IMA2_PLUGINS", "local_storage")
    (tmp_path / "good.png").write_bytes(picture().data)
    assert [check.id for check in gallery()] == ["gallery"]
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(picture().data)
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"")
    found = {check.id: check for check in gallery()}
    assert (found["gallery-names"].result, found["gallery"].result) == ("warn", "info")
    assert found["gallery-names"].text.startswith("1 of them cannot be listed")
    assert "caf\\udce9.png" in found["gallery-names"].text
