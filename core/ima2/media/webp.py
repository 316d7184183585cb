"""XMP in WebP: an ``XMP `` chunk at the end, announced in ``VP8X`` (RFC 9649, section 2.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ima2.media.sniff import size_of
from ima2.media.xmp import Untouched, is_ours

_ALPHA, _HAS_XMP = 0x10, 0x04
_LARGEST_FILE = 0xFFFF_FFFE


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk by its place: ``end`` counts the padding byte; ``size`` is that of its payload."""

    kind: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.start + 8 + self.size + self.size % 2


def embedded(data: bytes, packet: Callable[[bytes | None], bytes]) -> bytes:
    """The picture with the packet that ``packet`` makes of the one already there (``None`` without one).

    A simple file becomes an extended one. Raises `Untouched` for a C2PA manifest or a broken file.
    """
    chunks = list(_chunks(data))
    if any(chunk.kind == b"C2PA" for chunk in chunks):
        raise Untouched("signed")
    view, last = memoryview(data), chunks[-1].end
    present = sorted((one for one in chunks if one.kind == b"XMP "), key=lambda one: not is_ours(_body(one, data)))
    start, end = (present[0].start, present[0].end) if present else (last, last)
    words = packet(_body(present[0], data) if present else None)
    rest = chunks[0].end if chunks[0].kind == b"VP8X" else chunks[0].start
    middle = (_header(chunks[0], data), view[rest:start], _chunk(b"XMP ", words), view[end:last])
    size = 4 + sum(len(piece) for piece in middle)
    if size > _LARGEST_FILE:
        raise Untouched("too large")
    return b"".join((b"RIFF", size.to_bytes(4, "little"), b"WEBP", *middle, view[last:]))


def packets(data: bytes) -> list[bytes]:
    """The XMP packets of a picture. Raises `Untouched` for a broken file."""
    return [_body(chunk, data) for chunk in _chunks(data) if chunk.kind == b"XMP "]


def _chunks(data: bytes) -> Iterator[Chunk]:
    at, stop = 12, 8 + int.from_bytes(data[4:8], "little")
    if stop > len(data):
        raise Untouched("broken WebP")
    while at + 8 <= stop:
        chunk = Chunk(data[at : at + 4], at, int.from_bytes(data[at + 4 : at + 8], "little"))
        if chunk.end > stop or (at == 12 and chunk.kind not in (b"VP8X", b"VP8 ", b"VP8L")):
            raise Untouched("broken WebP")
        yield chunk
        at = chunk.end
    if at == 12:
        raise Untouched("broken WebP")


def _header(first: Chunk, data: bytes) -> bytes:
    """The ``VP8X`` chunk with the flag set, made where the file had none."""
    if first.kind == b"VP8X":
        if first.size < 10:
            raise Untouched("broken WebP")
        body = data[first.start + 8 : first.end]
        return _chunk(b"VP8X", bytes([body[0] | _HAS_XMP]) + body[1 : first.size])
    size = size_of(data)
    if size is None or not all(size):
        raise Untouched("broken WebP")
    has_alpha = first.kind == b"VP8L" and first.size >= 5 and data[first.start + 12] & 0x10
    flags = _HAS_XMP | (_ALPHA if has_alpha else 0)
    width, height = ((edge - 1).to_bytes(3, "little") for edge in size)
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + width + height)


def _body(chunk: Chunk, data: bytes) -> bytes:
    return data[chunk.start + 8 : chunk.start + 8 + chunk.size]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((kind, len(body).to_bytes(4, "little"), body, b"\0" * (len(body) % 2)))
