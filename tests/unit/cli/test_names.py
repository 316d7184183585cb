"""Names that the command line gives, and places it reads."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ima2.cli.client_settings import client_settings
from ima2.cli.destination import write_new
from ima2.cli.names import base36, browser_id, file_stems, free_names, request_id
from ima2.settings.model import load

pytestmark = pytest.mark.usefixtures("alone")


def test_a_browser_id_is_made_of_the_folder_as_configured() -> None:
    assert browser_id({"IMA2_CONFIG_DIR": "/home/alice/.ima2"}) == "cli-29613632bdcfe0ed"
    assert browser_id({}) == browser_id({"IMA2_CONFIG_DIR": str(Path.home() / ".ima2")})


def test_request_ids_differ_even_within_a_millisecond() -> None:
    made = {request_id("gen") for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch(r"req_cli_gen_[0-9a-z]{8}_[0-9a-z]{6}", one) for one in made)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (1_795_410_939_977, None)])
def test_base_36_reads_back(number: int, text: str | None) -> None:
    assert int(base36(number), 36) == number
    assert text is None or base36(number) == text


def test_files_are_named_by_local_time_and_place() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5)
    assert file_stems(1, now) == ["ima2-20260102-030405"]
    assert file_stems(2, now) == ["ima2-20260102-030405-0", "ima2-20260102-030405-1"]
    assert list(islice(free_names("a", "png"), 3)) == ["a.png", "a-1.png", "a-2.png"]


def test_a_new_file_never_replaces_one_even_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_new(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"one")]


@pytest.mark.parametrize(
    ("environ", "document"),
    [
        ({}, {}),
        ({"IMA2_GENERATED_DIR": "~/pictures", "IMA2_PORT": "4444", "IMA2_DB_PATH": "/x/y.db"}, {}),
        ({"PORT": "4445", "IMA2_PORT": "", "IMA2_GENERATED_DIRNAME": "made"}, {"server": {"port": 5555}}),
        ({}, {"storage": {"generatedDir": "/g", "dbPath": "/d", "advertiseFile": "~/ad"}, "server": {"port": "99"}}),
        ({"IMA2_ADVERTISE_FILE": "/ad"}, {"storage": {"generatedDirName": "n", "generatedDir": ""}, "provider": "p"}),
        ({"IMA2_PORT": "many"}, {}),
    ],
)
def test_a_client_reads_the_places_that_the_server_reads(
    tmp_path: Path, environ: dict[str, str], document: dict[str, Any]
) -> None:
    environ = {**environ, "IMA2_CONFIG_DIR": str(tmp_path)}
    (tmp_path / "config.json").write_text(json.dumps(document))
    strict, found = load(environ, document).settings, client_settings(environ)
    assert found.problem is None
    assert (found.config_dir, found.generated, found.database, found.advertisement, found.port, found.provider) == (
        *(strict.config_dir, strict.generated, strict.database, strict.advertisement, strict.port),
        strict.default_provider or "auto",
    )


def test_a_broken_config_counts_as_empty_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    found = client_settings({"IMA2_CONFIG_DIR": str(tmp_path)})
    assert found.generated == tmp_path / "generated"
    assert "config.json" in (found.problem or "")
