"""What ``ima2 doctor`` looks at, one function a subject. None of them changes anything."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ima2.cli.client_settings import ClientSettings
from ima2.errors import Ima2Error
from ima2.files import home_label
from ima2.settings.config_file import ConfigFile, is_secret
from ima2.version import VERSION

MIN_PYTHON = (3, 11)
MOST_NAMED = 20
LOW_DISK, NO_DISK = 1 << 30, 100 << 20
"""Free bytes below which the doctor warns, and below which it fails."""
Verdict = Literal["pass", "fail", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, how it stands, and a sentence."""

    id: str
    result: Verdict
    text: str


def python() -> Iterator[Check]:
    """The interpreter's version."""
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= MIN_PYTHON
    wanted = "" if good else f", but ima2 needs {'.'.join(map(str, MIN_PYTHON))} or newer"
    yield Check("python", "pass" if good else "fail", f"Python {found}{wanted}.")


def package() -> Iterator[Check]:
    """The installed package, which must be of the version that runs."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("ima2")
    except PackageNotFoundError:
        yield Check("package", "fail", "The package ima2 is not installed, so no plugin can be found: install it.")
        return
    if installed == VERSION:
        yield Check("package", "pass", f"ima2 {VERSION}.")
    else:
        yield Check("package", "fail", f"ima2 {installed} is installed, but {VERSION} runs: install it again.")


def config(where: ClientSettings) -> Iterator[Check]:
    """config.json: readable, usable, private."""
    from ima2.settings.model import load

    path = where.config_file
    try:
        document = ConfigFile(path).read()
        loaded = load(os.environ, document)
    except Ima2Error as error:
        yield Check("config", "fail", error.text)
        return
    state = home_label(path) if path.exists() else f"{home_label(path)} does not exist; defaults are in force"
    yield Check("config", "pass", f"Config file {state}.")
    for warning in loaded.warnings:
        yield Check("config", "warn", warning)
    if path.exists() and os.name == "posix" and _open_to_others(path) and _holds_secret(document):
        yield Check("config-private", "warn", f"Others can read {home_label(path)}, which holds a key: chmod 600 it.")
    settings = loaded.settings
    from ima2.network.addresses import is_loopback

    if not is_loopback(settings.host) and settings.lan_token is None:
        yield Check("lan", "fail", "Other machines could reach the server, but IMA2_LAN_TOKEN is not set.")


def folders(where: ClientSettings) -> Iterator[Check]:
    """The user's folder and the gallery: there, or possible to make, and writable; with room on the disk."""
    for name, path in (("config-dir", where.config_dir), ("generated-dir", where.generated)):
        there = _nearest(path)
        if path.exists() and not path.is_dir():
            yield Check(name, "fail", f"{home_label(path)} is a file, not a folder.")
        elif os.access(there, os.W_OK | os.X_OK):
            yield Check(
                name, "pass", f"{home_label(path)} can be written to{'' if path.exists() else ' once it is made'}."
            )
        else:
            yield Check(name, "fail", f"{home_label(path)} cannot be written to: see who owns {home_label(there)}.")
    free = shutil.disk_usage(_nearest(where.generated)).free
    result: Verdict = "fail" if free < NO_DISK else "warn" if free < LOW_DISK else "pass"
    yield Check("disk", result, f"{free / (1 << 30):.1f} GiB free for pictures.")


def database(where: ClientSettings) -> Iterator[Check]:
    """The database file opens and is whole."""
    from ima2.database.repair import problem

    path = where.database
    if not path.exists():
        yield Check("database", "pass", f"{home_label(path)} does not exist yet; the first start makes it.")
        return
    found = problem(path)
    if found is None:
        yield Check("database", "pass", f"{home_label(path)} is whole.")
    else:
        yield Check("database", "fail", found.text)


def gallery() -> Iterator[Check]:
    """How many files there are, which of them cannot be listed, and whether an old installation left more elsewhere."""
    from ima2.cli.local import local_storage_report, local_unlisted

    try:
        report, unlisted = local_storage_report()["data"], local_unlisted()
    except Ima2Error:
        return
    source = "IMA2_GENERATED_DIR" if report["overrides"]["generatedDir"] else "the settings"
    text = f"{report['generatedDirLabel']} (from {source}) holds {report['generatedCount']} files."
    yield Check("gallery", "info", text)
    if unlisted:
        some = ", ".join(unlisted[:MOST_NAMED]) + (", ..." if len(unlisted) > MOST_NAMED else "")
        yield Check(
            "gallery-names", "warn", f"{len(unlisted)} of them cannot be listed (names, links, rights): {some}."
        )
    if report["legacyFilesFound"]:
        found = f"{report['legacyFilesFound']} files in {report['legacySourcesFound']} places"
        yield Check("legacy", "warn", f"An old installation left {found}; {report['recoveryDocsPath']} tells more.")


def is_port_free(port: int) -> bool:
    """Whether a server of this machine could listen on a port."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _holds_secret(document: Any) -> bool:
    if isinstance(document, dict):
        return any((is_secret(key) and value) or _holds_secret(value) for key, value in document.items())
    return isinstance(document, list) and any(map(_holds_secret, document))


def _nearest(path: Path) -> Path:
    """The path itself, or the closest folder above it that exists."""
    path = path.absolute()
    return path if path.exists() else next(parent for parent in path.parents if parent.exists())
