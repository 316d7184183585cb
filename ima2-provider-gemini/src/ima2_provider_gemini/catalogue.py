"""The models: their names, what each takes and draws, what a picture costs, and where that is known from. Plain data.

Sources: Google's pages on models, deprecations, image generation and Gemini API pricing, and the types of google-genai
3.6.1. A model is billed at the size it really makes, so prices stand by size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import ima2

CHECKED = "2026-11-25"
"""The day on which the facts below were read: the version of this catalogue."""
CHANGELOG = "ai.google.dev: changelog, deprecations and pricing"
COMMON_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
EXTREME_RATIOS = ("1:8", "8:1", "1:4", "4:1")
EDGES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
"""Google's picture sizes and the edge, in pixels, that a square of that size has. Smallest first."""
DEFAULT_SIZE = "1K"
"""What Google draws when no size is asked for."""
THINKING_DEFAULT = "auto"
"""The option's value that leaves the thinking level to the model."""
SEQUENCE = 8
"""How many pictures of one story are asked for in one call, at most."""


@dataclass(frozen=True, slots=True)
class ImageModel:
    """A picture model. ``upstream`` is Google's name of it.

    ``prices`` are US dollars a picture by size, empty where none is published; ``token_usd`` is the price of a million
    image tokens where that is how it is billed, ``input_usd`` that of an input picture. ``thinking`` are the levels it
    takes; ``replacement`` is the model that takes its place once it has ended.
    """

    id: str
    title: str
    upstream: str
    ratios: tuple[str, ...] = COMMON_RATIOS
    sizes: tuple[str, ...] = ("1K", "2K", "4K")
    prices: Mapping[str, float] = field(default_factory=dict)
    token_usd: float | None = None
    input_usd: float = 0.0
    max_references: int = 3
    thinking: tuple[str, ...] = ()
    state: Literal["served", "deprecated", "ended"] = "served"
    ends: str | None = None
    replacement: str = ""
    classic: bool = False

    def model(self) -> ima2.Model:
        """What the kernel is told of it."""
        return ima2.Model(
            self.id,
            self.title,
            state=self.state,
            ends=self.ends,
            replacement=self.replacement,
            sizes=ima2.Sizes(listed=pixel_sizes(self.sizes), free=True, auto=True),
            max_references=self.max_references,
            source=CHANGELOG,
            checked=CHECKED,
            classic=self.classic,
        )


def pixels(ratio: str, edge: int) -> str:
    """``WxH`` of a ratio such as ``3:2`` whose longer side is ``edge``."""
    across, down = map(int, ratio.split(":"))
    longer = max(across, down)
    return f"{round(edge * across / longer)}x{round(edge * down / longer)}"


def pixel_sizes(sizes: tuple[str, ...]) -> tuple[str, ...]:
    """The sizes in pixels that stand for the common ratios in Google's ``sizes``."""
    return tuple(pixels(ratio, EDGES[size]) for size in sizes for ratio in COMMON_RATIOS)


NANO_BANANA_2 = ImageModel(
    "nano-banana-2",
    "Nano Banana 2",
    "gemini-3.1-flash-image",
    ratios=(*COMMON_RATIOS, *EXTREME_RATIOS),
    sizes=("512", "1K", "2K", "4K"),
    prices={"512": 0.045, "1K": 0.067, "2K": 0.101, "4K": 0.151},
    # Deprecated on 6 October 2026 without a stated end; third parties contradict each other on one.
    state="deprecated",
    replacement="gemini-nano-banana-2.1",
    classic=True,
)
NANO_BANANA_PRO = ImageModel(
    "nano-banana-pro",
    "Nano Banana Pro",
    "gemini-3-pro-image",
    prices={"1K": 0.134, "2K": 0.134, "4K": 0.240},
    input_usd=0.0011,
    classic=True,
)
NANO_BANANA_2_1 = ImageModel(
    "gemini-nano-banana-2.1",
    "Nano Banana 2.1",
    "gemini-nano-banana-2.1",
    ratios=(*COMMON_RATIOS, *EXTREME_RATIOS),
    prices={"1K": 0.034, "2K": 0.050, "4K": 0.076},
    token_usd=30.0,
    max_references=14,
    thinking=("minimal", "medium", "high"),
)
FLASH_LITE = ImageModel(
    "gemini-3.1-flash-lite-image",
    "Gemini 3.1 Flash Lite Image",
    "gemini-3.1-flash-lite-image",
    sizes=("1K",),
    max_references=14,
)
IMAGE_MODELS = {entry.id: entry for entry in (NANO_BANANA_2, NANO_BANANA_PRO, NANO_BANANA_2_1, FLASH_LITE)}
TEXT_MODELS = (
    ima2.Model(
        "gemini-3.5-flash",
        "Gemini 3.5 Flash",
        media="text",
        state="deprecated",
        replacement="gemini-3.6-flash",
        source=CHANGELOG,
        checked=CHECKED,
    ),
    ima2.Model("gemini-3.6-flash", "Gemini 3.6 Flash", media="text", source=CHANGELOG, checked=CHECKED),
)
THINKING_LEVELS = (THINKING_DEFAULT, *NANO_BANANA_2_1.thinking)

CAPABILITIES = ima2.Capabilities(
    models=(*(entry.model() for entry in IMAGE_MODELS.values()), *TEXT_MODELS),
    default_model=NANO_BANANA_2.id,
    sizes=ima2.Sizes(listed=pixel_sizes(NANO_BANANA_2.sizes), free=True, auto=True),
    max_references=NANO_BANANA_2.max_references,
    edit=True,
    sequence=SEQUENCE,
    options=(
        ima2.Option(
            "thinkingLevel",
            "choice",
            "How long the model thinks before it draws",
            default=THINKING_DEFAULT,
            values=THINKING_LEVELS,
            media=("image",),
        ),
    ),
    prices=(
        *(
            ima2.Price(entry.id, "image", usd, resolution=size)
            for entry in IMAGE_MODELS.values()
            for size, usd in entry.prices.items()
        ),
        *(ima2.Price(entry.id, "input-image", entry.input_usd) for entry in IMAGE_MODELS.values() if entry.input_usd),
    ),
    code_prefix="GEMINI_API",
    codes={
        "REF_TOO_MANY": "GROK_REF_TOO_MANY",
        "MODEL_INVALID": "INVALID_GEMINI_API_IMAGE_MODEL",
        "VIDEO_UNSUPPORTED": "VIDEO_PROVIDER_UNSUPPORTED",
    },
    text=True,
    catalogue=CHECKED,
)
