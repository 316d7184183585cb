"""Starting: one server a folder, and what cannot work is one sentence and exit code 1."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from ima2.contracts import Migration, Tables
from ima2.testing import EchoProvider, plugin


@pytest.fixture
def begin(ima2_executable: Path, tmp_path: Path) -> Any:
    """``begin(home, NAME=value)`` runs ``ima2 serve`` that is expected to fail; its exit code and its words."""

    def run(home: Path, **more: str) -> tuple[int, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("IMA2_")}
        environ = {**clean, "HOME": str(tmp_path), "IMA2_CONFIG_DIR": str(home), "IMA2_PORT": "0", **more}
        environ.setdefault("IMA2_PLUGINS", "local_storage,demo")
        ended = subprocess.run([str(ima2_executable), "serve"], env=environ, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stdout + ended.stderr

    return run


def sentence(words: str) -> str:
    """The one line that was printed."""
    assert "Traceback" not in words
    (line,) = words.strip().splitlines()
    return line


def test_a_second_server_on_one_folder_says_where_the_first_is_and_leaves_it_alone(serve: Any, begin: Any) -> None:
    served = serve()
    code, words = begin(served.home)
    assert code == 1
    assert f"already at http://127.0.0.1:{served.port}, process {served.process.pid}" in sentence(words)
    assert served.client.get("/api/health").status_code == 200
    assert (served.home / "server.json").exists()
    served.stop()
    served.start()


def test_a_damaged_database_is_a_sentence_with_the_way_out(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "sessions.db").write_bytes(b"not a database " * 1000)
    code, words = begin(tmp_path / "home")
    assert code == 1
    assert "ima2 doctor --repair" in sentence(words)


def test_a_locked_database_is_a_sentence_with_the_way_out(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with closing(sqlite3.connect(tmp_path / "home" / "sessions.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("CREATE TABLE t (x)")
        code, words = begin(tmp_path / "home")
    assert code == 1
    assert "Close that program and try again" in sentence(words)


@pytest.mark.parametrize("home", ["/proc/nothing", "/dev/full"])
def test_a_place_that_is_no_folder_is_a_sentence_with_the_way_out(begin: Any, home: str) -> None:
    code, words = begin(Path(home))
    assert code == 1
    assert home in sentence(words)


def test_a_start_goes_on_where_nobody_reads_what_it_prints(serve: Any, ima2_executable: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IMA2_")}
    note = tmp_path / "server.json"
    environ = {**clean, "IMA2_CONFIG_DIR": str(tmp_path), "IMA2_PORT": "0", "IMA2_PLUGINS": "local_storage,sse,demo"}
    environ |= {"IMA2_LOG_LEVEL": "info", "IMA2_ADVERTISE_FILE": str(note)}
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [str(ima2_executable), "serve"], env=environ, stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    try:
        deadline = time.monotonic() + 30
        while not note.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
        url = json.loads(note.read_text())["url"]
        assert [httpx.get(f"{url}/api/history", trust_env=False).status_code for _ in range(3)] == [200] * 3
    finally:
        process.terminate()
        _, words = process.communicate(timeout=20)
    assert process.returncode == 0
    assert words == ""


def test_a_folder_that_cannot_be_written_is_a_sentence_with_the_way_out(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "state").write_text("in the way")
    code, words = begin(tmp_path / "home")
    assert code == 1
    assert "IMA2_CONFIG_DIR" in sentence(words)


def test_a_database_from_a_newer_version_is_a_sentence_with_the_way_out(begin: Any, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with closing(sqlite3.connect(tmp_path / "home" / "sessions.db")) as newer:
        newer.execute("CREATE TABLE ima2_schema (owner TEXT PRIMARY KEY, number INTEGER, applied_at INTEGER)")
        newer.execute("INSERT INTO ima2_schema VALUES ('ima2', 999, 1)")
        newer.commit()
    code, words = begin(tmp_path / "home")
    assert code == 1
    assert "Install the newer version again" in sentence(words)


async def test_a_plugin_whose_tables_cannot_be_brought_up_to_date_is_put_out_alone(ima2_client: Any) -> None:
    from sqlalchemy import Column, Integer, MetaData, Table

    def tables(*statements: str) -> Tables:
        metadata = MetaData()
        Table("odd_notes", metadata, Column("id", Integer, primary_key=True))
        return Tables(metadata, (Migration(1, statements),) if statements else ())

    async def state(*statements: str) -> str:
        odd = plugin(providers=[EchoProvider()], tables=tables(*statements))
        async with ima2_client(odd=odd, other=plugin(providers=[Other()])) as client:
            ids = {one["id"] for one in (await client.get("/api/providers")).json()["providers"]}
            assert "other" in ids
            return "here" if "echo" in ids else "out"

    class Other(EchoProvider):
        id = "other"

    assert await state() == "here"
    assert await state("ALTER TABLE missing ADD COLUMN x TEXT") == "out"
    assert await state() == "here"


def test_doctor_sets_a_damaged_database_aside_on_request_and_the_next_start_works(
    ima2_executable: Path, serve: Any, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "sessions.db").write_bytes(b"not a database " * 1000)
    environ = {**os.environ, "HOME": str(tmp_path), "IMA2_CONFIG_DIR": str(home), "IMA2_PLUGINS": "local_storage,demo"}

    def doctor(*options: str) -> str:
        command = [str(ima2_executable), "doctor", *options]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60).stderr

    assert doctor() == ""
    assert not list(home.glob("*.damaged-*"))
    assert "lies in" in doctor("--repair")
    (aside,) = home.glob("sessions.db.damaged-*")
    assert aside.read_bytes().startswith(b"not a database")
    served = serve(home=home)
    assert served.client.get("/api/health").status_code == 200
    assert "SERVER_RUNNING" in doctor("--repair")
    served.stop()
    assert "nothing was moved" in doctor("--repair")
