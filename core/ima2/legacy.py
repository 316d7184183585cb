"""Pictures of old installations: versions of the reference before 2 kept them inside the installed package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ima2.settings.model import Settings

_PACKAGE = Path("ima2-gen/generated")
_PREFIXES = ("/usr/local/lib", "/usr/lib", "/opt/homebrew/lib", "~/.npm-global/lib", "~/.local/lib")
_PATTERNS = (
    ".nvm/versions/node/*/lib",
    ".fnm/node-versions/*/installation/lib",
    ".volta/tools/image/packages/*/lib",
    ".asdf/installs/nodejs/*/lib",
    ".local/share/mise/installs/node/*/lib",
)


def storage_report(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    """What ``/api/storage/status`` tells: how many files the gallery has, and whether an old place has more."""
    try:
        count = _count(settings.generated, settings.trash_dir_name)
    except OSError:
        count = -1
    candidates = old_places()
    found = {place: _count(place, "") for place in candidates if place.is_dir()}
    legacy = sum(found.values())
    state = "unknown" if count < 0 else "ok" if count else "recoverable" if legacy else "not_found"
    return {
        "generatedDirLabel": label(settings.generated),
        "generatedCount": max(count, 0),
        "legacyCandidatesScanned": len(candidates),
        "legacySourcesFound": sum(1 for files in found.values() if files),
        "legacyFilesFound": legacy,
        "state": state,
        "messageKind": "apology" if state == "not_found" else state,
        "recoveryDocsPath": "docs/RECOVER_OLD_IMAGES.md",
        "doctorCommand": "ima2 doctor",
        "overrides": {
            "generatedDir": bool(environ.get("IMA2_GENERATED_DIR")),
            "configDir": bool(environ.get("IMA2_CONFIG_DIR")),
        },
    }


def old_places() -> list[Path]:
    """Folders where an old package may have left pictures, whether they exist or not."""
    home = Path.home()
    roots = [Path(prefix).expanduser() for prefix in _PREFIXES]
    for pattern in _PATTERNS:
        found = sorted(home.glob(pattern))
        roots += found or [home / pattern]
    return [root / "node_modules" / _PACKAGE for root in roots]


def label(path: Path) -> str:
    """A path for people: the home folder as ``~``."""
    home, text = str(Path.home()), str(path)
    return "~" + text[len(home) :] if text == home or text.startswith(home + os.sep) else text


def _count(folder: Path, skipped: str) -> int:
    total = 0
    for _, folders, files in os.walk(folder):
        if skipped in folders:
            folders.remove(skipped)
        total += len(files)
    return total
