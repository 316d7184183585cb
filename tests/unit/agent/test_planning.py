"""What a prompt asks for: commands, counts, comparisons and clips."""

from __future__ import annotations

import pytest

from ima2_plugins.agent.planning import command_of, plan, requested_count, wants_video
from ima2_plugins.agent.values import DEFAULTS


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("three distinct poster variants", 3),
        ("4 versions of a heron", 4),
        ("give me two pictures of a cat", 2),
        ("고양이 그림 세 장", 3),
        ("서로 다른 시안 4개", 4),
        ("세 가지 버전으로 그려줘", 3),
        ("several options for a logo", 3),
        ("여러 장 그려줘", 3),
        ("compare oil and watercolour", 2),
        ("두 화풍을 비교해줘", 2),
        ("2 cats on a roof", None),
        ("고양이 2마리", None),
        ("a heron with 3 feathers and an image of the moon", None),
        ("a street in 1985", None),
    ],
)
def test_a_count_needs_a_counted_noun(words: str, count: int | None) -> None:
    assert requested_count(words) == count


@pytest.mark.parametrize("name", ["v", "n", "variants", "variant", "generate", "gen", "g", "G"])
def test_a_command_forces_the_count(name: str) -> None:
    assert plan(f"/{name} 4 a heron", DEFAULTS).wire()["plannedVariants"] == 4
    assert plan(f"/{name} a heron", DEFAULTS).wire()["plannedVariants"] == 3


def test_an_unknown_command_is_a_prompt_like_any_other() -> None:
    assert command_of("/etc/passwd on a poster").name == ""
    assert plan("/etc/passwd on a poster", DEFAULTS).prompts == ["/etc/passwd on a poster"]


def test_several_takes_are_told_apart_and_bounded() -> None:
    found = plan("six versions of a heron", {**DEFAULTS, "maxAutoVariants": 4, "parallelism": 8}).wire()
    assert (found["mode"], found["requestedVariants"], found["plannedVariants"]) == ("fanout", 6, 4)
    assert found["plannedParallelism"] == 4
    assert len(set(found["prompts"])) == 4
    assert plan("/v 8 a heron", {**DEFAULTS, "quality": "high", "parallelism": 8}).parallelism == 2
    assert plan("/p 3 four versions of a heron", DEFAULTS).parallelism == 3


def test_manual_settings_decide_over_the_words() -> None:
    found = plan("six versions of a heron", {**DEFAULTS, "generationStrategy": "manual", "variants": 2})
    assert (found.count, found.source) == (2, "manual-settings")


@pytest.mark.parametrize(
    ("words", "video"),
    [
        ("animate this for 6 seconds", True),
        ("a video of the sea", True),
        ("이 그림을 애니메이션으로", True),
        ("바다 영상", True),
        ("a poster for a video game", False),
        ("a still life, no video", False),
        ("an animal in the sea", False),
    ],
)
def test_words_that_ask_for_a_clip(words: str, video: bool) -> None:
    assert wants_video(words) is video
    assert (plan(words, DEFAULTS).mode == "video") is video
