"""What a file is, by its first bytes. Declared types are never believed.

Four types are known from the start; a part may bring more (`MediaFormat`), known once its plugin is in use.

Sources of the signatures: PNG (W3C, section 5.2), JFIF/ISO 10918-1 (SOI marker), WebP container
specification, ISO/IEC 14496-12 (``ftyp`` box).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

PNG, JPEG, WEBP, MP4 = "image/png", "image/jpeg", "image/webp", "video/mp4"
EXTENSIONS = {PNG: "png", JPEG: "jpeg", WEBP: "webp", MP4: "mp4"}
"""The extension of new files by media type. It grows with `register_format`."""
MEDIA_TYPES = {"png": PNG, "jpg": JPEG, "jpeg": JPEG, "webp": WEBP, "mp4": MP4}
"""What an extension promises. It grows with `register_format`."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STILL_BRANDS = (b"avi", b"hei", b"hev", b"mif", b"msf")
"""How the brands of pictures in boxes begin (AVIF, HEIF: ISO/IEC 23008-12): no clips, though their form is alike."""


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """A type of pictures or clips that a part brings.

    ``extensions`` are without dot and in lower case, the first is that of new files; ``matches`` recognises the type
    by a file's first bytes and must be quick.
    """

    media_type: str
    extensions: tuple[str, ...]
    matches: Callable[[bytes], bool]


_HEAD = 4096
"""As many bytes are shown to `MediaFormat.matches`."""
_formats: dict[str, MediaFormat] = {}


def register_format(brought: MediaFormat) -> None:
    """Know one more type from now on. What is known already, by type or extension, stays as it is."""
    if not brought.extensions or brought.media_type in EXTENSIONS:
        return
    _formats[brought.media_type] = brought
    EXTENSIONS[brought.media_type] = brought.extensions[0]
    for extension in brought.extensions:
        MEDIA_TYPES.setdefault(extension, brought.media_type)


def media_type_of(data: bytes) -> str | None:
    """``image/png``, ``image/jpeg``, ``image/webp``, ``video/mp4``, a type that a part brought, or ``None``."""
    if data[:8] == _PNG_SIGNATURE:
        return PNG
    if data[:3] == b"\xff\xd8\xff":
        return JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp" and data[8:11] not in _STILL_BRANDS:
        return MP4
    return next((one.media_type for one in _formats.values() if _matches(one, data)), None)


def _matches(brought: MediaFormat, data: bytes) -> bool:
    try:
        return bool(brought.matches(data[:_HEAD]))
    except Exception:  # a plugin's own code: what it cannot tell is not of its type
        return False


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the header states them, ``None`` when it cannot be read."""
    try:
        match media_type_of(data):
            case "image/png":
                return _png_size(data)
            case "image/jpeg":
                return _jpeg_size(data)
            case "image/webp":
                return _webp_size(data)
    except (struct.error, IndexError):
        pass
    return None


def _png_size(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None
