"""A refusal by an upstream's moderation, as each kind of request tells it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ima2 import Ima2Error, ImageRequest, Job, Update
from ima2.testing import EchoProvider, picture, plugin

IMAGE = base64.b64encode(picture().data).decode()


class Refusing(EchoProvider):
    """Its upstream's moderation lets nothing through."""

    def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        raise Ima2Error("SAFETY_REFUSAL", 422, "The service refused.", upstream_code="moderation_blocked")


@pytest.mark.parametrize(
    ("path", "more", "code", "status"),
    [
        ("/api/generate", {}, "SAFETY_REFUSAL", 422),
        ("/api/edit", {"image": IMAGE}, "MODERATION_REFUSED", 400),
    ],
)
async def test_only_edits_have_a_code_of_their_own_for_it(
    ima2_client: Any, path: str, more: dict[str, str], code: str, status: int
) -> None:
    async with ima2_client(parts=plugin(providers=[Refusing()])) as client:
        answer = await client.post(path, json={"prompt": "x", "provider": "echo", **more})
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (job["httpStatus"], job["errorCode"]) == (status, code)


async def test_a_sequence_tells_it_on_its_stream(ima2_client: Any) -> None:
    async with ima2_client(parts=plugin(providers=[Refusing()])) as client:
        answer = await client.post("/api/generate/multimode", json={"prompt": "x", "provider": "echo", "maxImages": 2})
    assert '"code":"MODERATION_REFUSED"' in answer.text
    assert '"status":400' in answer.text
