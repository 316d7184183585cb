"""A folder as a storage: keys are paths below it and cannot be anything else."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import ima2
from ima2_plugins.local_storage.old_places import report

LISTED_AT_ONCE = 1000
MOST_TOLD = 1000
LEAST_ROOM = 20_000_000
"""Bytes that must be free: a large picture, its thumbnail and what the database needs."""

_Names = list[str]


class LocalStorage(ima2.Storage):
    """Objects as files of one folder. Writing goes through a temporary file, a flush to disk and a rename."""

    id = "local"

    def __init__(self, folder: Path, *, given: bool = False) -> None:
        self.folder = folder
        self._given = given
        self._unlisted: list[str] = []
        self._was_open = False

    async def open(self) -> None:
        """Make the folder, for its owner only, and clear away what a killed process left half written."""
        await asyncio.to_thread(self._prepare)

    def problem(self) -> str | None:
        """Whether the folder is there, can be written to and has room for a picture."""
        there = self.folder if self.folder.exists() else next(p for p in self.folder.parents if p.exists())
        if not there.is_dir():
            return f"{there} is no folder. Name another one in IMA2_GENERATED_DIR or storage.generatedDir."
        if self._was_open and there != self.folder:
            return f"{self.folder} is gone. Was a drive removed? Bring it back, or restart ima2 to make a new folder."
        if not os.access(there, os.W_OK | os.X_OK):
            return f"{self.folder} cannot be written to. Change its permissions, or name another folder."
        room = os.statvfs(there)
        if room.f_bavail * room.f_frsize < LEAST_ROOM:
            return f"{self.folder} has less than {LEAST_ROOM // 1_000_000} MB left. Make room, or name another folder."
        return None

    def unlisted(self) -> list[str]:
        return list(self._unlisted)

    def report(self) -> dict[str, ima2.Json]:
        return report(self.folder, given=self._given)

    async def put(self, key: str, data: bytes) -> ima2.Stored:
        return await asyncio.to_thread(self._put, key, data)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return await asyncio.to_thread(self._get, key, start, end)

    async def stat(self, key: str) -> ima2.Stored:
        return await asyncio.to_thread(self._stat, key)

    async def list(self, prefix: str = "") -> AsyncIterator[ima2.Stored]:
        left_out: list[str] = []
        walk = self._walk(self.folder, "", left_out)
        while batch := await asyncio.to_thread(lambda: list(islice(walk, LISTED_AT_ONCE))):
            for stored in batch:
                if stored.key.startswith(prefix):
                    yield stored
        self._unlisted = left_out[:MOST_TOLD]

    async def move(self, key: str, to: str) -> None:
        await asyncio.to_thread(self._move, key, to)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._delete, key)

    def local_path(self, key: str) -> Path | None:
        return self._path(key)

    # -- in a thread -------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        if not ima2.is_key(key, hidden=True):
            raise KeyError(key)
        return self.folder / key

    def _existing(self, key: str) -> Path:
        """The file of a key, which must be a regular file that truly lies below the folder."""
        path = self._path(key)
        try:
            regular = stat.S_ISREG(path.lstat().st_mode)
        except (OSError, ValueError):
            regular = False
        if not regular or not self._is_inside(path.parent):
            raise KeyError(key)
        return path

    def _is_inside(self, folder: Path) -> bool:
        """Whether a folder of the gallery really lies in it: one that was linked in from elsewhere does not."""
        return folder == self.folder or folder.resolve().is_relative_to(self.folder.resolve())

    def _put(self, key: str, data: bytes) -> ima2.Stored:
        path = self._path(key)
        if path.parent != self.folder:
            ima2.private_folder(path.parent)
        if not self._is_inside(path.parent):
            raise KeyError(key)
        ima2.write_whole(path, data, follow=False)
        return self._stored(key, path.stat())

    def _get(self, key: str, start: int, end: int | None) -> bytes:
        with self._existing(key).open("rb") as file:
            file.seek(start)
            return file.read() if end is None else file.read(max(0, end - start))

    def _stat(self, key: str) -> ima2.Stored:
        return self._stored(key, self._existing(key).stat())

    def _move(self, key: str, to: str) -> None:
        source, target = self._existing(key), self._path(to)
        ima2.private_folder(target.parent)
        os.link(source, target)
        source.unlink()

    def _delete(self, key: str) -> None:
        self._existing(key).unlink()

    def _walk(self, folder: Path, prefix: str, left_out: _Names) -> Iterator[ima2.Stored]:
        """Every object below a folder. A name, link or folder that cannot be listed never hides the others."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    yield from self._entry(entry, prefix, left_out)
        except OSError:
            left_out.append(_printable(prefix or "./"))

    def _entry(self, entry: os.DirEntry[str], prefix: str, left_out: _Names) -> Iterator[ima2.Stored]:
        key = prefix + entry.name
        if entry.name.endswith(".tmp"):
            if ima2.is_leftover(Path(entry.path)):
                Path(entry.path).unlink(missing_ok=True)
            return
        try:
            if entry.is_dir(follow_symlinks=False) and ima2.is_key(key, hidden=True):
                yield from self._walk(Path(entry.path), key + "/", left_out)
            elif entry.is_file(follow_symlinks=False) and ima2.is_key(key, hidden=True):
                yield self._stored(key, entry.stat(follow_symlinks=False))
            else:
                left_out.append(_printable(key) + ("/" if entry.is_dir(follow_symlinks=False) else ""))
        except FileNotFoundError:
            return  # gone meanwhile
        except OSError:
            left_out.append(_printable(key))

    def _prepare(self) -> None:
        ima2.private_folder(self.folder)
        ima2.sweep(self.folder)
        self._was_open = True

    @staticmethod
    def _stored(key: str, found: os.stat_result) -> ima2.Stored:
        return ima2.Stored(key, found.st_size, found.st_mtime_ns // 1_000_000)


def _printable(name: str) -> str:
    """A name as it can be shown, bytes that are no UTF-8 included."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return text if text.isprintable() else text.encode("unicode_escape").decode()
