"""XMP in PNG: one uncompressed ``iTXt`` chunk after the header (W3C PNG third edition, 11.3.3; XMP part 3)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ima2.media.xmp import Untouched, is_ours

KEYWORD = b"XML:com.adobe.xmp"
_HEADER_END = 33
_MAX_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk by its place: from the length field up to and without ``end``."""

    kind: bytes
    start: int
    end: int

    def body(self, data: bytes) -> bytes:
        """What lies between kind and checksum."""
        return data[self.start + 8 : self.end - 4]


def embedded(data: bytes, packet: Callable[[bytes | None], bytes]) -> bytes:
    """The picture with the packet that ``packet`` makes of the one already there (``None`` without one).

    Only the new chunk's checksum is computed. Raises `Untouched` for a C2PA manifest (``caBX``) or a broken file.
    """
    chunks = list(_chunks(data))
    if any(chunk.kind == b"caBX" for chunk in chunks):
        raise Untouched("signed")
    present = [(chunk, text) for chunk in chunks if (text := _xmp(chunk, data)) is not None]
    present.sort(key=lambda one: not is_ours(one[1]))
    if not present:
        return b"".join((data[:_HEADER_END], _chunk(packet(None)), memoryview(data)[_HEADER_END:]))
    old, text = present[0]
    view = memoryview(data)
    return b"".join((view[: old.start], _chunk(packet(text)), view[old.end :]))


def packets(data: bytes) -> list[bytes]:
    """The XMP packets of a picture. Raises `Untouched` for a broken file."""
    return [text for chunk in _chunks(data) if (text := _xmp(chunk, data)) is not None]


def comments(data: bytes) -> list[bytes]:
    """All other texts of a picture. Raises `Untouched` for a broken file."""
    texts = (_text(chunk, data) for chunk in _chunks(data))
    return [text for keyword, text in texts if keyword and keyword != KEYWORD]


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Every chunk up to ``IEND``, the checksums unread."""
    at, size = 8, len(data)
    while at + 12 <= size:
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        chunk = Chunk(data[at + 4 : at + 8], at, end)
        if end > size or (at == 8 and (chunk.kind, end) != (b"IHDR", _HEADER_END)):
            break
        yield chunk
        if chunk.kind == b"IEND":
            return
        at = end
    raise Untouched("broken PNG")


def _xmp(chunk: Chunk, data: bytes) -> bytes | None:
    if chunk.kind not in (b"iTXt", b"tEXt") or not data.startswith(KEYWORD + b"\0", chunk.start + 8):
        return None
    return _text(chunk, data)[1]


def _text(chunk: Chunk, data: bytes) -> tuple[bytes, bytes]:
    """Keyword and text (UTF-8 or Latin-1) of a text chunk; two empty ones for another chunk."""
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return b"", b""
    keyword, _, rest = chunk.body(data).partition(b"\0")
    if chunk.kind == b"tEXt":
        return keyword, rest
    if chunk.kind == b"zTXt":
        return keyword, _inflated(rest[1:])
    compressed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    return keyword, _inflated(text) if compressed else text


def _inflated(text: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(text, _MAX_TEXT)
    except zlib.error:
        return b""


def _chunk(packet: bytes) -> bytes:
    body = b"iTXt" + KEYWORD + b"\0\0\0\0\0" + packet
    return b"".join(((len(body) - 4).to_bytes(4, "big"), body, zlib.crc32(body).to_bytes(4, "big")))
