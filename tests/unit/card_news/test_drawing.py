"""Sets are drawn card by card: what fails stops nothing, what was made is never lost, ids lead nowhere else."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from tests.unit.card_news.conftest import Ask, Painter, card, plan

import ima2
from ima2 import read_metadata

REFUSED = ima2.Ima2Error("SAFETY_REFUSAL", 422, "No.")


async def settled(ask: Ask, job_id: str) -> Any:
    """A job once it is over."""
    for _ in range(400):
        job = await ask("GET", f"jobs/{job_id}")
        if job["status"] not in ("queued", "running"):
            return job
        await asyncio.sleep(0.02)
    raise AssertionError("the job did not end")


async def test_a_set_is_drawn_with_the_base_picture_first_and_exactly_its_texts(ask: Ask, painter: Painter) -> None:
    answer = await ask("POST", "generate", plan(card(1), card(2, textFields=[])))
    assert [one["imageFilename"] for one in answer["cards"]] == ["card-01.png", "card-02.png"]
    first, second = sorted(painter.requests, key=lambda one: one.prompt.index("scene"), reverse=False)
    prompts = {"“Head 1”" in one.prompt: one for one in (first, second)}
    assert "Draw no words" in prompts[False].prompt
    assert ima2.size_of(prompts[True].references[0].data) == (1024, 1024)  # type: ignore[union-attr]
    assert answer["manifest"]["topic"] == "the sea"
    assert answer["cards"][0]["altText"] == "Head 1. Body 1."


async def test_two_are_drawn_at_once(ask: Ask, painter: Painter) -> None:
    painter.pause = 0.05
    await ask("POST", "generate", plan(*map(card, range(1, 6))))
    assert painter.most_busy == 2
    await ask("POST", "generate", plan(*map(card, range(1, 4)), setId="cs_one", concurrency=1))
    assert len(painter.requests) == 8


async def test_a_card_that_fails_or_comes_without_a_picture_stops_no_other(ask: Ask, painter: Painter) -> None:
    painter.failures["scene 1"] = REFUSED
    painter.failures["scene 3"] = RuntimeError("secret words")
    answer = await ask("POST", "generate", plan(card(1), card(2, visualPrompt="wordless"), card(3), card(4)))
    codes = [(one["error"] or {}).get("code") for one in answer["cards"]]
    assert codes[:2] == ["SAFETY_REFUSAL", "CARD_NEWS_EMPTY_IMAGE"]
    assert codes[3] is None
    assert [one["status"] for one in answer["cards"]] == ["error", "error", "error", "generated"]
    assert "secret words" not in json.dumps(answer)


async def test_a_card_drawn_again_leaves_all_else_as_it_is(ask: Ask, painter: Painter) -> None:
    await ask("POST", "generate", plan(requestId="rq_1"))
    again = await ask("POST", "cards/card_2/regenerate", {"setId": "cs_test", "requestId": "rq_1", "cards": [card(2)]})
    manifest = again["manifest"]
    assert [one["cardId"] for one in manifest["cards"]] == ["card_1", "card_2", "card_3"]
    assert (manifest["title"], manifest["topic"], manifest["cardCount"]) == ("Harbours", "the sea", 3)
    assert again["cards"][0]["imageFilename"] == "card-02-v2.png"
    ids = {one["requestId"] for one in manifest["cards"]}
    assert len(ids) == 2, "each run has its own id"
    assert (await ask("POST", "cards/card_3/regenerate", {"setId": "cs_test"}))["cards"][0]["headline"] == "Head 3"


async def test_a_card_that_fails_when_drawn_again_keeps_its_picture(ask: Ask, painter: Painter) -> None:
    await ask("POST", "generate", plan())
    painter.failures["scene 1"] = REFUSED
    await ask("POST", "cards/card_1/regenerate", {"setId": "cs_test", "card": card(1)})
    shown = (await ask("GET", "sets/cs_test"))["plan"]["cards"][0]
    assert (shown["imageFilename"], shown["status"], shown["error"]) == ("card-01.png", "error", "No.")


async def test_cards_have_metadata_and_rows_and_the_set_is_a_row(ask: Ask, client: httpx.AsyncClient) -> None:
    await ask("POST", "generate", plan(card(1), sessionId="s_1"))
    data = (await client.get("/generated/cardnews/cs_test/card-01.png")).content
    metadata, _ = read_metadata(data)
    assert metadata is not None
    assert "“Head 1”" in metadata["prompt"]
    rows = (await client.get("/api/history?sessionId=s_1")).json()["items"]
    by_kind = {row["kind"]: row for row in rows}
    assert by_kind["card-news-card"]["setId"] == "cs_test"
    whole = by_kind["card-news-set"]
    assert (whole["title"], whole["url"], whole["thumb"]) == (
        "Harbours",
        "/generated/cardnews/cs_test/card-01.png",
        None,
    )
    assert whole["cards"][0]["headline"] == "Head 1"
    assert (await client.delete("/api/history/cardnews%2Fcs_test%2Fmanifest.json")).status_code == 404


@pytest.mark.parametrize("set_id", ["../x", "a/b", "..", "x" * 121, "ab", 5, "cs_\x00x", "cs é"])
async def test_an_id_that_leads_elsewhere_is_refused_wherever_it_is_written(ask: Ask, set_id: Any) -> None:
    for path in ("generate", "jobs", "cards/card_1/regenerate"):
        answer = await ask("POST", path, plan(card(1), setId=set_id), 400)
        assert answer["error"]["code"] == "CARD_NEWS_BAD_SET_ID"
    assert (await ask("POST", "draft", {"setId": set_id}, 400))["error"]["code"] == "CARD_NEWS_BAD_SET_ID"


@pytest.mark.parametrize("path", ["..%2Fx", "a%2Fb", "cs_none", "..%2F..%2Fx/manifest", "cs_no/export"])
async def test_a_set_that_is_none_is_not_found(ask: Ask, path: str) -> None:
    assert (await ask("GET", f"sets/{path}", status=404))["error"]["code"] == "CARD_NEWS_SET_NOT_FOUND"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"cards": []}, "CARD_NEWS_CARDS_REQUIRED"),
        ({"cards": [card(1, locked=True)]}, "CARD_NEWS_CARDS_REQUIRED"),
        ({"cards": [card(1), card(1)]}, "CARD_NEWS_BAD_CARD"),
        ({"cards": ["x"]}, "CARD_NEWS_BAD_CARD"),
        ({"cards": [card(1, id="../x")]}, "CARD_NEWS_BAD_CARD"),
        ({"cards": [card(1, textFields=[{"text": 1}])]}, "CARD_NEWS_BAD_CARD"),
        ({"cards": [card(1, references=[1])]}, "CARD_NEWS_BAD_CARD"),
        ({"cards": [card(n) for n in range(1, 30)]}, "CARD_NEWS_TOO_MANY_CARDS"),
        ({"provider": "planner"}, "CARD_NEWS_REFERENCES_UNSUPPORTED"),
        ({"provider": "nobody"}, "UNKNOWN_PROVIDER"),
        ({"imageTemplateId": "no-such"}, "CARD_NEWS_TEMPLATE_NOT_FOUND"),
    ],
)
async def test_what_is_wrong_with_a_set_is_said_before_anything_is_drawn(
    ask: Ask, painter: Painter, bad: dict[str, Any], code: str
) -> None:
    body = {**plan(), **bad}
    answers = [await ask("POST", path, body, 404 if "no-such" in str(bad) else 400) for path in ("generate", "jobs")]
    assert {one["error"]["code"] for one in answers} == {code}
    assert painter.requests == []


async def test_a_job_is_in_flight_under_its_set_and_ends_with_its_cards(
    ask: Ask, client: httpx.AsyncClient, painter: Painter
) -> None:
    painter.pause = 0.1
    body = plan(card(1), card(2, locked=True))
    del body["setId"]
    job = await ask("POST", "jobs", body, 202)
    assert job["setId"].startswith("cs_")
    kinds = set()
    for _ in range(20):
        rows = (await client.get("/api/inflight")).json()["jobs"]
        kinds |= {row["kind"] for row in rows}
        await asyncio.sleep(0.01)
    assert kinds == {"card-news", "card-news-card"}
    ended = await settled(ask, job["jobId"])
    assert (ended["status"], ended["generated"], [one["status"] for one in ended["cards"]]) == (
        "done",
        1,
        ["generated", "skipped"],
    )


async def test_failed_cards_are_drawn_again_and_join_the_others(ask: Ask, painter: Painter) -> None:
    painter.failures["scene 2"] = REFUSED
    job = await settled(ask, (await ask("POST", "jobs", plan(), 202))["jobId"])
    assert (job["status"], job["errors"]) == ("partial", 1)
    assert (await ask("POST", f"jobs/{job['jobId']}/retry", {"cardIds": ["card_1"]}, 202))["status"] == "partial"
    painter.failures.clear()
    await ask("POST", f"jobs/{job['jobId']}/retry", {}, 202)
    assert (await settled(ask, job["jobId"]))["status"] == "done"
    manifest = await ask("GET", "sets/cs_test/manifest")
    assert [one["status"] for one in manifest["cards"]] == ["generated"] * 3
    assert len(painter.requests) == 4


async def test_a_job_that_is_stopped_says_so_and_keeps_what_was_drawn(
    ask: Ask, client: httpx.AsyncClient, painter: Painter
) -> None:
    painter.slow = "scene 2"
    job = await ask("POST", "jobs", plan(card(1), card(2), concurrency=1), 202)
    for _ in range(200):
        if (await ask("GET", f"jobs/{job['jobId']}"))["generated"]:
            break
        await asyncio.sleep(0.02)
    assert (await client.delete(f"/api/inflight/{job['requestId']}")).json()["active"]
    ended = await settled(ask, job["jobId"])
    assert [one["status"] for one in ended["cards"]] == ["generated", "error"]
    assert ended["cards"][1]["error"]["code"] == "GENERATION_CANCELED"
    assert [one["cardId"] for one in (await ask("GET", "sets/cs_test/manifest"))["cards"]] == ["card_1"]


async def test_a_set_can_be_taken_along_as_one_file(ask: Ask, client: httpx.AsyncClient, painter: Painter) -> None:
    painter.failures["scene 2"] = REFUSED
    await ask("POST", "generate", plan())
    told = await ask("POST", "export", {"setId": "cs_test"}, 202)
    answer = await client.get(told["url"])
    assert answer.headers["content-disposition"] == 'attachment; filename="cs_test.zip"'
    whole = zipfile.ZipFile(io.BytesIO(answer.content))
    assert sorted(whole.namelist()) == ["card-01.png", "card-03.png", "manifest.json", "texts.md"]
    words = whole.read("texts.md").decode()
    assert "## 1. Head 1\n\nBody 1\n\nOn the picture: Head 1\n\n![Head 1. Body 1.](card-01.png)" in words
    assert "Without a picture: No." in words
    assert json.loads(whole.read("manifest.json"))["cardCount"] == 3
    assert (await ask("POST", "export", {}, 400))["error"]["code"] == "CARD_NEWS_SET_REQUIRED"


async def test_a_manifest_that_is_broken_or_odd_hides_no_other_set(ask: Ask, client: httpx.AsyncClient) -> None:
    await ask("POST", "generate", plan(card(1)))
    storage = client.runtime.library.storage  # type: ignore[attr-defined]
    await storage.put("cardnews/cs_broken/manifest.json", b"{")
    await storage.put("cardnews/cs_odd/manifest.json", b'{"cards": [1, {"cardId": 2}], "createdAt": "x"}')
    assert [one["setId"] for one in (await ask("GET", "sets"))["sets"]] == ["cs_test", "cs_odd"]


async def test_pictures_of_the_gallery_and_sent_ones_are_references(ask: Ask, painter: Painter) -> None:
    await ask("POST", "generate", plan(card(1)))
    await ask("POST", "generate", plan(card(1, references=["cardnews/cs_test/card-01.png"]), setId="cs_two"))
    assert len(painter.requests[-1].references) == 2
    lost = await ask("POST", "generate", plan(card(1, references=["gone.png"])), 404)
    assert lost["error"]["code"] == "CARD_NEWS_REFERENCE_NOT_FOUND"
