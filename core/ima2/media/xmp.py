"""XMP packets that hold our record in one attribute (ISO 16684-1; the attribute is ima2-gen's)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ima2.media.payload import accepted

NAMESPACE = "https://github.com/lidge-jun/ima2-gen/ns/1.0/"
MAX_PACKET = 65_536
"""Longest packet (characters) that is embedded."""
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
_RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
_TAIL = '</x:xmpmeta><?xpacket end="w"?>'
_ATTRIBUTE = re.compile(r'(ima2:GenerationMetadata=")([^"]*)(")')
_ELEMENT = re.compile(r"<ima2:GenerationMetadata>([^<]*)</ima2:GenerationMetadata>")
_ENTITIES = (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;"))


class Untouched(Exception):
    """A picture that is to be left exactly as it is: malformed, signed, or without room."""


def packet(record: Mapping[str, Any], existing: bytes | None = None) -> bytes:
    """The packet for a record: a fresh one, or the existing one with our record replaced or added.

    Whatever else an existing packet says is kept. Raises `Untouched` for one that cannot be extended by
    a plain insertion, that points to a signed manifest kept elsewhere, or that becomes too long.
    """
    value = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    for plain, entity in _ENTITIES:
        value = value.replace(plain, entity)
    text = _fresh(value) if existing is None else _extended(existing, value)
    if len(text) > MAX_PACKET:
        raise Untouched("packet too long")
    return text.encode()


def record_in(text: bytes) -> dict[str, Any] | None:
    """The record that a packet (or any text) carries, or ``None``."""
    words = text.decode("utf-8", "replace")
    found = _ATTRIBUTE.search(words)
    escaped = found[2] if found else (element[1] if (element := _ELEMENT.search(words)) else None)
    if escaped is None:
        return None
    for plain, entity in (*_ENTITIES[1:], _ENTITIES[0]):
        escaped = escaped.replace(entity, plain)
    try:
        return accepted(json.loads(escaped))
    except (ValueError, RecursionError):
        return None


def is_ours(text: bytes) -> bool:
    """Whether a packet holds a record of ours, readable or not."""
    return b"ima2:GenerationMetadata" in text


def _description(value: str) -> str:
    return f'<rdf:Description rdf:about="" xmlns:ima2="{NAMESPACE}" ima2:GenerationMetadata="{value}"/>'


def _fresh(value: str) -> str:
    return f"{_HEAD}{_RDF}{_description(value)}</rdf:RDF>{_TAIL}"


def _extended(existing: bytes, value: str) -> str:
    try:
        text = existing.decode("utf-8")
    except UnicodeDecodeError:
        raise Untouched("packet is not UTF-8") from None
    if "dcterms:provenance" in text:
        raise Untouched("packet names a manifest kept elsewhere")
    if _ATTRIBUTE.search(text):
        return _ATTRIBUTE.sub(lambda found: found[1] + value + found[3], text, count=1)
    if is_ours(existing) or text.count("</rdf:RDF>") != 1 or "xmlns:ima2=" in text:
        raise Untouched("packet cannot be extended")
    return text.replace("</rdf:RDF>", _description(value) + "</rdf:RDF>")
