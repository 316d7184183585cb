"""Where the pictures of one command go: a file, a folder, standard output, or where the gallery has them already."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from ima2.cli.names import file_stems, free_names
from ima2.cli.options import remark
from ima2.files import write_whole
from ima2.keys import is_key
from ima2.media.sniff import EXTENSIONS, MEDIA_TYPES, PNG, media_type_of

TERMINAL_LIMIT = 2 << 20
PICTURES, CLIPS = (".png", ".jpg", ".jpeg", ".webp"), (".mp4",)
"""The endings of the files that are written."""
_LATE = {".webp", ".avif", ".heic", ".heif", ".webm", ".mkv", ".pdf", ".psd"}
"""Endings of pictures and clips that tables of media types came to know late, or count as documents."""
_MODE = 0o666  # less the person's umask: these are theirs, not the gallery's


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A finished picture as it came. ``filename`` is its name in the server's gallery, where known."""

    data: bytes = field(repr=False)
    filename: str | None = None
    declared: str | None = None

    @property
    def media_type(self) -> str:
        """What its bytes say it is, else what the server said."""
        return media_type_of(self.data) or self.declared or PNG

    @property
    def data_url(self) -> str:
        """The picture as a data URL."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Destination:
    """``file`` wins over ``folder``; neither means the gallery folder ``gallery``, where a server of this machine has
    put the pictures already. ``stdout`` writes bytes there, ``text`` data URLs. With ``named`` a file in a folder is
    called as the server calls it. ``endings`` are those that ``file`` may have, where that matters."""

    gallery: Path
    file: Path | None = None
    folder: Path | None = None
    stdout: bool = False
    text: bool = False
    force: bool = False
    named: bool = False
    endings: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Make the folders and see that they can be written to, before anything is paid for."""
        if self.stdout and sys.stdout.isatty() and not self.force:
            raise click.UsageError(
                "Standard output is a terminal: send the picture to a file or a pipe, or say --force."
            )
        if self.stdout or self.text or not (self.file or self.folder):
            return
        if self.file and self.endings:
            check_suffix(self.file, self.endings)
        if self.file and self.file.exists() and self._check_target():
            return
        folder = self.file.parent if self.file else self.folder
        assert folder is not None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"{folder} cannot be made: {error.strerror or 'input/output error'}.") from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise click.UsageError(f"{folder} cannot be written to.")

    def _check_target(self) -> bool:
        """See whether what ``-o`` names may be written. Says whether it is no regular file, which is written into."""
        assert self.file is not None
        if self.file.is_dir():
            raise click.UsageError(f"{self.file} is a folder: name a file, or use -d.")
        if not os.access(self.file, os.W_OK):
            raise click.UsageError(f"{self.file} cannot be written to.")
        if self.file.is_file() and sys.stdout.isatty() and not self.force:
            raise click.UsageError(f"{self.file} exists: say --force to replace it.")
        return not self.file.is_file()

    def deliver(self, pictures: Sequence[MediaFile]) -> list[dict[str, Any]]:
        """Put them where they belong. Returns one row each: ``path`` (or ``image``) and ``filename``."""
        if self.stdout:
            sys.stdout.buffer.write(pictures[0].data)
            sys.stdout.buffer.flush()
            return [_row(pictures[0])]
        if self.text:
            self._guard(pictures)
            return [{"image": one.data_url, **_row(one)} for one in pictures]
        if self.file:
            self._warn_of_name(pictures[0])
            write_whole(self.file, pictures[0].data, mode=_MODE)
            return [_row(pictures[0], self.file)]
        stems = file_stems(len(pictures))
        if self.named:
            stems = [_stem(one) or stem for one, stem in zip(pictures, stems, strict=True)]
        return [_row(one, self._save(one, stem)) for one, stem in zip(pictures, stems, strict=True)]

    def deliver_all(self, files: Sequence[MediaFile]) -> list[dict[str, Any]]:
        """As `deliver`, for any number: the first to ``file``, the others to the folder."""
        if self.file is None or len(files) < 2:
            return self.deliver(files)
        others = replace(self, file=None).deliver(files[1:])
        return [*self.deliver(files[:1]), *others]

    def _save(self, picture: MediaFile, stem: str) -> Path:
        """The file of one picture: the gallery's own where it is on this machine, else a new one."""
        if self.folder is None and picture.filename and is_key(picture.filename):
            own = self.gallery / picture.filename
            if own.is_file() and own.read_bytes() == picture.data:
                return own
        folder = self.folder or self.gallery
        folder.mkdir(parents=True, exist_ok=True)
        for name in free_names(stem, EXTENSIONS.get(picture.media_type, "png")):
            path = folder / name
            try:
                write_new(path, picture.data)
            except FileExistsError:
                continue
            return path
        raise AssertionError("unreachable: there is always another name")

    def _guard(self, pictures: Sequence[MediaFile]) -> None:
        large = sum(len(one.data_url) for one in pictures) > TERMINAL_LIMIT
        if large and sys.stdout.isatty() and not self.force:
            raise click.UsageError("That is more than 2 MiB of text for a terminal: use a pipe, or say --force.")

    def _warn_of_name(self, picture: MediaFile) -> None:
        assert self.file is not None
        suffix = self.file.suffix.lower()
        named = MEDIA_TYPES.get(suffix.removeprefix("."), f"a {suffix} file" if _promises_media(suffix) else None)
        if named not in {None, picture.media_type}:
            remark(f"{self.file} holds {picture.media_type}: that is what came.")


def check_suffix(file: Path, known: Sequence[str]) -> None:
    """Refuse a name that promises a picture or clip of another kind than those that are ``known``.

    Names that promise nothing, and what is no regular file, are taken as they are: `click.UsageError` else.
    """
    suffix = file.suffix.lower()
    if suffix in known or not _promises_media(suffix) or (file.exists() and not file.is_file()):
        return
    raise click.UsageError(f"-o: nothing is written as {suffix} here; name a file that ends in {' or '.join(known)}.")


def _promises_media(suffix: str) -> bool:
    import mimetypes

    promise = (mimetypes.guess_type(f"x{suffix}")[0] or "").partition("/")[0]
    return promise in {"image", "video"} or suffix in _LATE


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet (`FileExistsError`)."""
    try:
        write_whole(path, data, mode=_MODE, replace=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: claim the name first
        path.open("xb").close()
        try:
            write_whole(path, data, mode=_MODE)
        except OSError:
            path.unlink(missing_ok=True)
            raise


def _stem(picture: MediaFile) -> str | None:
    """The last part of the server's name without its extension, where it is one that may become a file here."""
    name = (picture.filename or "").rpartition("/")[2]
    return Path(name).stem if is_key(name) else None


def _row(picture: MediaFile, path: Path | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {} if path is None else {"path": str(path)}
    return row | ({} if picture.filename is None else {"filename": picture.filename})
