"""Thumbnails of MP4 clips: their first frame. Needs PyAV (``ima2[video]``) or ffmpeg on the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from ima2_plugins.video_thumbs.thumbnailer import VideoThumbnailer


@ima2.hookimpl
def ima2_thumbnailers() -> list[VideoThumbnailer]:
    """Offer the thumbnailer ``video``."""
    from ima2_plugins.video_thumbs.thumbnailer import VideoThumbnailer

    return [VideoThumbnailer()]
