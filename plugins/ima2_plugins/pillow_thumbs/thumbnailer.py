"""The thumbnailer: two threads, and no more pixels decoded than a thumbnail needs."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import ima2

_THREADS = 2
_QUALITY = 70
_GAP = 1.5
"""How much larger than the result the cheap steps leave a picture, so that the last one decides how it looks."""


class PillowThumbnailer(ima2.Thumbnailer):
    """JPEGs of quality 70, turned upright, transparency on white, of pictures up to 100 megapixels."""

    id = "pillow"
    media_types: ClassVar[tuple[str, ...]] = ("image/png", "image/jpeg", "image/webp")

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def close(self) -> None:
        threads, self._threads = self._threads, None
        if threads:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def thumbnail(self, source: ima2.Picture | Path, width: int = 320) -> bytes:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "pillow-thumbs")
        return await asyncio.get_running_loop().run_in_executor(self._threads, thumbnail, source, width)


def thumbnail(source: ima2.Picture | Path, width: int) -> bytes:
    """A JPEG at most ``width`` pixels wide. Blocks; raises as `ima2.Thumbnailer.thumbnail` does."""
    image = ima2.open_picture(source.read_bytes() if isinstance(source, Path) else source.data)
    scale = _GAP * width / min(image.size)
    image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    image = ima2.upright_picture(image)
    if image.width > width:
        size = width, max(1, round(image.height * width / image.width))
        image = image.resize(size, reducing_gap=_GAP)
    out = io.BytesIO()
    profile = image.info.get("icc_profile")
    ima2.flat_picture(image).save(out, "JPEG", quality=_QUALITY, icc_profile=profile)
    return out.getvalue()
