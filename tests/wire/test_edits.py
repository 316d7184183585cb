"""Edits: a picture goes in, with a mask or without, and everything that is wrong with either has a code."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from ima2 import Ima2Error
from ima2.testing import EchoProvider, RecordingSink, picture
from tests.wire.painter import ASK, PNG, Painter, parts


def png(mode: str = "RGBA", width: int = 64, height: int = 48, kind: str = "png") -> str:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


EDIT = {**ASK, "image": PNG}
JPEG = base64.b64encode(picture(media_type="image/jpeg").data).decode()
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"prompt": ""}, "INVALID_EDIT_INPUT"),
    ({"image": ""}, "INVALID_EDIT_INPUT"),
    ({"image": 7}, "INVALID_EDIT_IMAGE"),
    ({"prompt": "  "}, "PROMPT_REQUIRED"),
    ({"image": "!"}, "INVALID_EDIT_IMAGE_BASE64"),
    ({"image": "AAAAAAAA"}, "INVALID_EDIT_IMAGE_PNG"),
    ({"mask": ""}, "INVALID_EDIT_MASK"),
    ({"mask": 7}, "INVALID_EDIT_MASK"),
    ({"mask": "!"}, "INVALID_EDIT_MASK_BASE64"),
    ({"mask": "AAAAAAAA"}, "INVALID_EDIT_MASK_PNG"),
    ({"mask": JPEG}, "INVALID_EDIT_MASK_PNG"),
    ({"mask": png("RGB")}, "EDIT_MASK_NO_ALPHA"),
    ({"mask": png("P")}, "EDIT_MASK_NO_ALPHA"),
    ({"mask": png(width=65)}, "EDIT_MASK_DIMENSION_MISMATCH"),
    ({"mask": png(height=49)}, "EDIT_MASK_DIMENSION_MISMATCH"),
    ({"mask": png(), "image": JPEG}, "INVALID_EDIT_IMAGE_PNG"),
    ({"mask": "A" * ((16 << 20) * 4 // 3 + 101)}, "EDIT_MASK_TOO_LARGE"),
    ({"model": "lead"}, "INVALID_IMAGE_MODEL"),
    ({"moderation": "none"}, "INVALID_MODERATION"),
    ({"size": "9x9"}, "INVALID_SIZE"),
]


async def test_what_is_wrong_with_an_edit_has_its_code(ima2_client: Any) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        for wrong, code in WRONG:
            answer = await client.post("/api/edit", json={**EDIT, "requestId": "e-1", **wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, code), str(wrong)[:80]
            assert answer.json()["requestId"] == "e-1"
    assert painter.asked == []


@pytest.mark.parametrize("mask", [png("RGBA"), png("LA"), f"data:image/png;base64,{png()}"], ids=["RGBA", "LA", "URL"])
async def test_a_mask_with_alpha_and_of_the_same_size_reaches_the_provider(ima2_client: Any, mask: str) -> None:
    painter = Painter()
    async with ima2_client(parts=parts(painter)) as client:
        answer = await client.post("/api/edit", json={**EDIT, "mask": mask})
    assert answer.status_code == 200
    asked = painter.asked[0]
    assert (asked.source, asked.plain) == (picture(), True)
    assert asked.mask is not None
    assert base64.b64encode(asked.mask.data).decode() == mask.removeprefix("data:image/png;base64,")


@pytest.mark.parametrize(
    ("able", "more", "code"),
    [
        ({"edit": False}, {}, "PAINTER_EDIT_UNSUPPORTED"),
        ({"mask": False}, {"mask": png()}, "PAINTER_MASK_UNSUPPORTED"),
        ({"mask": False}, {"mask": 7}, "PAINTER_MASK_UNSUPPORTED"),
    ],
)
async def test_a_provider_that_cannot_edit_so_refuses(
    ima2_client: Any, able: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    async with ima2_client(parts=parts(Painter(**able))) as client:
        assert (await client.post("/api/edit", json={**EDIT, **more})).json()["code"] == code


async def test_an_edit_answers_at_once_is_listed_as_classic_and_named_as_an_edit(ima2_client: Any) -> None:
    sink = RecordingSink()
    async with ima2_client(parts=parts(Painter(), sink)) as client:
        answer = (await client.post("/api/edit", json={**EDIT, "requestId": "e-1", "async": True, "n": 3})).json()
        job = (await client.get("/api/inflight?includeTerminal=1")).json()["terminalJobs"][0]
    assert (answer["requestId"], answer["quality"], answer["size"]) == ("e-1", "medium", "1024x1024")
    assert answer["image"].startswith("data:image/png;base64,")
    assert "images" not in answer
    assert (job["kind"], job["meta"]["kind"]) == ("classic", "edit")
    assert job["meta"]["filename"] == answer["filename"]
    assert job["meta"]["imageChars"] == len(answer["image"].partition(",")[2])
    assert all(event.direct for event in sink.events if event.terminal)


@pytest.mark.parametrize(("code", "shown"), [("UPSTREAM_5XX", "RESPONSES_IMAGE_ERROR"), ("OWN", "OWN")])
async def test_a_failed_edit_has_the_code_its_clients_know(ima2_client: Any, code: str, shown: str) -> None:
    async with ima2_client(parts=parts(Painter(lambda request: [Ima2Error(code, 500, "No.")]))) as client:
        answer = await client.post("/api/edit", json=EDIT)
    assert (answer.status_code, answer.json()["code"], answer.json()["upstreamCode"]) == (500, shown, None)


async def test_a_large_source_is_made_smaller_and_the_answer_says_so(ima2_client: Any) -> None:
    echo = EchoProvider()
    out = io.BytesIO()
    Image.effect_noise((800, 800), 90).convert("RGB").save(out, "png")
    large = base64.b64encode(out.getvalue()).decode()
    limit = {"IMA2_MAX_REF_B64_BYTES": str(len(large) - 1)}
    async with ima2_client(parts=parts(echo), environ=limit) as client:
        answer = (await client.post("/api/edit", json={"prompt": "x", "provider": "echo", "image": large})).json()
    assert answer["warnings"][0] == {
        "code": "SOURCE_COMPRESSED",
        "field": "image",
        "normalizedTo": "image/jpeg",
        "reason": "larger-than-the-provider-takes",
    }
    sent = getattr(echo.asked[0].source, "data", b"")
    assert sent.startswith(b"\xff\xd8")
    assert len(sent) < len(out.getvalue())
