"""Each version of the CLI is called in the way that it takes, and asked for its version once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.upstreams.agy_cli import records
from tests.upstreams.asking import KITE, draw, failure, only
from tests.upstreams.world import picture

import ima2
from ima2_plugins.agy.invocation import OLD, PLAIN, STREAM, invocation, version_in
from ima2_plugins.agy.provider import AgyProvider
from ima2_plugins.agy.stream import words_of

Providers = Callable[..., AgyProvider]


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("1.0.99", ["-p", "-"]),
        ("1.1.0", ["-p", "-"]),
        ("1.1.1", []),
        ("1.1.7", []),
        ("1.2.0", ["--output-format", "stream-json"]),
        ("2.0.0", ["--output-format", "stream-json"]),
    ],
)
async def test_a_version_is_called_as_it_takes_its_prompt(
    make: Providers, cli: Path, version: str, arguments: list[str]
) -> None:
    (cli / "version").write_text(version)
    artifact = only(await draw(make()), ima2.Artifact)
    assert artifact.picture.data == picture(seed=3)
    (given,) = records(cli)
    assert given["argv"] == arguments
    assert KITE in given["stdin"]


@pytest.mark.parametrize("mode", ["noise", "saved-path", "unprinted", "exit-3-with-result", "child", "loud"])
async def test_a_stream_is_read_as_the_words_it_carries(make: Providers, cli: Path, mode: str) -> None:
    (cli / "version").write_text("1.2.0")
    assert only(await draw(make(mode)), ima2.Artifact).picture.data == picture(seed=3)


@pytest.mark.parametrize(
    ("mode", "code"),
    [("error", "AGY_GENERATION_FAILED"), ("quota", "AGY_QUOTA_EXHAUSTED"), ("talk", "AGY_PARSE_FAILED")],
)
async def test_a_failure_in_a_stream_is_the_same_failure(make: Providers, cli: Path, mode: str, code: str) -> None:
    (cli / "version").write_text("1.2.0")
    assert (await failure(make(mode))).code == code


async def test_a_stream_is_asked_for_only_where_the_cli_offers_it(make: Providers, cli: Path) -> None:
    (cli / "version").write_text("1.2.0")
    (cli / "no-stream").touch()
    assert only(await draw(make()), ima2.Artifact)
    assert records(cli)[0]["argv"] == []


async def test_another_version_in_its_place_is_noticed(make: Providers, cli: Path) -> None:
    provider = make()
    await draw(provider)
    (cli / "version").write_text("1.1.1")
    with (cli / "agy").open("a") as program:
        program.write("# another build\n")
    await draw(provider)
    assert sorted(len(given["argv"]) for given in records(cli)) == [0, 2]


async def test_the_version_is_asked_for_once(make: Providers, cli: Path) -> None:
    provider = make()
    await draw(provider)
    (cli / "version-mode").write_text("fail")
    assert await draw(provider)


async def test_nothing_is_asked_of_a_cli_that_does_not_say_its_version(make: Providers, cli: Path) -> None:
    (cli / "version-mode").write_text("fail")
    error = await failure(make())
    assert (error.code, "agy --version" in error.text) == ("AGY_PROCESS_ERROR", True)
    assert records(cli) == []


async def test_a_version_that_cannot_be_read_is_taken_for_a_current_one(make: Providers, cli: Path) -> None:
    (cli / "version-mode").write_text("wordless")
    (cli / "version").write_text("1.1.5")
    assert await draw(make())


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("1.0.99", (1, 0, 99)),
        ("agy version 1.2.0 (build 7)", (1, 2, 0)),
        ("v2.1", (2, 1, 0)),
        ("agy", None),
        ("", None),
    ],
)
def test_the_version_is_read_out_of_what_is_printed(output: str, version: tuple[int, int, int] | None) -> None:
    assert version_in(output) == version


def test_the_boundaries_are_those_of_the_releases() -> None:
    assert invocation((1, 1, 0)) is OLD
    assert invocation((1, 1, 1)) is PLAIN
    assert invocation((1, 2, 0), "--output-format") is PLAIN
    assert invocation((1, 2, 0), "--output-format text|stream-json") is STREAM
    assert invocation((1, 1, 9), "stream-json") is PLAIN
    assert invocation(None, "stream-json") is PLAIN


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ('{"type":"message","role":"assistant","content":"RESULT|/a.png|png"}', "RESULT|/a.png|png"),
        (
            '{"type":"message","role":"assistant","content":"RES","delta":true}\n{"content":"ULT|x|png","delta":true}',
            "RESULT|x|png",
        ),
        ('{"type":"user","content":"mine"}\nplain\n{"text":"theirs"}', "plain\ntheirs"),
        ('{"response":{"parts":[{"text":"a"},{"text":"b"}]}}\n{broken', "ab\n{broken"),
        ("", ""),
    ],
)
def test_words_are_found_in_the_forms_that_streams_have(output: str, words: str) -> None:
    assert words_of(output) == words
