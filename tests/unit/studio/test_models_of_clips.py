"""What a model of clips takes by its own declaration, where that is not what its provider declares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ima2 import Ima2Error, Model, Provider, VideoModes, VideoRequest
from ima2.studio.check import check_video
from ima2.testing import FilmProvider

SMALL = VideoModes(("text",), {"text": (1, 15)}, ("480p",), ("auto",), max_references=0)
LARGE = replace(SMALL, durations={"text": (1, 30)}, resolutions=("1080p",))


@pytest.fixture
def provider() -> Provider:
    made = FilmProvider()
    models = (Model("small", "", "video"), Model("large", "", "video", video=LARGE))
    made.capabilities = replace(made.capabilities, models=models, default_video_model="small", video=SMALL, options=())
    return made


@pytest.mark.parametrize(
    ("model", "resolution", "duration"), [("small", "480p", 15), ("", "480p", 5), ("large", "1080p", 30)]
)
def test_a_clip_within_what_its_model_makes_is_taken(
    provider: Provider, model: str, resolution: str, duration: int
) -> None:
    asked = VideoRequest("a boat", provider.id, model, resolution=resolution, duration=duration)
    checked = check_video(asked, provider).request
    assert isinstance(checked, VideoRequest)
    assert (checked.model, checked.resolution, checked.duration) == (model or "small", resolution, duration)


@pytest.mark.parametrize(
    ("model", "resolution", "duration", "code"),
    [
        ("small", "1080p", 5, "VIDEO_RESOLUTION_INVALID"),
        ("", "1080p", 5, "VIDEO_RESOLUTION_INVALID"),
        ("large", "480p", 5, "VIDEO_RESOLUTION_INVALID"),
        ("small", "480p", 16, "VIDEO_DURATION_INVALID"),
        ("large", "1080p", 31, "VIDEO_DURATION_INVALID"),
    ],
)
def test_a_clip_beyond_what_its_model_makes_is_refused(
    provider: Provider, model: str, resolution: str, duration: int, code: str
) -> None:
    asked = VideoRequest("a boat", provider.id, model, resolution=resolution, duration=duration)
    with pytest.raises(Ima2Error) as caught:
        check_video(asked, provider)
    assert caught.value.code == provider.capabilities.code(code)
