"""Every way the CLI can fail: its code, the words that clients look for, and nothing it printed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.upstreams.agy_cli import MARKER, records
from tests.upstreams.asking import draw, failure, told
from tests.upstreams.world import picture

import ima2
from ima2_plugins.agy import artifact, failures
from ima2_plugins.agy.output import artifact_path
from ima2_plugins.agy.provider import AgyProvider

Providers = Callable[..., AgyProvider]
ROWS = [
    ("error", "AGY_GENERATION_FAILED", 502, "agy generation failed"),
    ("error-quota", "AGY_QUOTA_EXHAUSTED", 429, "quota"),
    ("quota", "AGY_QUOTA_EXHAUSTED", 429, "quota"),
    ("capacity", "AGY_QUOTA_EXHAUSTED", 429, "quota"),
    ("two-fields", "AGY_MALFORMED_RESULT", 502, "result line"),
    ("no-path", "AGY_MALFORMED_RESULT", 502, "result line"),
    ("talk", "AGY_PARSE_FAILED", 502, "could not parse artifact path from agy"),
    ("nothing", "AGY_PARSE_FAILED", 502, "could not parse artifact path from agy"),
    ("stderr", "AGY_PARSE_FAILED", 502, "could not parse artifact path from agy"),
    ("crash", "AGY_PROCESS_ERROR", 502, "agy exited with code 7"),
    ("crash-talking", "AGY_PARSE_FAILED", 502, "could not parse artifact path from agy"),
    ("killed", "AGY_PROCESS_ERROR", 502, "agy exited"),
    ("outside", "AGY_PATH_REJECTED", 502, "outside"),
    ("dots", "AGY_PATH_REJECTED", 502, "outside"),
    ("link", "AGY_PATH_REJECTED", 502, "link"),
    ("linked-folder", "AGY_PATH_REJECTED", 502, "link"),
    ("fifo", "AGY_PATH_REJECTED", 502, "no plain file"),
    ("folder", "AGY_PATH_REJECTED", 502, "no plain file"),
    ("gone", "AGY_ARTIFACT_NOT_FOUND", 502, "agy artifact not found"),
    ("empty-file", "AGY_GENERATION_FAILED", 502, "empty"),
    ("text-file", "AGY_GENERATION_FAILED", 502, "no PNG, JPEG or WebP"),
    ("huge", "AGY_GENERATION_FAILED", 502, "larger than"),
]


@pytest.mark.parametrize(("mode", "code", "status", "fragment"), ROWS)
async def test_a_failure_has_its_code_and_words_and_leaks_nothing(
    make: Providers, cli: Path, caplog: pytest.LogCaptureFixture, mode: str, code: str, status: int, fragment: str
) -> None:
    caplog.set_level(logging.DEBUG)
    error = await failure(make(mode, max_artifact_bytes=1_000_000), "a secret-kite")
    assert (error.code, error.status) == (code, status)
    assert fragment in error.text
    said = told(error) + caplog.text
    assert MARKER not in said
    assert "secret-kite" not in said
    assert len(records(cli)) == 1


async def test_a_picture_that_ends_early_is_a_failure_that_keeps_what_came(make: Providers) -> None:
    error = await failure(make("half-file"))
    assert isinstance(error, ima2.MediaError)
    assert (error.code, bool(error.data)) == ("PICTURE_INCOMPLETE", True)


def test_every_code_has_its_meaning() -> None:
    assert {code for _, code, _, _ in ROWS} <= set(failures.MEANINGS)
    assert not any(one.again and one.status == 400 for one in failures.MEANINGS.values())


async def test_too_slow_is_a_timeout(make: Providers) -> None:
    error = await failure(make("hang", timeout_ms=500))
    assert (error.code, error.status) == ("AGY_TIMEOUT", 504)
    assert "agy generation timed out" in error.text


async def test_the_jobs_deadline_counts_too(make: Providers) -> None:
    job = ima2.Job("job-1")
    job.deadline -= 899.5
    with pytest.raises(ima2.Ima2Error) as caught:
        [update async for update in make("hang").images(ima2.ImageRequest("a kite", "agy"), job)]
    assert caught.value.code == "AGY_TIMEOUT"


async def test_an_input_given_back_is_no_picture(make: Providers) -> None:
    error = await failure(make("input-back"), references=(ima2.Picture(picture(), "image/png"),))
    assert error.code == "AGY_GENERATION_FAILED"


@pytest.mark.parametrize("command", ["/nowhere/agy", "no-such-agy", "agy --flag"])
async def test_a_missing_cli_is_named_before_anything_is_run(make: Providers, command: str) -> None:
    provider = make(command=command)
    error = await failure(provider)
    assert (error.code, error.status) == ("AGY_PROCESS_ERROR", 502)
    assert "agy process error" in error.text
    assert "IMA2_AGY_COMMAND" in str(provider.problem())


async def test_a_cli_that_cannot_be_started_is_an_error_of_its_own(make: Providers, cli: Path) -> None:
    (cli / "agy").write_text("#!/no/such/interpreter\n")
    assert (await failure(make())).code == "AGY_PROCESS_ERROR"


async def test_a_picture_of_another_user_is_not_taken(make: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    error = await failure(make())
    assert (error.code, "another user" in error.text) == ("AGY_PATH_REJECTED", True)


async def test_a_picture_of_another_run_is_not_found_by_chance(make: Providers, home: Path) -> None:
    old = home / ".gemini" / "antigravity-cli" / "brain" / "other"
    old.mkdir(parents=True)
    (old / "ima2_generated_00.png").write_bytes(picture(seed=9))
    assert (await failure(make("nothing"))).code == "AGY_PARSE_FAILED"


async def test_the_users_folder_may_itself_be_a_link(make: Providers, home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / ".gemini").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert await draw(make())


@pytest.mark.parametrize("named", ["", ".", "/", "a\0b", "//etc/passwd", "~/.ssh/id", "x" * 5000])
def test_odd_names_are_refused(home: Path, named: str) -> None:
    folder = home / ".gemini"
    folder.mkdir()
    with pytest.raises(ima2.Ima2Error) as caught:
        artifact.picture_at(named, folder, 1000)
    assert caught.value.code in ("AGY_PATH_REJECTED", "AGY_ARTIFACT_NOT_FOUND")


@pytest.mark.parametrize(
    ("output", "path"),
    [
        ("RESULT|/a/b.png|png\nERROR|x", "/a/b.png"),
        ("ERROR-free talk\nRESULT|/a|b.png|png", "/a|b.png"),
        ("SAVED_PATH=/x y/z.png", "/x y/z.png"),
        (r"see C:\Users\me\.gemini\a\b.PNG now", "C:/Users/me/.gemini/a/b.PNG"),
        ("made /home/me/artifacts/one.webp, then /home/me/brain/two.png", "/home/me/artifacts/one.webp"),
        ("look at /home/me/pictures/one.png", None),
        ("", None),
    ],
)
def test_the_first_way_that_fits_names_the_path(output: str, path: str | None) -> None:
    assert artifact_path(output) == path
