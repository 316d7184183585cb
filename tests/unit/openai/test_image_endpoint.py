"""ChatGPT's endpoint for pictures alone: when it is asked, how, and what comes of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.unit.openai.conftest import Oauth, port_of
from tests.upstreams import chatgpt_images
from tests.upstreams.asking import KITE, all_of, draw, failure, only
from tests.upstreams.world import World, picture

import ima2

QUIET = {"webSearch": False}
PNG = ima2.Picture(picture(), "image/png")


def paths(world: World) -> list[str]:
    return [call.path.removeprefix("/backend-api/codex/") for call in world.calls("/codex/")]


async def test_without_search_pictures_are_asked_for_alone(oauth: Oauth, backend: World, auth_file: Path) -> None:
    options = {**QUIET, "background": "transparent"}
    updates = await draw(oauth(backend), size="1536x1024", quality="high", options=options)
    (call,) = backend.calls("/codex/")
    assert call.path.endswith("/images/generations")
    assert call.body == {
        **{"prompt": KITE, "model": "gpt-image-2", "quality": "high", "size": "1536x1024"},
        "background": "transparent",
    }
    assert call.headers["originator"] == "ima2"
    artifact = only(updates, ima2.Artifact)
    assert (artifact.picture.data, artifact.model) == (picture(), "gpt-image-2")
    assert artifact.used == {"quality": "medium", "size": "1536x1024", "background": "opaque", "format": "png"}
    assert only(updates, ima2.Usage).tokens == chatgpt_images.USAGE
    assert all_of(updates, ima2.Notice) == []


async def test_an_edit_sends_its_source_first(oauth: Oauth, backend: World, auth_file: Path) -> None:
    other = ima2.Picture(picture(seed=3), "image/png")
    await draw(oauth(backend), source=PNG, references=(other,), options=QUIET)
    (call,) = backend.calls("/codex/")
    assert call.path.endswith("/images/edits")
    urls = [one["image_url"] for one in call.body["images"]]
    assert [base64.b64decode(url.partition(",")[2]) for url in urls] == [PNG.data, other.data]


async def test_each_call_has_a_turn_of_its_own(oauth: Oauth, backend: World, auth_file: Path) -> None:
    updates = await draw(oauth(backend), count=3, options=QUIET)
    turns = {call.headers["x-codex-image-turn-id"] for call in backend.calls("/images/")}
    assert len(turns) == 3
    assert sorted(one.index for one in all_of(updates, ima2.Artifact)) == [0, 1, 2]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"options": QUIET, "partials": 1},
        {"options": QUIET, "sequence": 2},
        {"options": QUIET, "references": (PNG,) * 6},
        {"options": QUIET, "source": PNG, "references": (PNG,) * 5},
    ],
)
async def test_what_it_cannot_do_goes_to_responses(
    oauth: Oauth, backend: World, auth_file: Path, fields: dict[str, Any]
) -> None:
    await draw(oauth(backend), **fields)
    assert paths(backend) == ["responses"]


async def test_through_a_proxy_responses_are_asked(oauth: Oauth, proxy: World, backend: World, auth_file: Path) -> None:
    await draw(oauth(backend, proxy_port=port_of(proxy)), options=QUIET)
    assert len(proxy.calls("/v1/responses")) == 1
    assert backend.seen == []


async def test_a_setting_chooses_responses(oauth: Oauth, backend: World, auth_file: Path) -> None:
    await draw(oauth(backend, image_transport="responses"), options=QUIET)
    assert paths(backend) == ["responses"]


async def test_a_setting_chooses_pictures_alone_and_says_that_nothing_is_searched(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    updates = await draw(oauth(backend, image_transport="images"))
    assert paths(backend) == ["images/generations"]
    assert only(updates, ima2.Notice).code == "WEB_SEARCH_SKIPPED"


async def test_a_setting_does_not_make_it_do_what_it_cannot(oauth: Oauth, backend: World, auth_file: Path) -> None:
    error = await failure(oauth(backend, image_transport="images"), sequence=2)
    assert (error.code, error.status) == ("IMAGE_ENDPOINT_UNSUPPORTED", 400)
    assert "series" in error.text
    assert backend.seen == []


async def test_it_follows_once_where_responses_refuse_the_tool_even_unnamed(
    oauth: Oauth, backend: World, auth_file: Path
) -> None:
    provider = oauth(backend)
    updates = await draw(provider, "TOOLGONE kite")
    assert paths(backend) == ["responses", "responses", "images/generations"]
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["searched"]) == ("IMAGE_ENDPOINT_USED", False)
    assert only(updates, ima2.Artifact).model == "gpt-image-2"
    await draw(provider, "TOOLGONE kite")
    assert paths(backend)[3:] == ["images/generations"]


async def test_it_follows_where_every_carrier_wants_a_version(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["responses.ended"] = {"gpt-5.4-mini"}
    backend.state["chatgpt.versions"] = {"gpt-5.6-luna": "0.144.0"}
    updates = await draw(oauth(backend))
    assert paths(backend) == ["responses", "responses", "images/generations"]
    assert only(updates, ima2.Artifact).model == "gpt-image-2"


async def test_where_it_cannot_follow_the_refusal_stands(oauth: Oauth, backend: World, auth_file: Path) -> None:
    error = await failure(oauth(backend), "TOOLGONE kite", partials=1)
    assert (error.code, error.status) == ("OAUTH_IMAGE_CAPABILITY_UNAVAILABLE", 422)
    assert paths(backend) == ["responses", "responses"]


async def test_a_refused_token_is_renewed_there_too(oauth: Oauth, backend: World, auth_file: Path) -> None:
    backend.state["chatgpt.access"] = "revoked elsewhere"
    assert all_of(await draw(oauth(backend), options=QUIET, source=PNG), ima2.Artifact)
    assert paths(backend) == ["images/edits", "images/edits"]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        ("FREEPLAN", "INVALID_REQUEST", 403),
        ("REFUSE", "SAFETY_REFUSAL", 422),
        ("FAIL500", "UPSTREAM_5XX", 500),
        ("USAGELIMIT", "USAGE_LIMIT_REACHED", 429),
        ("NOPICTURE", "EMPTY_RESPONSE", 422),
        ("TRUNCATED", "PICTURE_INCOMPLETE", 502),
    ],
)
async def test_its_failures_are_told_like_all_others(
    oauth: Oauth, backend: World, auth_file: Path, words: str, code: str, status: int
) -> None:
    error = await failure(oauth(backend), f"{words} kite", options=QUIET)
    assert (error.code, error.status) == (code, status)
    assert paths(backend) == ["images/generations"]


async def test_more_pictures_than_asked_for_are_counted(oauth: Oauth, backend: World, auth_file: Path) -> None:
    updates = await draw(oauth(backend), "MULTI2 kite", options=QUIET)
    assert len(all_of(updates, ima2.Artifact)) == 1
    assert only(updates, ima2.Notice).code == "EXTRA_IMAGES_IGNORED"
