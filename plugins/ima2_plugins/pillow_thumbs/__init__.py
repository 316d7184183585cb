"""Thumbnails of PNG, JPEG and WebP pictures with Pillow, which ima2 always has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer


@ima2.hookimpl
def ima2_thumbnailers() -> list[PillowThumbnailer]:
    """Offer the thumbnailer ``pillow``."""
    from ima2_plugins.pillow_thumbs.thumbnailer import PillowThumbnailer

    return [PillowThumbnailer()]
