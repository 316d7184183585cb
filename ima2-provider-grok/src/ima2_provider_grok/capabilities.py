"""What Grok Imagine can do, as data.

Sources: docs.x.ai (models, limits of references and durations, price list).
"""

from __future__ import annotations

from ima2 import Capabilities, Model, Option, Price, Sizes, VideoModes
from ima2_provider_grok.settings import GrokSettings
from ima2_provider_grok.sizes import GROK_FORM, LISTED

IMAGE, IMAGE_QUALITY = "grok-imagine-image", "grok-imagine-image-quality"
VIDEO, VIDEO_PREVIEW = "grok-imagine-video", "grok-imagine-video-1.5-preview"
MAX_REFERENCES, MAX_VIDEO_REFERENCES, MAX_REFERENCE_SECONDS = 3, 7, 10

MODELS = (
    Model(IMAGE, "Grok Imagine"),
    Model(IMAGE_QUALITY, "Grok Imagine Quality"),
    Model(VIDEO, "Grok Imagine Video", "video"),
    Model(VIDEO_PREVIEW, "Grok Imagine Video 1.5 (preview)", "video"),
)
VIDEO_MODES = VideoModes(
    modes=("text", "image", "reference", "edit", "extend"),
    durations={"text": (1, 15), "image": (1, 15), "reference": (1, 15), "edit": (1, 15), "extend": (2, 10)},
    resolutions=("480p", "720p"),
    aspect_ratios=("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "auto"),
    max_references=MAX_VIDEO_REFERENCES,
    models={"edit": (VIDEO,), "extend": (VIDEO,)},
)
"""A reference clip may be asked for up to 15 s like any other; it is made with at most 10, and a notice says so."""
PRICES = (
    Price(IMAGE, "image", 0.02),
    Price(IMAGE, "input-image", 0.002),
    Price(IMAGE_QUALITY, "image", 0.05, resolution="1k"),
    Price(IMAGE_QUALITY, "image", 0.07, resolution="2k"),
    Price(IMAGE_QUALITY, "input-image", 0.01),
    Price(VIDEO, "second", 0.05, resolution="480p"),
    Price(VIDEO, "second", 0.07, resolution="720p"),
    Price(VIDEO, "input-image", 0.002),
    Price(VIDEO_PREVIEW, "second", 0.08, resolution="480p"),
    Price(VIDEO_PREVIEW, "second", 0.14, resolution="720p"),
    Price("web_search", "search", 0.005),
)
CODES = {
    "MODEL_INVALID": "INVALID_GROK_IMAGE_MODEL",
    "REF_TOO_MANY": "GROK_REF_TOO_MANY",
    "MASK_UNSUPPORTED": "GROK_MASK_UNSUPPORTED",
    "VIDEO_MODEL_INVALID": "INVALID_GROK_VIDEO_MODEL",
    "VIDEO_REF_TOO_MANY": "GROK_VIDEO_REF_TOO_MANY",
    "VIDEO_MODE_INVALID": "GROK_VIDEO_INVALID_MODE",
    "VIDEO_DURATION_INVALID": "INVALID_VIDEO_DURATION",
    "VIDEO_RESOLUTION_INVALID": "INVALID_VIDEO_RESOLUTION",
    "VIDEO_ASPECT_RATIO_INVALID": "INVALID_VIDEO_ASPECT_RATIO",
}


def options(settings: GrokSettings) -> tuple[Option, ...]:
    """What a request may set beyond what all providers know."""
    return (
        Option("webSearch", "flag", "Look facts up before planning", default=True),
        Option("plannerModel", "text", "Model that words the final prompt", default=settings.planner_model),
        Option("storyboard", "flag", "The start picture is a storyboard", default=False, media=("video",)),
        Option("continuity", "list", "Earlier clips that this one continues", default=None, media=("video",)),
    )


def capabilities(settings: GrokSettings) -> Capabilities:
    """The same for both providers; the defaults come from the settings."""
    return Capabilities(
        media=("image", "video"),
        models=MODELS,
        default_model=settings.default_image_model,
        default_video_model=settings.default_video_model,
        sizes=Sizes(listed=LISTED, free=True, auto=True, forms=(GROK_FORM,)),
        max_references=MAX_REFERENCES,
        edit=True,
        mask=False,
        sequence=8,
        links=True,
        video=VIDEO_MODES,
        options=options(settings),
        prices=PRICES,
        code_prefix="GROK",
        codes=CODES,
    )
