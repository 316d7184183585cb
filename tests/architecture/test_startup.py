"""What is imported when: a command pays only for what it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("fastapi", "starlette", "uvicorn", "pydantic", "pydantic_settings", "httpx", "PIL", "sqlalchemy", "orjson")
PLUGIN_ROOTS = ("ima2_plugins", "ima2_provider_")
COMMAND = """
import json, sys
from ima2.cli import run
code = run(json.loads(sys.argv[1]))
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
BOOT = """
import json, sys, logging
from ima2.cli.inspection import inspect_plugins
from ima2.kernel.discovery import discover
from ima2.kernel.switches import Switches
booted = inspect_plugins(Switches(), discover())
ready = [record.name for record in booted.ready()]
print("\\n" + json.dumps([ready, sorted(sys.modules)]))
"""


def imported(script: str, tmp_path: Path, *args: str) -> tuple[object, set[str]]:
    """The script's answer, and what a fresh interpreter had imported after it."""
    root = Path(__file__).parents[2]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IMA2_")},
        "IMA2_CONFIG_DIR": str(tmp_path),
        "PYTHONPATH": f"{root / 'core'}{os.pathsep}{root / 'plugins'}",
    }
    ended = subprocess.run(
        [sys.executable, "-c", script, *args], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    answer, modules = json.loads(ended.stdout.splitlines()[-1])
    return answer, set(modules)


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["plugins", "list"], ["config", "path"], ["config", "ls"]])
def test_listing_imports_no_plugin_and_nothing_heavy(args: list[str], tmp_path: Path) -> None:
    code, modules = imported(COMMAND, tmp_path, json.dumps(args))
    assert code == 0
    assert sorted(modules & set(HEAVY)) == []
    assert "asyncio" not in modules
    assert [name for name in modules if name.startswith(PLUGIN_ROOTS)] == []


@pytest.mark.parametrize("args", [["gen", "--help"], ["video", "--help"], ["ls", "--help"]])
def test_a_help_text_boots_no_plugin_once_they_were_looked_at(args: list[str], tmp_path: Path) -> None:
    imported(COMMAND, tmp_path, json.dumps(args))
    _, modules = imported(COMMAND, tmp_path, json.dumps(args))
    assert sorted(modules & set(HEAVY)) == []
    assert [name for name in modules if name.startswith(PLUGIN_ROOTS)] == []


def test_booting_every_installed_plugin_imports_no_client_no_imaging_and_no_server(tmp_path: Path) -> None:
    ready, modules = imported(BOOT, tmp_path)
    assert isinstance(ready, list)
    assert len(ready) >= 2
    assert sorted(modules & {"httpx", "PIL", "fastapi", "starlette", "uvicorn", "av", "pyvips"}) == []


def test_a_command_of_one_kind_imports_no_other_command(tmp_path: Path) -> None:
    _, modules = imported(COMMAND, tmp_path, json.dumps(["config", "path"]))
    assert "ima2.cli.commands.config" in modules
    assert not {"ima2.cli.commands.plugins", "ima2.cli.commands.serve", "ima2.cli.inspection"} & modules


def test_the_probe_sees_what_is_imported(tmp_path: Path) -> None:
    _, modules = imported(f"import httpx{COMMAND}", tmp_path, json.dumps(["--version"]))
    assert "httpx" in modules
