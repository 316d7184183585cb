"""What a new clip starts from: pictures sent along, pictures of the gallery, or the last frame of another clip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ima2.contracts import Storage
from ima2.errors import Ima2Error
from ima2.keys import is_key
from ima2.library.names import extension_of
from ima2.media.sniff import MEDIA_TYPES, media_type_of
from ima2.models import Link, Picture, Source
from ima2.server.wire import lineage
from ima2.server.wire.gallery_inputs import clip_name, frame, sidecar_facts
from ima2.server.wire.lineage import Lineage
from ima2.server.wire.references import decode, payload
from ima2.server.wire.video_body import VideoBody
from ima2.studio.check import video_modes

URL_CHARS = 4000


@dataclass(frozen=True, slots=True)
class VideoInputs:
    """``pictures`` in the order they count. ``parent`` is the clip before this one, ``lineage`` what came before."""

    mode: str
    pictures: tuple[Source, ...] = ()
    source_filename: str | None = None
    parent: str | None = None
    continues: bool = False
    lineage: Lineage | None = None


async def read_inputs(body: VideoBody, storage: Storage) -> VideoInputs:
    """The inputs of a body, or 400 with the provider's ``VIDEO_MODE_INVALID``, ``VIDEO_REF_TOO_MANY``, and
    ``VIDEO_FRAME_FAILED`` (also 404 and 500) where a frame cannot be had."""
    try:
        return await _Reading(body, storage).inputs()
    except Ima2Error as error:
        error.code = body.able.code(error.code) if error.code.startswith("VIDEO_") else error.code
        raise


class _Reading:
    """One body's inputs. Codes are generic here and become the provider's own in `read_inputs`."""

    def __init__(self, body: VideoBody, storage: Storage) -> None:
        self.body, self.storage = body, storage
        self.able, self.takes_links = video_modes(body.provider, body.model), body.able.links

    async def inputs(self) -> VideoInputs:
        """In the reference's order: the clip to continue, its frame, files, then how many there are."""
        asked = self.body.get("continueFromVideo")
        parent = clip_name(asked) if asked is not None and not _is_blank(asked) else None
        link = self._provider_url()
        source = None if link else self._source()
        images = [] if link else self._strings("referenceImages")
        names = [] if link else [_picture_name(name) for name in self._strings("referenceFilenames")]
        last = await self._frame(parent) if parent and source is None and link is None else None
        count = len(images) + len(names) + (link is not None) + (source is not None) + (last is not None)
        mode = self._mode(count)
        pictures: list[Source] = [*([link] if link else []), *[await self._sent(text) for text in images]]
        pictures += [await self._stored(name) for name in names]
        if source is not None:
            is_name = self._source_name() is not None
            pictures.append(await self._stored(source) if is_name else await self._sent(source))
        if last is not None:
            pictures.append(last)
        before = await self._lineage(parent)
        hint_parent = str(before.entries[-1]["filename"]) or None if before and parent is None else None
        name = self._source_name() if link is None else None
        return VideoInputs(mode, tuple(pictures), name, parent or hint_parent, parent is not None, before)

    def _mode(self, count: int) -> str:
        """The mode by the number of inputs, if the provider takes it."""
        if count > self.able.max_references:
            text = f"At most {self.able.max_references} pictures can go into a clip; {count} were given."
            raise Ima2Error("VIDEO_REF_TOO_MANY", 400, text)
        mode = "text" if count == 0 else "image" if count == 1 else "reference"
        if mode not in self.able.modes:
            raise Ima2Error("VIDEO_MODE_INVALID", 400, f"This provider makes no clips from {count} pictures.")
        return mode

    def _provider_url(self) -> Link | None:
        """An address the provider gave out, which stands for all inputs."""
        url = self.body.get("providerUrl")
        if not isinstance(url, str) or not url.startswith("http"):
            return None
        if not self.takes_links or len(url) > URL_CHARS:
            self.body.warn("PROVIDER_URL_IGNORED", "providerUrl", None, "provider-takes-no-urls")
            return None
        for name in ("sourceImage", "sourceFilename", "referenceImages", "referenceFilenames"):
            if self.body.get(name):
                self.body.warn("INPUT_IGNORED", name, None, "providerUrl-is-the-only-input")
        return Link(url)

    def _source_name(self) -> str | None:
        name = self.body.get("sourceFilename")
        return name if isinstance(name, str) and name.strip() else None

    def _source(self) -> str | None:
        """The start picture: the gallery's file wins over the one sent along."""
        image, name = self.body.get("sourceImage"), self._source_name()
        if name is not None:
            if image:
                self.body.warn("INPUT_IGNORED", "sourceImage", None, "sourceFilename-wins")
            return _picture_name(name)
        return image if isinstance(image, str) and image.strip() else None

    def _strings(self, field: str) -> list[str]:
        """A list's strings. The reference leaves anything else out; here a warning says so."""
        value = self.body.get(field)
        items: Sequence[Any] = value if isinstance(value, list) else []
        usable = [item for item in items if isinstance(item, str) and item.strip()]
        if len(usable) != len(items) or (value is not None and not isinstance(value, list)):
            self.body.warn("INPUT_IGNORED", field, None, "not-a-list-of-texts")
        return usable

    async def _sent(self, text: str) -> Source:
        if text.startswith(("http://", "https://")):
            if not self.takes_links or len(text) > URL_CHARS:
                raise Ima2Error(
                    "VIDEO_MODE_INVALID", 400, "This provider takes pictures themselves, not their address."
                )
            return Link(text)
        return await asyncio.to_thread(decode, payload(text), "the picture", "REF_NOT_BASE64", "REF_NOT_IMAGE")

    async def _stored(self, name: str) -> Picture:
        try:
            data = await self.storage.get(name)
        except KeyError:
            raise Ima2Error("VIDEO_SOURCE_NOT_FOUND", 404, "There is no such picture in the gallery.") from None
        media_type = media_type_of(data)
        if media_type is None or not media_type.startswith("image/"):
            raise Ima2Error("VIDEO_MODE_INVALID", 400, "The file of the gallery is no picture.")
        return Picture(data, media_type)

    async def _frame(self, parent: str) -> Picture:
        try:
            return await frame(self.storage, parent)
        except Ima2Error as error:
            raise Ima2Error("VIDEO_FRAME_FAILED", error.status, error.text) from None

    async def _lineage(self, parent: str | None) -> Lineage | None:
        if parent is None:
            return lineage.hinted(self.body.get("continuityLineage"))
        return lineage.stored(await sidecar_facts(self.storage, parent), parent)


def _picture_name(name: str) -> str:
    """The name of a picture directly in the gallery."""
    good = "/" not in name and "\\" not in name and is_key(name)
    if not good or not MEDIA_TYPES.get(extension_of(name), "").startswith("image/"):
        raise Ima2Error("VIDEO_MODE_INVALID", 400, "This is not the name of a picture in the gallery.")
    return name


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()
