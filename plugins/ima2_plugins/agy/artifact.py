"""Takes over the picture file that the CLI names, and only that.

What a model prints is not to be trusted: the file must lie below a folder where the CLI may write, be reached
without any link, belong to this user, be small enough and be a picture.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import ima2
from ima2_plugins.agy.failures import no_artifact_error, path_error, picture_error

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_CAN_STEP = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether a file can be opened folder by folder here. (Windows cannot.)"""
_SEARCH_DEPTH = 5
_SEARCH_ENTRIES = 50_000


def allowed_roots() -> tuple[Path, ...]:
    """Where the CLI may leave a picture: its own folder, the user's cache, the system's temporary folder."""
    home = Path.home()
    return home / ".gemini", home / ".cache", Path(tempfile.gettempdir())


def picture_at(named: str, folder: Path, limit: int) -> ima2.Picture:
    """Read the picture; a relative name counts from ``folder``, where the CLI ran. Blocks.

    Raises 502 ``AGY_PATH_REJECTED``, ``AGY_ARTIFACT_NOT_FOUND`` or, for a file that is empty, larger than ``limit``
    bytes or no PNG, JPEG or WebP, ``AGY_GENERATION_FAILED``; ``PICTURE_INCOMPLETE`` for one that ends early.
    """
    if "\0" in named:
        raise path_error("its name is no file name")
    root, below = _locate(Path(os.path.normpath(folder / named)))
    data = _read(_open(root, below) if _CAN_STEP else _open_by_path(root, below), limit)
    if ima2.media_type_of(data) not in MEDIA_TYPES:
        raise picture_error("is no PNG, JPEG or WebP picture")
    return ima2.decode_media(data)


def find(name: str, folder: Path) -> str | None:
    """The newest picture whose file name begins with ``name``, in ``folder`` or the CLI's own. Blocks."""
    found: list[tuple[float, str]] = []
    for root in (folder, Path.home() / ".gemini"):
        found += [entry for entry in _entries(root) if os.path.basename(entry[1]).startswith(name)]
    return max(found)[1] if found else None


def _locate(path: Path) -> tuple[Path, PurePath]:
    """The allowed folder, its own links resolved, and the way from there."""
    for root in allowed_roots():
        real = Path(os.path.realpath(root))
        for base in (root, real):
            if path.is_relative_to(base) and path != base:
                return real, path.relative_to(base)
    raise path_error("it lies outside the folders where the CLI may write")


def _open(root: Path, below: PurePath) -> int:
    """A descriptor of the file, reached folder by folder so that no link on the way is followed."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        current = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            for part in below.parts[:-1]:
                following = os.open(part, flags | os.O_DIRECTORY, dir_fd=current)
                os.close(current)
                current = following
            return os.open(below.parts[-1], flags | os.O_NONBLOCK, dir_fd=current)
        finally:
            os.close(current)
    except OSError as error:
        # A link is ELOOP, or ENOTDIR where a folder is wanted.
        linked = error.errno in (errno.ELOOP, errno.ENOTDIR)
        raise (path_error("it is reached through a link") if linked else no_artifact_error()) from None


def _open_by_path(root: Path, below: PurePath) -> int:
    """The same where folders cannot be stepped through: links are looked for before the file is opened."""
    place = root
    try:
        for part in below.parts:
            place = place / part
            if place.is_symlink() or getattr(os.lstat(place), "st_reparse_tag", False):
                raise path_error("it is reached through a link")
        return os.open(place, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        raise no_artifact_error() from None


def _read(descriptor: int, limit: int) -> bytes:
    """The file's bytes, if it is one to take. Closes the descriptor."""
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise path_error("it is no plain file")
        if hasattr(os, "getuid") and facts.st_uid != os.getuid():
            raise path_error("it belongs to another user")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1) if facts.st_size <= limit else b""
        if facts.st_size > limit or len(data) > limit:
            raise picture_error(f"is larger than {limit} bytes")
        if not data:
            raise picture_error("is empty")
        return data
    finally:
        os.close(descriptor)


def _entries(root: Path) -> Iterator[tuple[float, str]]:
    """Pictures below a folder as (time, path), to a bounded depth and number."""
    seen = 0
    for place, folders, files in os.walk(root):
        if len(PurePath(place).parts) - len(root.parts) >= _SEARCH_DEPTH:
            folders.clear()
        seen += len(files) + len(folders)
        if seen > _SEARCH_ENTRIES:
            return
        for file in files:
            if file.lower().endswith(_SUFFIXES):
                path = os.path.join(place, file)
                try:
                    yield os.lstat(path).st_mtime, path
                except OSError:
                    continue
