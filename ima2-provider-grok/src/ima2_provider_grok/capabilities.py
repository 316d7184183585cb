"""What Grok Imagine can do, as data. The facts of each model are in `ima2_provider_grok.catalogue`."""

from __future__ import annotations

from ima2 import Capabilities, Option
from ima2_provider_grok.catalogue import (
    CHECKED,
    MAX_REFERENCES,
    MODELS,
    PRICES,
    SIZES,
    VIDEO_MODES,
)
from ima2_provider_grok.settings import GrokSettings

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
_ADDRESS = "an https address or a file id of xAI"


def options(settings: GrokSettings) -> tuple[Option, ...]:
    """What a request may set beyond what all providers know."""
    return (
        Option("webSearch", "flag", "Look facts up before planning", default=True, wire="webSearchEnabled"),
        Option(
            "plannerModel",
            "text",
            "Model that words the final prompt",
            default=settings.planner_model,
            wire="plannerModel",
        ),
        Option("fileIds", "text", "Further input pictures: file ids of xAI, separated by spaces"),
        Option(
            "storyboard",
            "flag",
            "The start picture is a storyboard",
            default=False,
            media=("video",),
            wire="storyboard",
        ),
        Option("continuity", "list", "Earlier clips that this one continues", media=("video",)),
        Option("lastFrame", "text", f"Picture the clip ends on (1.5): {_ADDRESS}", media=("video",)),
        Option(
            "keyframes",
            "list",
            f"Pictures on the way (1.5): image ({_ADDRESS}) and timestamp in seconds",
            media=("video",),
        ),
        Option("sound", "choice", "Sound (1.5)", default="auto", values=("auto", "on", "off"), media=("video",)),
        Option("voices", "list", "Voices of xAI's catalogue (1.5): voiceId of each", media=("video",)),
    )


def capabilities(settings: GrokSettings) -> Capabilities:
    """The same for both providers; the defaults come from the settings."""
    return Capabilities(
        media=("image", "video"),
        models=MODELS,
        default_model=settings.default_image_model,
        default_video_model=settings.default_video_model,
        sizes=SIZES,
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
        text=True,
        catalogue=CHECKED,
    )
