"""Templates: what they mean, that dice fall the same again, and what happens to requests."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import ima2
import ima2_plugins.prompts as plugin
from ima2.testing import EchoProvider
from ima2.testing import plugin as made_of
from ima2_plugins.prompts.templates.expansion import expand, variants
from ima2_plugins.prompts.templates.lists import Lists
from ima2_plugins.prompts.templates.syntax import wish

LISTS = {
    "place": ["a wood", "a {busy|quiet} street"],
    "light": [f"light {number}" for number in range(5)],
    "deep": ["to __place__"],
    "round": ["__trip__"],
    "trip": ["__round__"],
    "wide": [" ".join(["__wider__"] * 200)],
    "wider": ["word " * 200],
}


def read(name: str) -> list[str]:
    return LISTS[name]


def words(text: str, seed: int = 1, index: int = 0) -> str:
    return expand(text, seed, index, read).prompt


@pytest.mark.parametrize(
    "text",
    [
        "a plain fox",
        '{"json": "with braces"}',
        "open { and } close } and {",
        "a | b",
        "{unclosed | pipe",
        "snake_case_name and __init and __",
        "a\\b",
    ],
)
def test_what_is_no_mark_stays_as_it_is(text: str) -> None:
    assert words(text) == text


def test_a_backslash_takes_a_mark_s_meaning_away() -> None:
    assert words(r"\{a\|b\} \__place\__ \\") == r"{a|b} __place__" + " \\"


def test_each_alternative_comes_about_as_often_as_the_others_and_they_nest() -> None:
    found = Counter(words("{a|b|{c|d}}", seed) for seed in range(600))
    assert set(found) == set("abcd")
    assert min(found["a"], found["b"]) > 150
    assert min(found["c"], found["d"]) > 60
    assert {words("x{|y}", seed) for seed in range(20)} == {"x", "xy"}


def test_lines_of_lists_may_be_templates_themselves() -> None:
    found = {words("going __deep__", seed) for seed in range(60)}
    assert found == {"going to a wood", "going to a busy street", "going to a quiet street"}


def test_the_same_seed_and_index_give_the_same_words_and_others_others() -> None:
    text = "{a|b|c|d} {a|b|c|d} {a|b|c|d} __light__"
    assert words(text, 7, 3) == words(text, 7, 3)
    assert len({words(text, 7, index) for index in range(20)}) > 10
    assert len({words(text, seed, 0) for seed in range(20)}) > 10


def test_the_dice_of_a_seed_never_change_between_versions() -> None:
    assert [words("{a|b|c|d} __light:each__", 42, index) for index in range(3)] == [
        "d light 4",
        "c light 0",
        "a light 1",
    ]


def test_each_line_comes_once_before_any_comes_again() -> None:
    dealt = [words("__light:each__", 5, index) for index in range(10)]
    assert sorted(dealt[:5]) == sorted(dealt[5:]) == LISTS["light"]
    assert dealt[:5] != [words("__light:each__", 6, index) for index in range(5)]
    assert variants("{a|__light:each__} __place__", read) == 5
    assert variants("__light__", read) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("__round__", "TEMPLATE_CYCLE"),
        ("__wide__", "TEMPLATE_TOO_LONG"),
        ("{" * 40 + "a|b" + "}" * 40, "TEMPLATE_TOO_DEEP"),
        ("{|}", "TEMPLATE_EMPTY"),
    ],
)
def test_a_template_that_cannot_be_is_refused(text: str, code: str) -> None:
    with pytest.raises(ima2.Ima2Error) as refused:
        words(text)
    assert refused.value.code == code


def test_only_a_first_line_of_its_own_asks_for_it() -> None:
    found = wish("#template seed=7 index=2\na {b|c}")
    assert found is not None
    assert (found.text, found.seed, found.index) == ("a {b|c}", 7, 2)
    for text in (
        "a {b|c}",
        "# template\nx",
        "x\n#template\ny",
        "#templates\nx",
        "#template seed=x\ny",
        " #template\nx",
    ):
        assert wish(text) is None


@pytest.mark.parametrize("name", ["../secret", "a/b", "..", "", "a\x00b", "_a", "x" * 70, "%2e%2e"])
def test_a_list_of_an_odd_name_is_never_looked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("s")
    lists = Lists(tmp_path / "lists")
    for deed in (lambda: lists.lines(name), lambda: lists.write(name, ["x"]), lambda: lists.delete(name)):
        with pytest.raises(ima2.Ima2Error) as refused:
            deed()
        assert refused.value.code == "TEMPLATE_LIST_NOT_FOUND"
    assert (tmp_path / "secret.txt").read_text() == "s"


def test_a_list_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "out.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ima2.Ima2Error):
        Lists(tmp_path / "lists").lines("out")


async def test_lists_are_written_shown_and_one_broken_one_is_told(ima2_client: Any, tmp_path: Path) -> None:
    async with ima2_client(prompts=plugin) as client:
        base = "/api/prompts/templates/lists"
        written = await client.put(f"{base}/색", json={"lines": ["빨강", " ", "# 파랑"]})
        assert written.json() == {"name": "색", "lines": 1}
        (tmp_path / "home/plugins/prompts/lists/broken.txt").write_bytes(b"\xff\xfe\xff")
        found = (await client.get(base)).json()
        assert (found["lists"], len(found["warnings"])) == ([{"name": "색", "lines": 1}], 1)
        assert (await client.get(f"{base}/색")).json()["lines"] == ["빨강"]
        assert (await client.put(f"{base}/a", json={"lines": []})).json()["code"] == "TEMPLATE_LIST_INVALID"
        assert (await client.delete(f"{base}/색")).status_code == 200
        assert (await client.delete(f"{base}/색")).json()["code"] == "TEMPLATE_LIST_NOT_FOUND"


async def test_a_template_is_shown_without_running_anything(ima2_client: Any) -> None:
    async with ima2_client(prompts=plugin) as client:
        await client.put("/api/prompts/templates/lists/light", json={"lines": ["dawn", "noon", "dusk"]})
        body = {"text": "#template seed=4\nfox at __light:each__"}
        found = (await client.post("/api/prompts/templates/expand", json=body)).json()
        assert (found["seed"], found["variants"]) == (4, 3)
        assert sorted(row["prompt"] for row in found["prompts"]) == ["fox at dawn", "fox at dusk", "fox at noon"]
        second = {"text": "fox at __light:each__", "seed": 4, "index": 1, "count": 1}
        again = (await client.post("/api/prompts/templates/expand", json=second)).json()
        assert again["prompts"] == found["prompts"][1:2]
        wrong = await client.post("/api/prompts/templates/expand", json={"text": "a", "count": 201})
        assert wrong.json()["code"] == "COUNT_INVALID"


async def test_a_request_runs_with_the_words_and_the_template_is_kept_beside_the_result(ima2_client: Any) -> None:
    echo = EchoProvider()
    async with ima2_client(prompts=plugin, echo=made_of(providers=[echo])) as client:
        asked = "#template seed=9\na {red|blue|green} fox"
        body = {"prompt": asked, "provider": "echo"}
        answer = await client.post("/api/generate", json=body)
        assert answer.status_code == 200, answer.text
        shown = (await client.post("/api/prompts/templates/expand", json={"text": asked})).json()["prompts"][0]
        assert echo.asked[0].prompt == shown["prompt"]
        facts = (await client.runtime.library.get(answer.json()["filename"])).facts
        assert (facts["prompt"], facts["user_prompt"]) == (shown["prompt"], asked)
        assert facts["template"] == {"seed": 9, "index": 0, "choices": shown["choices"]}
        plain = {"prompt": "a {red|blue} fox in __place__", "provider": "echo"}
        await client.post("/api/generate", json=plain)
        assert echo.asked[1].prompt == plain["prompt"]


async def test_a_template_that_cannot_be_expanded_sends_nothing(ima2_client: Any) -> None:
    echo = EchoProvider()
    async with ima2_client(prompts=plugin, echo=made_of(providers=[echo])) as client:
        answer = await client.post("/api/generate", json={"prompt": "#template\na __none__", "provider": "echo"})
        assert (answer.status_code, answer.json()["code"]) == (400, "TEMPLATE_LIST_NOT_FOUND")
        assert echo.asked == []


async def test_dice_are_never_sent_as_they_stand_when_another_rule_sets_the_prompt(ima2_client: Any) -> None:
    class Painter(ima2.Policy):
        id = "painter"

        async def rewrite(self, request: Any, label: ima2.Label) -> Any:
            return ima2.ImageRequest(f"in oil: {request.prompt}", request.provider)

    echo = EchoProvider()
    parts = {"echo": made_of(providers=[echo]), "painter": made_of(policies=[Painter()])}
    async with ima2_client(prompts=plugin, **parts) as client:
        answer = await client.post("/api/generate", json={"prompt": "#template\na {b|c}", "provider": "echo"})
        assert (answer.status_code, answer.json()["code"]) == (409, "TEMPLATE_NOT_USED")
        assert echo.asked == []
