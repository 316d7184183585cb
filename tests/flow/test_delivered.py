"""As many pictures as were asked for came: nothing of it is called failed, whatever happens afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ima2 import Artifact, Failed, Ima2Error, ImageRequest, Job, Update
from ima2.testing import EchoProvider, picture, plugin

BROKEN = Ima2Error("NETWORK_FAILED", 502, "The connection broke.")


class Breaking(EchoProvider):
    """Hands over so many pictures, then tells and raises what it was given."""

    def __init__(self, pictures: int, told: tuple[int, ...], *, raises: bool) -> None:
        super().__init__()
        self.pictures, self.told, self.raises = pictures, told, raises

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        for index in range(self.pictures):
            yield Artifact(picture(), index=index)
        for index in self.told:
            yield Failed(index, BROKEN)
        if self.raises:
            raise BROKEN


async def answer(ima2_client: Any, provider: EchoProvider, count: int) -> dict[str, Any]:
    async with ima2_client(parts=plugin(providers=[provider])) as client:
        reply = await client.post("/api/generate", json={"prompt": "x", "provider": "echo", "n": count})
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


@pytest.mark.parametrize(("count", "told"), [(1, (0,)), (1, (1,)), (2, (0, 1)), (2, ())])
async def test_a_break_after_the_last_picture_is_a_note(ima2_client: Any, count: int, told: tuple[int, ...]) -> None:
    body = await answer(ima2_client, Breaking(count, told, raises=True), count)
    assert body.get("failures", []) == []
    assert [one["code"] for one in body["warnings"]] == ["ENDED_EARLY"]


async def test_what_did_not_come_is_failed_once_by_its_place(ima2_client: Any) -> None:
    body = await answer(ima2_client, Breaking(2, (1, 2), raises=True), 3)
    assert body["failures"] == [{"index": 2, "code": "NETWORK_FAILED"}]
    assert [one["index"] for one in body["warnings"] if one["code"] == "IMAGE_FAILED"] == [2]
