"""Where paid pictures go that the gallery cannot take: files of this machine, given out by URL until it can."""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ima2.errors import Ima2Error
from ima2.files import private_folder, write_whole
from ima2.library.sidecar import encode
from ima2.media.sniff import EXTENSIONS, media_type_of
from ima2.models import Picture

log = logging.getLogger("ima2.library")
ADDRESS = "/api/spool/"
KEPT_S = 7 * 86_400
"""So long the note stays that says where a file went."""
_NAME = re.compile(r"\d{1,16}_[0-9a-f]{12}\.[a-z0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file in the spool: its name there, its address on this server, and where it lies."""

    name: str
    url: str
    path: Path


class Spool:
    """A folder of files, each with a note beside it: what it is, and where it went in the end."""

    def __init__(self, folder: Path | None) -> None:
        own = Path(tempfile.gettempdir()) / "ima2-spool"
        self._folders: Sequence[Path] = (folder, own) if folder is not None else (own,)

    def put(self, picture: Picture, facts: Mapping[str, Any], key: str) -> Spooled:
        """Write a file down. Blocks. Raises 507 ``STORAGE_FAILED`` when no folder takes it."""
        name = f"{int(time.time() * 1000)}_{secrets.token_hex(6)}.{EXTENSIONS.get(picture.media_type, 'bin')}"
        for folder in self._folders:
            path = folder / name
            try:
                write_whole(_own(folder) / name, picture.data, replace=False)
            except OSError as error:
                log.warning("the spool folder cannot be written to: %s", type(error).__name__)
                continue
            self._note(path, {"key": key, "type": picture.media_type, "facts": orjson.Fragment(encode(facts))})
            return Spooled(name, ADDRESS + name, path)
        raise Ima2Error("STORAGE_FAILED", 507, "The picture could not even be set aside: no folder can be written to.")

    def find(self, name: str) -> Path | str | None:
        """The file of that name, or the key under which the gallery has it by now. Blocks."""
        if not _NAME.fullmatch(name):
            return None
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
            moved = self._read(folder / name).get("moved")
            if isinstance(moved, str):
                return moved
        return None

    def waiting(self) -> list[Path]:
        """Files that are to go into the gallery, oldest first. One without a key, such as a picture that came only in
        part, stays aside. Blocks."""
        files = [path for folder in self._folders for path in sorted(folder.glob("*_*.*"))]
        return [path for path in files if _NAME.fullmatch(path.name) and self._read(path).get("key")]

    def read(self, path: Path) -> tuple[Picture, Mapping[str, Any], str]:
        """A file that waits: picture, facts, and the key it was made for. Blocks."""
        note, data = self._read(path), path.read_bytes()
        facts, key = note.get("facts"), note.get("key")
        media_type = media_type_of(data) or str(note.get("type", ""))
        return Picture(data, media_type), facts if isinstance(facts, dict) else {}, key if isinstance(key, str) else ""

    def moved(self, path: Path, key: str) -> None:
        """Note that the gallery has a file now, and remove it here. Blocks."""
        self._note(path, {"moved": key})
        path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Drop notes of files that went long ago. Blocks."""
        for folder in self._folders:
            for note in folder.glob("*.json"):
                path = note.with_suffix("")
                if _NAME.fullmatch(path.name) and not path.exists() and time.time() - note.stat().st_mtime > KEPT_S:
                    note.unlink(missing_ok=True)

    def _note(self, path: Path, note: Mapping[str, Any]) -> None:
        try:
            write_whole(path.with_name(path.name + ".json"), encode(note))
        except OSError as error:
            log.warning("the note of a spooled file cannot be written: %s", type(error).__name__)

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            note = orjson.loads(path.with_name(path.name + ".json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return note if isinstance(note, dict) else {}


def _own(folder: Path) -> Path:
    """The folder, made if missing, and surely ours: another user may have made one of that name."""
    info = private_folder(folder).lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        raise PermissionError(f"{folder.name} belongs to somebody else")
    return folder
