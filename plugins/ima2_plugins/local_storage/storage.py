"""A folder as a storage: keys are paths below it and cannot be anything else."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import ima2

LISTED_AT_ONCE = 2000


class LocalStorage(ima2.Storage):
    """Objects as files of one folder. Writing goes through a temporary file, a flush to disk and a rename."""

    id = "local"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def open(self) -> None:
        """Make the folder, for its owner only, and clear away what a killed process left half written."""
        await asyncio.to_thread(self._prepare)

    def problem(self) -> str | None:
        """Whether the folder can be written to."""
        there = self.folder if self.folder.exists() else next(p for p in self.folder.parents if p.exists())
        return None if os.access(there, os.W_OK) else f"{self.folder} cannot be written to."

    async def put(self, key: str, data: bytes) -> ima2.Stored:
        return await asyncio.to_thread(self._put, key, data)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        return await asyncio.to_thread(self._get, key, start, end)

    async def stat(self, key: str) -> ima2.Stored:
        return await asyncio.to_thread(self._stat, key)

    async def list(self, prefix: str = "") -> AsyncIterator[ima2.Stored]:
        walk = self._walk(self.folder, "")
        while batch := await asyncio.to_thread(lambda: list(islice(walk, LISTED_AT_ONCE))):
            for stored in batch:
                if stored.key.startswith(prefix):
                    yield stored

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

    def _walk(self, folder: Path, prefix: str) -> Iterator[ima2.Stored]:
        try:
            entries = os.scandir(folder)
        except OSError:
            return
        with entries:
            for entry in entries:
                key = prefix + entry.name
                if not ima2.is_key(key, hidden=True) or entry.name.endswith(".tmp"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(folder / entry.name, key + "/")
                elif entry.is_file(follow_symlinks=False):
                    try:
                        yield self._stored(key, entry.stat(follow_symlinks=False))
                    except OSError:
                        continue

    def _prepare(self) -> None:
        ima2.private_folder(self.folder)
        ima2.sweep(self.folder)

    @staticmethod
    def _stored(key: str, found: os.stat_result) -> ima2.Stored:
        return ima2.Stored(key, found.st_size, found.st_mtime_ns // 1_000_000)
