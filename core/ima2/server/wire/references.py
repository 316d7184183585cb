"""Reference pictures as clients send them: base64 text, bare or as data URLs."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import Any

import pybase64

from ima2.errors import Ima2Error
from ima2.media.sniff import PNG, media_type_of
from ima2.models import Picture

_PREFIX = re.compile(r"data:([a-zA-Z0-9.+/-]{0,60});base64,")
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True)
class References:
    """Checked references, with the counts that job records show."""

    pictures: tuple[Picture, ...] = ()
    base64_chars: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """What a job's record shows of them."""
        return {
            "refsCount": len(self.pictures),
            "referenceBytes": sum(len(picture.data) for picture in self.pictures),
            "referenceB64Chars": self.base64_chars,
        }


def read_references(value: Any, *, max_count: int, max_chars: int) -> References:
    """Check and decode a list of references. The sniffed type wins over the declared one.

    400 ``REF_NOT_ARRAY``, ``REF_TOO_MANY``, ``REF_NOT_STRING``, ``REF_EMPTY``, ``REF_TOO_LARGE``, ``REF_NOT_BASE64``,
    and
    ``REF_NOT_IMAGE`` for bytes that are neither PNG, JPEG nor WebP.
    """
    if value is None:
        return References()
    if not isinstance(value, list):
        raise Ima2Error("REF_NOT_ARRAY", 400, "references must be an array of base64 pictures.")
    if len(value) > max_count:
        raise Ima2Error("REF_TOO_MANY", 400, f"references may hold {max_count} pictures at most.")
    texts = [_text(item, index, max_chars) for index, item in enumerate(value)]
    pictures = tuple(
        decode(text, f"references[{index}]", "REF_NOT_BASE64", "REF_NOT_IMAGE") for index, text in enumerate(texts)
    )
    return References(pictures, sum(len(text) for text in texts))


def payload(text: str) -> str:
    """The base64 text of a picture, without the head of a data URL."""
    match = _PREFIX.match(text)
    return text[match.end() :] if match else text


def decode(text: str, name: str, not_base64: str, not_image: str) -> Picture:
    """A picture from base64 text, or 400 with one of the codes given."""
    data = decode_bytes(text, name, not_base64)
    media_type = media_type_of(data)
    if media_type not in _PICTURES:
        raise Ima2Error(not_image, 400, f"{name} is neither a PNG, a JPEG nor a WebP picture.")
    return Picture(data, media_type or PNG)


def decode_bytes(text: str, name: str, not_base64: str) -> bytes:
    """The bytes of base64 text, or 400 with the code given."""
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Ima2Error(not_base64, 400, f"{name} is not base64.") from None


def _text(item: Any, index: int, max_chars: int) -> str:
    if not isinstance(item, str):
        raise Ima2Error("REF_NOT_STRING", 400, f"references[{index}] must be a string.")
    text = payload(item)
    if not text:
        raise Ima2Error("REF_EMPTY", 400, f"references[{index}] is empty.")
    if len(text) > max_chars:
        raise Ima2Error("REF_TOO_LARGE", 400, f"references[{index}] is larger than {max_chars} base64 characters.")
    return text
