"""Prompts in files: where one begins and ends, and that no file takes long."""

from __future__ import annotations

import time

import pytest

from ima2_plugins.prompts.importing.candidates import SourceFile, candidates, text_hash
from ima2_plugins.prompts.settings import PromptSettings

FOX = "A red fox in the first snow, seen from above, long blue shadows."
OWL = "An owl made of folded paper on a window sill, late sun behind it."


def texts(name: str, text: str) -> list[str]:
    return [row["text"] for row in candidates(SourceFile(name, text), PromptSettings()).candidates]


def test_fences_come_first_and_keep_their_inner_lines() -> None:
    page = f"# One\n\n{FOX}\n\n```prompt\n{OWL}\n\nsecond part\n```\n"
    assert texts("a.md", page) == [f"{OWL}\n\nsecond part", FOX]


def test_a_fence_that_never_ends_stays_part_of_its_section() -> None:
    assert texts("a.md", f"# One\n\n```\n{FOX}\n") == [f"```\n{FOX}"]


def test_badges_pictures_lists_of_links_and_tables_are_no_prompts() -> None:
    noise = (
        "[![build](https://x/y.svg)](https://x)\n<img src='a.png' width=200>\n- [Contents](#contents)\n"
        "| a table | of many words that would be long enough |\n![one](a.png) ![two](b.png)\n"
    )
    assert texts("a.md", f"# Fox\n{noise}{FOX}\n\n# Only noise\n{noise}") == [FOX]


def test_a_hash_inside_a_code_block_is_no_heading() -> None:
    page = f"# One\n{FOX}\n```js\n# no heading at all here\n```\n"
    assert len(texts("a.md", page)) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"{FOX}\n-----\n{OWL}",
        f"{FOX}\n\n{OWL}",
        f"1. {FOX}\n2) {OWL}",
        f"1. {FOX}\n\n2. {OWL}",
    ],
)
def test_plain_text_is_divided_at_the_surest_marks(text: str) -> None:
    assert texts("a.txt", text) == [FOX, OWL]


def test_long_lines_are_prompts_of_their_own_and_else_the_text_is_one() -> None:
    long = [f"{FOX} {word} {OWL}" for word in ("and", "or")]
    assert texts("a.txt", "\n".join(long)) == long
    assert texts("a.txt", f"{FOX}\nat dawn") == [f"{FOX}\nat dawn"]


def test_what_is_left_out_for_its_length_or_number_is_told() -> None:
    page = "\n\n".join([FOX, OWL, "x" * 200])
    found = candidates(SourceFile("a.txt", page), PromptSettings(max_candidate_chars=100, max_candidates_per_file=1))
    assert [row["text"] for row in found.candidates] == [FOX]
    assert found.warnings == ["a.txt: 1 longer than 100 characters left out", "a.txt: only the first 1 of 2 prompts"]


def test_the_hash_of_a_text_leaves_blanks_and_case_aside() -> None:
    assert text_hash(" A  red\tFox ") == text_hash("a red fox")
    assert text_hash("a red fox") != text_hash("a red ox")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "```js\n" * 80_000),
        ("a.md", "`" * 500_000),
        ("a.md", "\n".join("`" * n for n in range(3, 900))),
        ("a.md", "# " + " " * 250_000 + "x" + "#" * 250_000 + "y"),
        ("a.md", "[![a](b) " * 50_000 + "x"),
        ("a.md", "<p " * 150_000),
        ("a.md", "---\n" + "\n---" * 100_000),
        ("a.txt", "1. " * 150_000),
        ("a.txt", "\n \t" * 150_000 + "x"),
    ],
)
def test_no_text_takes_long(name: str, text: str) -> None:
    began = time.process_time()
    texts(name, text[:524_288])
    assert time.process_time() - began < 2.0
