"""The models: their names, what each can draw and what a picture costs. Plain data.

Ratios, sizes and list prices: Google's pages on image generation and on Gemini API pricing.
"""

from __future__ import annotations

from dataclasses import dataclass

import ima2

COMMON_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
EXTREME_RATIOS = ("1:8", "8:1", "1:4", "4:1")
EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
"""Google's picture sizes and the longest edge, in pixels, up to which each is meant. Smallest first."""
DEFAULT_SIZE = "1K"
"""What Google draws when no size is asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model. ``prices`` are US dollars a picture by size; the sizes named there are those it can draw."""

    id: str
    title: str
    ratios: tuple[str, ...]
    prices: dict[str, float]


NANO_BANANA_2 = Entry(
    "nano-banana-2",
    "Nano Banana 2",
    (*COMMON_RATIOS, *EXTREME_RATIOS),
    {"512": 0.045, "1K": 0.067, "2K": 0.101, "4K": 0.151},
)
NANO_BANANA_PRO = Entry("nano-banana-pro", "Nano Banana Pro", COMMON_RATIOS, {"1K": 0.134, "2K": 0.134, "4K": 0.240})
ENTRIES = {entry.id: entry for entry in (NANO_BANANA_2, NANO_BANANA_PRO)}
MAX_REFERENCES = 3
"""Pictures a request may bring, the one to edit included."""


def pixels(ratio: str, edge: int) -> str:
    """``WxH`` of a ratio such as ``3:2`` whose longer side is ``edge``."""
    across, down = map(int, ratio.split(":"))
    longer = max(across, down)
    return f"{round(edge * across / longer)}x{round(edge * down / longer)}"


CAPABILITIES = ima2.Capabilities(
    models=tuple(ima2.Model(entry.id, entry.title) for entry in ENTRIES.values()),
    default_model=NANO_BANANA_2.id,
    sizes=ima2.Sizes(
        listed=tuple(pixels(ratio, edge) for edge in EDGES.values() for ratio in COMMON_RATIOS), free=True, auto=True
    ),
    max_references=MAX_REFERENCES,
    edit=True,
    sequence=1,
    prices=tuple(
        ima2.Price(entry.id, "image", usd, resolution=size)
        for entry in ENTRIES.values()
        for size, usd in entry.prices.items()
    ),
    code_prefix="GEMINI_API",
    codes={
        "REF_TOO_MANY": "GROK_REF_TOO_MANY",
        "MODEL_INVALID": "INVALID_GEMINI_API_IMAGE_MODEL",
        "VIDEO_UNSUPPORTED": "VIDEO_PROVIDER_UNSUPPORTED",
    },
)
