"""The package of ``docs/write-a-provider.md``: built, installed, used and switched off, as a stranger would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/write-a-provider.md").read_text()
Ima2 = Callable[..., "subprocess.CompletedProcess[str]"]


def block(language: str) -> str:
    """The page's first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, its output as text."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=100, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the page's module and pyproject."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "ima2_provider_plain.py").write_text(block("python"))
    (folder / "pyproject.toml").write_text(block("toml"))
    built = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", folder])
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own that has ima2 from here, and the wheel installed."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    own = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    ours = [path for path in sys.path if path.endswith("site-packages")]
    # As lines for `site`, so that the .pth files of an editable installation count as well.
    lines = [f"import site; site.addsitedir({path!r})" for path in ours]
    Path(own, "ima2-of-this-test.pth").write_text("\n".join(lines) + "\n")
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        python,
        "install",
    ]
    done = run([*install, "--no-deps", "--no-index", "--quiet", wheel])
    assert done.returncode == 0, done.stdout + done.stderr
    return python


@pytest.fixture
def ima2(python: Path, tmp_path: Path) -> Ima2:
    """``ima2("plugins", "list")`` runs the command line of that environment over a fresh folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("IMA2_", "PYTHON"))}
    environ = {**clean, "IMA2_CONFIG_DIR": str(tmp_path / "home"), "HOME": str(tmp_path), "NO_COLOR": "1"}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from ima2.cli import main; main(sys.argv[1:])"
        return run([python, "-c", code, *arguments], env=environ, cwd=tmp_path)

    return call


def row(ima2: Ima2, *options: str) -> dict[str, Any]:
    """The plugin's row in the list."""
    listed = ima2("plugins", "list", "--json", *options)
    assert listed.returncode == 0, listed.stderr
    found: dict[str, Any] = next(one for one in json.loads(listed.stdout)["plugins"] if one["name"] == "plain")
    return found


def test_it_is_found_once_it_is_installed(ima2: Ima2) -> None:
    known = row(ima2)
    assert (known["state"], known["package"], known["version"]) == ("found", "ima2-provider-plain", "1.0.0")
    assert row(ima2, "--check")["offers"] == ["provider:plain"]


def test_it_draws_and_can_be_switched_off_and_on(ima2: Ima2, tmp_path: Path) -> None:
    drawn = ima2("gen", "sea", "--provider", "plain", "-o", "sea.png", "--json")
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "sea.png").read_bytes().startswith(b"\x89PNG")
    assert colour(tmp_path / "sea.png") == (0x61, 0x65, 0x73)

    assert ima2("plugins", "disable", "plain").returncode == 0
    assert row(ima2)["state"] == "off"
    gone = ima2("gen", "sea", "--provider", "plain", "-o", "again.png")
    assert gone.returncode in {2, 5}
    assert "plain" in gone.stderr
    assert not (tmp_path / "again.png").exists()

    assert ima2("plugins", "enable", "plain").returncode == 0
    assert row(ima2)["state"] == "found"
    assert ima2("gen", "sea", "--provider", "plain", "-o", "again.png").returncode == 0


def test_a_version_it_was_not_made_for_is_said_and_breaks_nothing(wheel: Path, ima2: Ima2, python: Path) -> None:
    (metadata,) = python.parents[1].rglob("ima2_provider_plain-1.0.0.dist-info/METADATA")
    before = metadata.read_text()
    metadata.write_text(before.replace("Requires-Dist: ima2<4,>=3", "Requires-Dist: ima2>=99"))
    try:
        assert metadata.read_text() != before
        known = row(ima2, "--check")
        assert (known["state"], known["stage"]) == ("failed", "requirement")
        assert "needs ima2>=99" in known["error"]
        assert ima2("gen", "sea", "--provider", "demo", "-o", "other.png").returncode == 0
    finally:
        metadata.write_text(before)


def colour(path: Path) -> Any:
    """The colour of a picture's first pixel: red, green, blue."""
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB").getpixel((0, 0))
