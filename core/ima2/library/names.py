"""How the files of the gallery are called: media, and beside each its sidecar and thumbnail."""

from __future__ import annotations

from urllib.parse import quote

from ima2.media.sniff import MEDIA_TYPES

THUMB_SUFFIX = ".thumb.jpg"
CHANGING = "canvas-"
"""How the names of files begin whose bytes may change in place."""
NO_THUMB, STEM_THUMB, OWN_THUMB = 0, 1, 2
"""Whether a file has a thumbnail, and under which of two names (`thumb_of`)."""


def url_of(key: str) -> str:
    """Where the server gives out a stored object: each segment percent-encoded as a URI component."""
    return "/generated/" + "/".join(quote(part, safe="!'()*~") for part in key.split("/"))


def extension_of(key: str) -> str:
    """The lower-case extension of a key, without the dot."""
    return key.rpartition(".")[2].lower() if "." in key else ""


def stem_of(key: str) -> str:
    """A key without its extension."""
    return key.rpartition(".")[0]


def is_media(key: str) -> bool:
    """Whether a key names a picture or clip of the gallery, not a thumbnail, sidecar or temporary file."""
    return extension_of(key) in MEDIA_TYPES and not key.lower().endswith(THUMB_SUFFIX)


def is_clip(key: str) -> bool:
    """Whether a key names a clip."""
    return MEDIA_TYPES.get(extension_of(key), "").startswith("video/")


def thumb_of(key: str, form: int = STEM_THUMB) -> str:
    """The key of a file's thumbnail.

    For pictures the extension is replaced, as ima2-gen does it. For clips, and for a picture that shares its name
    without extension with another one (`OWN_THUMB`), the suffix is appended.
    """
    return (key if form == OWN_THUMB or is_clip(key) else stem_of(key)) + THUMB_SUFFIX


def siblings_of(key: str) -> list[str]:
    """The keys of other pictures that would have the same thumbnail."""
    pictures = [one for one, media_type in MEDIA_TYPES.items() if media_type.startswith("image/")]
    return [] if is_clip(key) else [one for ext in pictures if (one := f"{stem_of(key)}.{ext}") != key]


def sidecar_of(key: str) -> str:
    """The key of a file's private JSON."""
    return key + ".json"
