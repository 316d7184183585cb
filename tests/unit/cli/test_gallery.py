"""``ima2 ls`` and ``ima2 show``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ima2.cli.commands.ls import since_ms
from ima2.cli.names import browser_id
from ima2.media.embed import embed

pytestmark = pytest.mark.usefixtures("alone")


def row(number: int, **more: Any) -> dict[str, Any]:
    name = f"{1_700_000_000_000 + number}_ab{number:04d}_0.png"
    return {
        "filename": name,
        "url": f"/generated/{name}",
        "createdAt": 1_700_000_000_000 + number * 1000,
        "prompt": "p",
        **more,
    }


@pytest.fixture
def paged(stub: Any) -> Callable[[list[dict[str, Any]]], Any]:
    """A gallery that is given out as a real server does: newest first, by a cursor."""

    def fill(rows: list[dict[str, Any]]) -> Any:
        newest = sorted(rows, key=lambda one: (one["createdAt"], one["filename"]), reverse=True)

        def history(asked: Any) -> Any:
            limit, before = int(asked.query.get("limit", 50)), asked.query.get("before")
            left = [
                one
                for one in newest
                if before is None or (one["createdAt"], one["filename"]) < (int(before), asked.query["beforeFilename"])
            ]
            page = left[:limit]
            last = (
                {"before": page[-1]["createdAt"], "beforeFilename": page[-1]["filename"]} if len(left) > limit else None
            )
            return 200, {"items": page, "total": len(newest), "nextCursor": last}

        stub.on("GET /api/history", history)
        return stub

    return fill


def test_ls_is_a_table_in_utc_with_folded_prompts(ima2: Any, paged: Any) -> None:
    paged([row(0, prompt="a\n  b " + "c" * 60, quality="low", size="1x1"), row(1, prompt=None, quality=None)])
    lines = ima2("ls").out.splitlines()
    assert lines[0].split() == ["FILENAME", "Q", "SIZE", "WHEN", "PROMPT"]
    assert "2023-11-14 22:13:20" in lines[3]
    assert lines[3].endswith("a b " + "c" * 41 + "…")


def test_ls_sends_only_what_was_asked_in_order_and_who_asks(ima2: Any, paged: Any) -> None:
    stub = paged([])
    assert "(no history)" in ima2("ls").out
    (asked,) = stub.asked("GET /api/history")
    assert asked.query == {"limit": "20"}
    assert asked.headers["x-ima2-browser-id"] == browser_id()
    ima2("ls", "-n", "3", "--session", "s", "--favorites")
    assert list(stub.requests[-1].query.items()) == [("sessionId", "s"), ("favoritesOnly", "1"), ("limit", "3")]


def test_ls_json_has_the_total_and_the_cursor(ima2: Any, paged: Any) -> None:
    paged([row(number) for number in range(5)])
    answer = ima2("ls", "-n", "2", "--json").json
    assert list(answer) == ["items", "total", "nextCursor"]
    assert [one["createdAt"] for one in answer["items"]] == [1_700_000_004_000, 1_700_000_003_000]
    assert (answer["total"], answer["nextCursor"]["beforeFilename"]) == (5, answer["items"][-1]["filename"])


def test_ls_all_reads_every_page_once(ima2: Any, paged: Any) -> None:
    stub = paged([row(number) for number in range(1203)])
    answer = ima2("ls", "--all", "--json").json
    assert len(answer["items"]) == len({one["filename"] for one in answer["items"]}) == 1203
    assert len(stub.asked("GET /api/history")) == 3
    assert len(ima2("ls", "-n", "700", "--json").json["items"]) == 700


def test_ls_since_takes_spans_and_dates(ima2: Any, paged: Any) -> None:
    assert since_ms("2h", 10_000) == 2_800_000
    assert since_ms("2026-11-20T00:00:00+00:00", 0) == 1_795_132_800_000
    stub = paged([])
    ima2("ls", "--since", "1d")
    assert stub.requests[-1].query["since"].isdigit()
    assert ima2("ls", "--since", "yesterdayish").code == 2


def test_ls_count_must_be_a_number_above_zero(ima2: Any, paged: Any) -> None:
    paged([])
    assert ima2("ls", "-n", "0").code == 2


def test_show_finds_the_exact_name_beyond_the_first_page(ima2: Any, paged: Any) -> None:
    rows = [row(number) for number in range(1203)]
    stub = paged(rows)
    answer = ima2("show", rows[0]["filename"], "--json")
    assert answer.json == rows[0]
    assert stub.requests[-1].headers["x-ima2-browser-id"] == browser_id()


def test_show_prefers_the_exact_name_and_reports_what_is_not_clear(ima2: Any, paged: Any) -> None:
    exact, longer = row(1, filename="cat.png", url="/generated/cat.png"), row(2, filename="bobcat.png")
    paged([exact, longer, row(3)])
    assert ima2("show", "cat.png", "--json").json["filename"] == "cat.png"
    assert ima2("show", "bob", "--json").json["filename"] == "bobcat.png"
    paged([longer, row(2, filename="wildcat.png")])
    unclear = ima2("show", "cat.png", "--json")
    assert (unclear.code, unclear.json["code"]) == (1, "NAME_AMBIGUOUS")
    assert "bobcat.png" in unclear.err
    assert "wildcat.png" in unclear.err


@pytest.mark.parametrize("name", ["png", ".png", "nothing", ""])
def test_show_finds_nothing_by_an_extension_alone(ima2: Any, paged: Any, name: str) -> None:
    paged([row(1)])
    answer = ima2("show", name, "--json")
    assert (answer.code, answer.json["code"]) == (1, "NOT_FOUND")


def test_show_prints_the_facts_and_the_whole_address(ima2: Any, paged: Any) -> None:
    item = row(1, prompt="a fox", quality="high", size="8x8")
    stub = paged([item])
    text = ima2("show", item["filename"]).out
    for token in (item["filename"], "a fox", "high", "8x8", "2023-11-14T22:13:21+00:00", stub.url + item["url"]):
        assert token in text


def test_show_reads_the_metadata_through_the_server(ima2: Any, paged: Any, pixel: Callable[[int], bytes]) -> None:
    item = row(1)
    stub = paged([item])
    stub.on(f"GET {item['url']}", embed(pixel(0), {"prompt": "embedded words", "model": "m-1"}))
    answer = ima2("show", item["filename"], "--metadata", "--json")
    assert answer.json["metadata"]["prompt"] == "embedded words"
    assert "embedded words" in ima2("show", item["filename"], "--metadata").out
    stub.on(f"GET {item['url']}", pixel(0))
    assert ima2("show", item["filename"], "--metadata", "--json").json["metadata"] is None


def test_show_reveal_keeps_its_remark_out_of_the_document(
    ima2: Any, paged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    item = row(1)
    stub = paged([item])
    answer = ima2("show", item["filename"], "--reveal", "--json")
    assert answer.json["filename"] == item["filename"]
    assert stub.url + item["url"] in answer.err
