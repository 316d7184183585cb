"""Whether a file is all there: a walk over its chunks, segments or boxes, nothing decoded.

PNG (W3C third edition, 5.3: up to ``IEND``), JPEG (ISO/IEC 10918-1, annex B: up to ``EOI``), WebP (RFC 9649, 2.3:
the size in its head), MP4 (ISO/IEC 14496-12, 4.2: every box whole, the index and what it describes present).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ima2.media.sniff import JPEG, MP4, PNG, WEBP

_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
"""In coded data a marker follows ``FF``; ``FF 00`` is a byte of the picture and ``FF D0`` to ``FF D7`` a restart."""
_BOX_HEAD = 8


def is_complete(data: bytes, media_type: str) -> bool:
    """Whether a PNG, JPEG, WebP or MP4 goes on to its end; ``True`` for types whose form is not known here.

    What follows the end is of no interest. A cut between two boxes of a clip is seen only if the index or the media
    are behind it.
    """
    check = _CHECKS.get(media_type)
    return check is None or check(data)


def _png(data: bytes) -> bool:
    at, has_pixels = 8, False
    while at + 12 <= len(data):
        kind, at = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            return has_pixels and at <= len(data)
    return False


def _jpeg(data: bytes) -> bool:
    at, has_scan = 2, False
    while found := _NEXT_MARKER.search(data, at):
        marker, start = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            return has_scan
        has_scan = has_scan or marker == _START_OF_SCAN
        length = int.from_bytes(data[start : start + 2], "big")
        if length < 2 or start + length > len(data):
            return False
        at = start + length
    return False


def _webp(data: bytes) -> bool:
    at, stop, has_pixels = 12, 8 + int.from_bytes(data[4:8], "little"), False
    if stop > len(data):
        return False
    while at + 8 <= stop:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size
        if at > stop:
            return False
        at += size % 2
        has_pixels = has_pixels or kind in (b"VP8 ", b"VP8L", b"ANMF")
    return has_pixels


def _mp4(data: bytes) -> bool:
    """Every box is whole, and each description of a fragment (``moof``) is followed by what it describes."""
    kinds: set[bytes] = set()
    awaited = False
    for kind, end in _boxes(data):
        if end > len(data):
            return False
        awaited = kind == b"moof" or (awaited and kind != b"mdat")
        kinds.add(kind)
    return b"moov" in kinds and b"mdat" in kinds and not awaited


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Kind and end of every box at the top. A size of 0 means up to the end of the file, 1 a long size behind."""
    at = 0
    while at + _BOX_HEAD <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            end = at + max(16, int.from_bytes(data[at + 8 : at + 16], "big"))
        else:
            end = at + max(_BOX_HEAD, size) if size else len(data)
        yield data[at + 4 : at + 8], end
        at = end


_CHECKS: dict[str, Callable[[bytes], bool]] = {PNG: _png, JPEG: _jpeg, WEBP: _webp, MP4: _mp4}
