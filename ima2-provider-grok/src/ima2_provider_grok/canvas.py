"""An empty picture for the video model that cannot begin without one."""

from __future__ import annotations

import io

from ima2 import Picture
from ima2_provider_grok.sizes import fraction

_SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080}


def canvas_size(resolution: str, ratio: str) -> tuple[int, int]:
    """Width and height of a canvas: the short side by resolution, the long one by ratio (``auto`` is 16:9)."""
    short = _SHORT_SIDES.get(resolution, 480)
    shape = fraction("16:9" if ratio == "auto" else ratio)
    return (round(short * shape), short) if shape >= 1 else (short, round(short / shape))


def white_canvas(resolution: str, ratio: str) -> Picture:
    """A white PNG of that size. Blocking."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", canvas_size(resolution, ratio), "white").save(out, "PNG")
    return Picture(out.getvalue(), "image/png")
