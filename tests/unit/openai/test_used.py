"""What an answer names as really used, what it cost, and pictures in odd wrappings."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.openai.conftest import Api, Oauth, port_of
from tests.upstreams.asking import all_of, draw, failure, only
from tests.upstreams.responses_stream import TOOL_USAGE
from tests.upstreams.world import World, picture

import ima2
from ima2_plugins.openai import response_reader, sse, transport
from ima2_plugins.openai.pricing import drawing_cost

PNG = ima2.Picture(picture(), "image/png")


async def test_what_the_answer_names_as_used_is_passed_on(api: Api) -> None:
    words = "USEDquality_low USEDsize_1024x1536 USEDbackground_opaque kite"
    artifact = only(await draw(api(), words, format="webp"), ima2.Artifact)
    assert artifact.used == {"quality": "low", "size": "1024x1536", "background": "opaque", "format": "webp"}


async def test_what_it_does_not_name_is_not_made_up(api: Api) -> None:
    assert only(await draw(api()), ima2.Artifact).used == {"format": "png"}


@pytest.mark.parametrize(
    ("served", "told"),
    [("gpt-5.4-mini", None), ("gpt-5.4-mini-2026-03-05", None), ("gpt-5.4", "gpt-5.4"), ("gpt-6-sol", "gpt-6-sol")],
)
async def test_another_model_that_answered_is_named(api: Api, served: str, told: str | None) -> None:
    assert only(await draw(api(), f"USEDmodel_{served} kite"), ima2.Artifact).model == told


async def test_another_drawing_model_is_a_warning_beside_the_picture(api: Api) -> None:
    updates = await draw(api(), "USEDdrawing_gpt-image-2.5-flare kite")
    notice = only(updates, ima2.Notice)
    assert (notice.code, notice.details["used"]) == ("DRAWING_MODEL_DIFFERS", "gpt-image-2.5-flare")
    assert only(updates, ima2.Artifact).facts == {"drawingModel": "gpt-image-2.5-flare"}


async def test_a_snapshot_of_the_drawing_model_is_no_difference(api: Api) -> None:
    updates = await draw(api(), "USEDdrawing_gpt-image-2-2026-04-21 kite")
    assert all_of(updates, ima2.Notice) == []


# -- cost ------------------------------------------------------------------------------------------


async def test_what_drawing_cost_is_computed_from_the_tokens(api: Api) -> None:
    usage = only(await draw(api(), "TOKENS kite", references=(PNG,)), ima2.Usage)
    assert usage.cost == pytest.approx((300 * 5 + 1000 * 8 + 4160 * 30) / 1_000_000)


async def test_a_login_is_paid_by_its_plan_and_names_no_cost(oauth: Oauth, proxy: World) -> None:
    updates = await draw(oauth(proxy_port=port_of(proxy)), "TOKENS kite")
    assert only(updates, ima2.Usage).cost is None


async def test_each_of_several_candidates_has_its_own_use(api: Api) -> None:
    usages = all_of(await draw(api(), "TOKENS kite", count=3), ima2.Usage)
    assert sorted(one.index for one in usages if one.index is not None) == [0, 1, 2]


async def test_the_use_of_a_series_is_that_of_all_its_pictures(api: Api) -> None:
    usage = only(await draw(api(), "TOKENS MULTI2 kite", sequence=2), ima2.Usage)
    assert usage.index is None
    assert usage.cost is not None


NO_DETAILS = {"input_tokens": 100, "output_tokens": 1000}
CACHED = {
    "input_tokens": 100,
    "output_tokens": 0,
    "input_tokens_details": {"text_tokens": 60, "image_tokens": 40},
    "cached_tokens_details": {"cached_text_tokens": 50, "cached_image_tokens": 30},
}


@pytest.mark.parametrize(
    ("model", "used", "pictures", "dollars"),
    [
        ("gpt-image-2", NO_DETAILS, False, (100 * 5 + 1000 * 30) / 1e6),
        ("gpt-image-2", NO_DETAILS, True, None),
        ("gpt-image-2.6-flare", TOOL_USAGE, True, (300 * 5 + 1000 * 8 + 4160 * 30) / 1e6),
        ("gpt-image-2", CACHED, True, (10 * 5 + 50 * 1.25 + 10 * 8 + 30 * 2) / 1e6),
        ("gpt-image-1.5", TOOL_USAGE, True, None),
        ("gpt-image-9", TOOL_USAGE, True, None),
        ("", TOOL_USAGE, True, None),
        ("gpt-image-2", {}, False, None),
        ("gpt-image-2", {"input_tokens": "1", "output_tokens": True}, False, None),
        ("gpt-image-2", {**TOOL_USAGE, "input_tokens_details": {"text_tokens": 1}}, True, None),
        ("gpt-image-2", None, False, None),
    ],
)
def test_a_cost_is_exact_or_unknown(model: str, used: Any, pictures: bool, dollars: float | None) -> None:
    cost = drawing_cost(model, used, pictures_in=pictures)
    assert cost == (None if dollars is None else pytest.approx(dollars))


# -- wrappings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *("DATAHEAD", "LINEBREAKS", "URLSAFE", "NOPAD", "DATAHEAD LINEBREAKS URLSAFE NOPAD"),
        *("NOLABEL", "TEXTLABEL", "JSONLABEL", "BLANKHEAD", "JSONANSWER DATAHEAD", "LATEONLY NOPAD"),
    ],
)
async def test_a_paid_picture_is_taken_in_any_wrapping(api: Api, openai: World, words: str) -> None:
    artifact = only(await draw(api(), f"{words} kite"), ima2.Artifact)
    assert artifact.picture == PNG
    assert len(openai.calls("/responses")) == 1


async def test_a_picture_that_ends_early_is_a_failure_that_keeps_the_bytes(api: Api) -> None:
    error = await failure(api(), "TRUNCATED kite")
    assert (error.code, error.status) == ("PICTURE_INCOMPLETE", 502)
    assert isinstance(error, ima2.MediaError)
    assert picture().startswith(error.data)
    assert len(error.data) > 100


async def test_an_error_with_status_200_is_an_error(api: Api) -> None:
    error = await failure(api(), "QUOTAIN200 kite")
    assert (error.code, error.upstream_code) == ("AUTH_API_KEY_INVALID", "insufficient_quota")
    assert "credit" in error.text


# -- limits ----------------------------------------------------------------------------------------


async def test_limits_hold_for_what_was_compressed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT", 1_000_000)
    error = await failure(api(), "BOMB kite")
    assert (error.code, error.status) == ("RESPONSES_STREAM_ERROR", 502)


async def test_a_stream_has_a_limit_as_a_whole(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER", 1000)
    assert (await failure(api())).code == "RESPONSES_STREAM_ERROR"


async def test_one_json_answer_has_a_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_EVENT", 1000)
    assert (await failure(api(), "JSONANSWER kite")).code == "RESPONSES_STREAM_ERROR"


async def test_a_large_event_is_read_beside_the_loop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(transport, "_LARGE", 100)
    threads: set[str] = set()
    take = response_reader.ResponseReader.take

    def spy(reader: response_reader.ResponseReader, event: dict[str, Any]) -> list[ima2.Update]:
        threads.add(threading.current_thread().name)
        return take(reader, event)

    monkeypatch.setattr(response_reader.ResponseReader, "take", spy)
    assert only(await draw(api()), ima2.Artifact).picture == PNG
    assert threading.main_thread().name not in threads
