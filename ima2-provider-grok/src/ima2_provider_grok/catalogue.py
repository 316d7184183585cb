"""The models of xAI that this provider knows, as dated data: what each makes, takes and costs, and what became of it.

Sources: docs.x.ai (models page, migration page of 2 November 2026, image and video guides, release notes) and the types
of xai-sdk 1.21.0. Figures that only resellers tell are marked so. What is not known of a model is not claimed of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ima2 import Model, Price, Sizes, VideoModes
from ima2_provider_grok.sizes import GROK_FORM, LISTED

Media = Literal["image", "video", "text"]
CHECKED = "2026-11-25"
"""The day these facts were read: the version of the list."""
IMAGE, IMAGE_QUALITY, IMAGE_2 = "grok-imagine-image", "grok-imagine-image-quality", "grok-imagine-image-2.0"
VIDEO, VIDEO_PREVIEW = "grok-imagine-video", "grok-imagine-video-1.5-preview"
VIDEO_15, VIDEO_LITE = "grok-imagine-video-1.5", "grok-imagine-video-1.5-lite"
PLANNER = "grok-4.3"
MAX_REFERENCES, MAX_REFERENCES_2 = 3, 5
MAX_VIDEO_REFERENCES, MAX_REFERENCE_SECONDS = 7, 10
_DOCS, _SDK, _SEED = "docs.x.ai models", "docs.x.ai models; xai-sdk 1.21.0", "docs.x.ai models of June 2026"

VIDEO_MODES = VideoModes(
    modes=("text", "image", "reference", "edit", "extend"),
    durations={"text": (1, 15), "image": (1, 15), "reference": (1, 15), "edit": (1, 15), "extend": (2, 10)},
    resolutions=("480p", "720p"),
    aspect_ratios=("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "auto"),
    max_references=MAX_VIDEO_REFERENCES,
    models={"edit": (VIDEO,), "extend": (VIDEO,)},
)
"""A reference clip may be asked for up to 15 s like any other; it is made with at most 10, and a notice says so."""
_WITH_1080P = replace(VIDEO_MODES, resolutions=("480p", "720p", "1080p"))
SIZES = Sizes(listed=LISTED, free=True, auto=True, forms=(GROK_FORM,))
MODELS = (
    Model(IMAGE, "Grok Imagine", replacement=IMAGE_2, source=_SDK, checked=CHECKED),
    Model(
        IMAGE_QUALITY,
        "Grok Imagine Quality",
        state="ended",
        ends="2026-11-02",
        replacement=IMAGE_2,
        source="docs.x.ai migration page, 2 November 2026: the name is served by 2.0 at quality low",
        checked=CHECKED,
    ),
    Model(
        IMAGE_2,
        "Grok Imagine 2.0",
        qualities=("auto", "low", "medium"),
        max_references=MAX_REFERENCES_2,
        sizes=SIZES,
        source=_SDK,
        checked=CHECKED,
        classic=False,
    ),
    Model(VIDEO, "Grok Imagine Video", "video", source=_SDK, checked=CHECKED),
    Model(
        VIDEO_PREVIEW,
        "Grok Imagine Video 1.5 (preview)",
        "video",
        state="deprecated",
        replacement=VIDEO_15,
        source=f"{_SEED}; general since 22 June 2026 under another name",
        checked=CHECKED,
    ),
    Model(
        VIDEO_15,
        "Grok Imagine Video 1.5",
        "video",
        source=_SDK,
        checked=CHECKED,
        classic=False,
        video=_WITH_1080P,
    ),
    Model(
        VIDEO_LITE,
        "Grok Imagine Video 1.5 lite",
        "video",
        replacement=VIDEO_15,
        source=_DOCS,
        checked=CHECKED,
        classic=False,
    ),
    Model(PLANNER, "Grok 4.3", "text", replacement="grok-4.6", source=_SDK, checked=CHECKED),
    Model("grok-4.5", "Grok 4.5", "text", replacement="grok-4.6", source=_SDK, checked=CHECKED),
    Model("grok-4.6", "Grok 4.6", "text", source=_SDK, checked=CHECKED),
)
_BY_ID = {model.id: model for model in MODELS}

PRICES = (
    Price(IMAGE, "image", 0.02),
    Price(IMAGE, "input-image", 0.002),
    Price(IMAGE_QUALITY, "image", 0.04, resolution="1k"),
    Price(IMAGE_QUALITY, "image", 0.06, resolution="2k"),
    Price(IMAGE_QUALITY, "input-image", 0.01),
    Price(IMAGE_2, "image", 0.04, "low", "1k"),
    Price(IMAGE_2, "image", 0.06, "low", "2k"),
    Price(IMAGE_2, "image", 0.06, "medium", "1k"),
    Price(IMAGE_2, "image", 0.08, "medium", "2k"),
    Price(VIDEO, "second", 0.05, resolution="480p"),
    Price(VIDEO, "second", 0.07, resolution="720p"),
    Price(VIDEO, "input-image", 0.002),
    *(
        price
        for model in (VIDEO_PREVIEW, VIDEO_15)
        for price in (
            Price(model, "second", 0.08, resolution="480p"),
            Price(model, "second", 0.14, resolution="720p"),
            Price(model, "input-image", 0.01),
        )
    ),
    Price(VIDEO_15, "second", 0.25, resolution="1080p"),
    Price(VIDEO_LITE, "second", 0.02, resolution="480p"),
    Price(VIDEO_LITE, "second", 0.035, resolution="720p"),
    Price("web_search", "search", 0.005),
)
"""List prices in US dollars. Those of 2.0 come from resellers in part; of 1.5-lite is only told that it takes about a
quarter of 1.5. The retired name is billed as 2.0 at quality low, which serves it. What a job really cost is read from
its answer."""


@dataclass(frozen=True, slots=True)
class VideoModel:
    """What one model makes clips from, beyond what all of them take."""

    resolutions: tuple[str, ...] = ("480p", "720p")
    reference_resolutions: tuple[str, ...] = ("480p", "720p")
    needs_picture: bool = False
    """Whether it cannot begin from words alone: it gets an empty canvas."""
    extras: bool = True
    """Whether it takes a last frame, keyframes, voices and a choice of sound."""


VIDEO_MODELS = {
    VIDEO: VideoModel(extras=False),
    VIDEO_PREVIEW: VideoModel(needs_picture=True),
    VIDEO_15: VideoModel(resolutions=_WITH_1080P.resolutions),
    VIDEO_LITE: VideoModel(),
}


def model_of(name: str) -> Model | None:
    """What is known of a model, ``None`` for one that is not in the list."""
    return _BY_ID.get(name)


def replacement_of(name: str) -> str | None:
    """The model that takes the place of one that xAI no longer offers."""
    known = _BY_ID.get(name)
    return known.replacement or None if known else None


def working_models(media: str, without: str = "") -> list[str]:
    """The names that should work, ``without`` the one that just did not."""
    return [one.id for one in MODELS if one.media == media and one.state != "ended" and one.id != without]


def account_model(name: str) -> Model:
    """A model of the account's own list: as the catalogue has it, else by what its name says it makes."""
    known = _BY_ID.get(name)
    if known is not None:
        return replace(known, state="served") if known.state == "deprecated" else known
    media: Media = "video" if "imagine-video" in name else "image" if "imagine" in name else "text"
    return Model(name, name, media, source="xAI's list")
