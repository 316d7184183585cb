"""Thumbnails of PNG pictures with libvips, twice as fast as with Pillow, where ``ima2[vips]`` is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from ima2_plugins.vips_thumbs.thumbnailer import VipsThumbnailer


@ima2.hookimpl
def ima2_thumbnailers() -> list[VipsThumbnailer]:
    """Offer the thumbnailer ``vips``."""
    from ima2_plugins.vips_thumbs.thumbnailer import VipsThumbnailer

    return [VipsThumbnailer()]
