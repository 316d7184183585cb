"""Thumbnails of clips."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import ima2
from ima2.testing import FilmProvider, ThumbnailerContract, clip, plugin
from ima2_plugins import video_thumbs


class TestVideoThumbnailer(ThumbnailerContract):
    @pytest.fixture
    def thumbnailer(self) -> ima2.Thumbnailer:
        return video_thumbs.ima2_thumbnailers()[0]

    async def test_a_clip_has_a_small_picture_of_its_first_frame(self, thumbnailer: ima2.Thumbnailer) -> None:
        small = await thumbnailer.thumbnail(clip(1.0, 640, 360))
        assert (ima2.media_type_of(small), ima2.size_of(small)) == ("image/jpeg", (320, 180))
        assert ima2.size_of(await thumbnailer.thumbnail(clip(1.0, 160, 96))) == (160, 96)


async def test_a_new_clip_gets_its_thumbnail(ima2_client: Any) -> None:
    async with ima2_client(film=plugin(providers=[FilmProvider()]), thumbs=video_thumbs) as client:
        body = {"prompt": "a kite", "requestId": "t", "async": True}
        assert (await client.post("/api/video/generate", json=body)).status_code == 202
        items: list[Any] = []
        for _ in range(200):
            items = (await client.get("/api/history")).json()["items"]
            if items and items[0]["thumb"]:
                break
            await asyncio.sleep(0.02)
        thumb = await client.get(items[0]["thumb"])
    assert items[0]["thumb"] == f"/generated/{items[0]['filename']}.thumb.jpg"
    assert ima2.media_type_of(thumb.content) == "image/jpeg"
