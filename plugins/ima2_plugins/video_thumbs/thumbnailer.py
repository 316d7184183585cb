"""The thumbnailer of clips."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import ClassVar

import ima2

_QUALITY = 70
_SECONDS = 15.0


class VideoThumbnailer(ima2.Thumbnailer):
    """The first frame as a JPEG of quality 70, of clips up to 100 MB."""

    id = "video"
    media_types: ClassVar[tuple[str, ...]] = ("video/mp4",)

    def problem(self) -> str | None:
        return ima2.frames_problem()

    async def thumbnail(self, source: ima2.Picture | Path, width: int = 320) -> bytes:
        try:
            async with asyncio.timeout(_SECONDS):
                frame = await ima2.frame_of(source, 0.0)
        except TimeoutError:
            raise ima2.Ima2Error("IMAGE_INVALID", 400, "The clip took too long to read.") from None
        except ima2.Ima2Error as error:
            raise ima2.Ima2Error("IMAGE_INVALID", 400, error.text) from None
        return await asyncio.to_thread(_shrunk, frame.data, width)


def _shrunk(data: bytes, width: int) -> bytes:
    image = ima2.flat_picture(ima2.upright_picture(ima2.open_picture(data)))
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
