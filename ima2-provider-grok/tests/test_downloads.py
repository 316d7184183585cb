"""Downloads: what is fetched, and what is not. The guard itself is the host's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstreams.asking import KITE, draw, failure, only
from tests.upstreams.world import World, picture

import ima2


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ima2_provider_grok.fetching.LATE_SECONDS", 1.5)


@pytest.mark.parametrize("kind", ["notype", "mismatch", "redirect", "broken503", "late"])
async def test_a_picture_arrives_whatever_it_is_called(api: Any, kind: str) -> None:
    made = only(await draw(api(), f"{KITE} media:{kind}"), ima2.Artifact)
    assert made.picture.media_type == "image/jpeg"


async def test_an_address_that_stays_unknown_is_given_up_after_a_while_and_named(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} media:missing")
    assert (error.code, error.status) == ("GROK_IMAGE_DOWNLOAD_FAILED", 502)
    assert len(world.calls("xai-media")) >= 3
    assert error.details["providerUrl"] == f"{world.base_url}/xai-media/missing/1.jpeg"
    assert "Try again" not in error.text


async def test_a_file_that_ends_early_is_asked_for_again_and_then_is_no_picture(api: Any, world: World) -> None:
    error = await failure(api(), f"{KITE} media:half")
    assert isinstance(error, ima2.MediaError)
    assert (error.code, error.status) == ("PICTURE_INCOMPLETE", 502)
    assert error.data == picture(fmt="JPEG", seed=1)[:-40]
    assert len(world.calls("xai-media")) == 4


@pytest.mark.parametrize("kind", ["html", "blank", "private", "elsewhere", "loop", "announced", "streamed"])
async def test_what_is_no_picture_or_not_allowed_is_one_error(api: Any, world: World, kind: str) -> None:
    error = await failure(api(), f"{KITE} media:{kind}")
    assert (error.code, error.status) == ("GROK_IMAGE_DOWNLOAD_FAILED", 502)
    assert len(world.calls("xai-media")) == (4 if kind in ("loop", "blank") else 1)
