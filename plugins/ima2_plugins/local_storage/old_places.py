"""What ``/api/storage/status`` tells of a folder: how much lies there, and whether an old installation left more.

Versions of ima2-gen before 2 kept their pictures inside the installed package.
"""

from __future__ import annotations

import os
from pathlib import Path

import ima2

_PACKAGE = Path("ima2-gen/generated")
_PREFIXES = ("/usr/local/lib", "/usr/lib", "/opt/homebrew/lib", "~/.npm-global/lib", "~/.local/lib")
_PATTERNS = (
    ".nvm/versions/node/*/lib",
    ".fnm/node-versions/*/installation/lib",
    ".volta/tools/image/packages/*/lib",
    ".asdf/installs/nodejs/*/lib",
    ".local/share/mise/installs/node/*/lib",
)


def report(folder: Path, *, given: bool) -> dict[str, ima2.Json]:
    """The report, in the wire's names. ``given`` says that the environment names the folder. Blocks."""
    try:
        count = _count(folder)
    except OSError:
        count = -1
    candidates = old_places()
    found = {place: _count(place) for place in candidates if place.is_dir()}
    legacy = sum(found.values())
    state = "unknown" if count < 0 else "ok" if count else "recoverable" if legacy else "not_found"
    return {
        "generatedDirLabel": ima2.home_label(folder),
        "generatedCount": max(count, 0),
        "legacyCandidatesScanned": len(candidates),
        "legacySourcesFound": sum(1 for files in found.values() if files),
        "legacyFilesFound": legacy,
        "state": state,
        "messageKind": "apology" if state == "not_found" else state,
        "recoveryDocsPath": "docs/RECOVER_OLD_IMAGES.md",
        "doctorCommand": "ima2 doctor",
        "overrides": {"generatedDir": given},
    }


def old_places() -> list[Path]:
    """Folders where an old package may have left pictures, whether they exist or not."""
    home = Path.home()
    roots = [Path(prefix).expanduser() for prefix in _PREFIXES]
    for pattern in _PATTERNS:
        found = sorted(home.glob(pattern))
        roots += found or [home / pattern]
    return [root / "node_modules" / _PACKAGE for root in roots]


def _count(folder: Path) -> int:
    """Files below a folder, hidden folders such as the trash aside."""
    total = 0
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        total += len(files)
    return total
