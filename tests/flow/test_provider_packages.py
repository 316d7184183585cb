"""Each provider package alone beside ima2: installing it adds its providers, switching it off removes them, and
nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"grok": ["grok", "grok-api"], "gemini": ["gemini-api"]}


def run(command: Sequence[str | Path], **options: Any) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of ima2 and of both packages, by name."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, *(ROOT / f"ima2-provider-{name}" for name in PACKAGES)):
        run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source])
    return {path.name.split("-")[0].removeprefix("ima2_provider_"): path for path in folder.glob("*.whl")}


class Place:
    """An environment that has what ima2 depends on, and of ima2 only what is installed into it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.folder = folder
        self.python = folder / "venv/bin/python"
        base = str(folder / "venv")
        own = Path(sysconfig.get_path("purelib", "venv", {"base": base, "platbase": base}))
        for path in sorted(Path(sysconfig.get_path("purelib")).iterdir()):
            if "ima2" not in path.name and not (own / path.name).exists():
                (own / path.name).symlink_to(path)

    def install(self, wheel: Path) -> None:
        """Add one wheel and nothing else."""
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        run([*pip, "install", "--no-deps", "--no-index", "--quiet", str(wheel)])

    def ima2(self, *arguments: str) -> str:
        """What the command prints."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("IMA2_", "PYTHON", "XAI", "GEMINI"))
        }
        environ = {**clean, "IMA2_CONFIG_DIR": str(self.folder / "home"), "HOME": str(self.folder), "NO_COLOR": "1"}
        code = "import sys; from ima2.cli import main; main(sys.argv[1:])"
        return run([self.python, "-c", code, *arguments], env=environ, cwd=self.folder)

    def plugins(self) -> dict[str, str]:
        """Every plugin and its state."""
        return {row["name"]: row["state"] for row in json.loads(self.ima2("plugins", "list", "--json"))["plugins"]}

    def providers(self) -> dict[str, Any]:
        """Every provider in use, as it is shown."""
        return {row["id"]: row for row in json.loads(self.ima2("providers", "--json"))["providers"]}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_adds_its_own_and_changes_nothing_else(name: str, wheels: dict[str, Path], tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.install(wheels["ima2"])
    plugins, providers = place.plugins(), place.providers()
    assert name not in plugins
    assert not set(PACKAGES[name]) & set(providers)

    place.install(wheels[name])
    assert place.plugins() == {**plugins, name: "found"}
    added = place.providers()
    assert {one: row for one, row in added.items() if one not in PACKAGES[name]} == providers
    assert sorted(set(added) - set(providers)) == PACKAGES[name]

    place.ima2("plugins", "disable", name)
    assert place.plugins() == {**plugins, name: "off"}
    assert place.providers() == providers
