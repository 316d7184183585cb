"""The trash: a hidden folder of the storage. Files go there with their sidecars and come back under their own names.

``<ms>_<name>`` is a file in it, as ima2-gen names it; what cannot be told from that name (a folder, several files at
once) stands in a list beside it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import orjson

from ima2.contracts import Storage
from ima2.errors import Ima2Error
from ima2.keys import check, is_key
from ima2.library.names import sidecar_of

LIST_SUFFIX = ".list"
_LONGEST = 150
_TOKEN = re.compile(r"(\d{1,16})_(.+)")


class Trash:
    """Moves files in and out of the trash folder. Knows nothing of the index."""

    def __init__(self, storage: Storage, folder: str = ".trash") -> None:
        self._storage = storage
        self._folder = folder

    async def put(self, keys: Sequence[str]) -> str:
        """Move files in, each with its sidecar. Returns the token for `restore`.

        Raises ``KeyError`` before anything is moved when one is missing; what was moved comes back when a later one
        fails.
        """
        for key in keys:
            await self._storage.stat(check(key))
        places = await self._places(keys)
        token = next(iter(places))
        if list(places.values()) != [_key_of(token)]:
            await self._storage.put(self._path(token + LIST_SUFFIX), orjson.dumps(places))
        moved: list[str] = []
        try:
            for name, key in places.items():
                await self._move(key, self._path(name))
                moved.append(name)
        except BaseException:
            for name in moved:
                await self._move(self._path(name), places[name])
            raise
        return token

    async def restore(self, token: str) -> list[str]:
        """Move back what `put` moved; the keys. See `ima2.Library.restore` for what it raises."""
        places = await self._listed(token)
        for key in places.values():
            if await self._exists(key):
                raise Ima2Error("RESTORE_TARGET_EXISTS", 409, "A file of that name is in the gallery again.")
        for name, key in places.items():
            await self._move(self._path(name), key)
        await self._delete(self._path(token + LIST_SUFFIX))
        return list(places.values())

    async def erase(self, key: str) -> None:
        """Delete a file and its sidecar for good. ``KeyError`` for a missing one."""
        await self._storage.delete(check(key))
        await self._delete(sidecar_of(key))

    async def _listed(self, token: str) -> Mapping[str, str]:
        missing = Ima2Error("TRASH_NOT_FOUND", 404, "Nothing of that name is in the trash.")
        if not is_key(token) or "/" in token or _TOKEN.fullmatch(token) is None:
            raise missing
        try:
            places = orjson.loads(await self._storage.get(self._path(token + LIST_SUFFIX)))
        except (KeyError, orjson.JSONDecodeError):
            places = {token: _key_of(token)}
        if not isinstance(places, dict) or not all(isinstance(key, str) and is_key(key) for key in places.values()):
            raise missing
        if not all([is_key(name) and "/" not in name and await self._exists(self._path(name)) for name in places]):
            raise missing
        return places

    async def _places(self, keys: Sequence[str]) -> dict[str, str]:
        """A free name in the trash for each key."""
        places: dict[str, str] = {}
        moment = int(time.time() * 1000)
        for key in dict.fromkeys(keys):
            flat = key.replace("/", "_")[-_LONGEST:].lstrip(". ")
            while (name := f"{moment}_{flat}") in places or await self._exists(self._path(name)):
                moment += 1
            places[name] = key
        return places

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    async def _move(self, key: str, to: str) -> None:
        await self._storage.move(key, to)
        try:
            await self._storage.move(sidecar_of(key), sidecar_of(to))
        except KeyError:
            pass
        except BaseException:
            await self._storage.move(to, key)
            raise

    async def _exists(self, key: str) -> bool:
        try:
            await self._storage.stat(key)
        except KeyError:
            return False
        return True

    async def _delete(self, key: str) -> None:
        try:
            await self._storage.delete(key)
        except KeyError:
            return


def _key_of(token: str) -> str:
    match = _TOKEN.fullmatch(token)
    return match[2] if match else ""
