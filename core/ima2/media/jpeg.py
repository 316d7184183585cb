"""XMP in JPEG: one APP1 segment after JFIF and Exif (ISO/IEC 10918-1, annex B; XMP part 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ima2.media.xmp import Untouched, is_ours

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_APP0, _APP1, _APP2, _APP11 = 0xE0, 0xE1, 0xE2, 0xEB
_START_OF_SCAN, _END = 0xDA, 0xD9
_MAX_SEGMENT = 65_533


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment by its place: from the marker up to and without ``end``."""

    marker: int
    start: int
    end: int

    def begins(self, data: bytes, words: bytes) -> bool:
        """Whether its payload begins with those bytes."""
        return data.startswith(words, self.start + 4, self.end)


def embedded(data: bytes, packet: Callable[[bytes | None], bytes]) -> bytes:
    """The picture with the packet that ``packet`` makes of the one already there (``None`` without one).

    Raises `Untouched` for a C2PA manifest (APP11 boxes), for several pictures in one file, whose index would no longer
    fit, for a packet beyond one segment and for a broken file.
    """
    segments = list(_segments(data))
    if any(_is_manifest(one, data) or _is_index(one, data) for one in segments):
        raise Untouched("signed or indexed")
    present = [one for one in segments if one.marker == _APP1 and one.begins(data, _XMP)]
    present.sort(key=lambda one: not is_ours(_packet(one, data)))
    start = end = _place(segments, data)
    if present:
        start, end = present[0].start, present[0].end
    segment = _segment(packet(_packet(present[0], data) if present else None))
    view = memoryview(data)
    return b"".join((view[:start], segment, view[end:]))


def packets(data: bytes) -> list[bytes]:
    """The XMP packets of a picture. Raises `Untouched` for a broken file."""
    return [_packet(one, data) for one in _segments(data) if one.marker == _APP1 and one.begins(data, _XMP)]


def _segments(data: bytes) -> Iterator[Segment]:
    """Every segment before the first scan."""
    at, size = 2, len(data)
    while at + 4 <= size and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _START_OF_SCAN:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _END or end < at + 4 or end > size:
            break
        yield Segment(marker, at, end)
        at = end
    raise Untouched("broken JPEG")


def _place(segments: list[Segment], data: bytes) -> int:
    """Behind JFIF and Exif, which want to come first."""
    place = 2
    for one in segments:
        if one.marker != _APP0 and not (one.marker == _APP1 and one.begins(data, b"Exif\0")):
            break
        place = one.end
    return place


def _is_manifest(one: Segment, data: bytes) -> bool:
    return (
        one.marker == _APP11 and one.begins(data, b"JP") and b"c2pa" in data[one.start : min(one.end, one.start + 160)]
    )


def _is_index(one: Segment, data: bytes) -> bool:
    return one.marker == _APP2 and one.begins(data, b"MPF\0")


def _packet(one: Segment, data: bytes) -> bytes:
    return data[one.start + 4 + len(_XMP) : one.end]


def _segment(packet: bytes) -> bytes:
    if len(packet) + len(_XMP) > _MAX_SEGMENT:
        raise Untouched("packet does not fit a segment")
    return b"".join((b"\xff\xe1", (len(packet) + len(_XMP) + 2).to_bytes(2, "big"), _XMP, packet))
