"""What becomes of a job whose process went away: by what is written down of it, and by who is there now."""

from __future__ import annotations

from typing import Any

import pytest

from ima2.jobs.record import JobRecord
from ima2.kernel.registry import Registry
from ima2.models import Receipt
from ima2.studio.recovery import judge
from ima2.testing import EchoProvider, FilmProvider

ORDERED: dict[str, Any] = {"ordered_at": 5}
PAID: dict[str, Any] = {**ORDERED, "receipt": Receipt("r")}
KEPT: dict[str, Any] = {**ORDERED, "files": ("a.png",)}
HERE = Registry(providers={"echo": EchoProvider(), "film": FilmProvider()})
AWAY = Registry()


def job(provider: str, media: str, **facts: Any) -> JobRecord:
    request = {"media": media, "request": {"provider": provider}}
    return JobRecord("j", "classic", "", {}, request, 1, "queued", 1, "dead", **facts)


@pytest.mark.parametrize(
    ("facts", "here", "away"),
    [
        ({}, "rerun", "wait"),
        ({"status": "queued", "place": 7}, "rerun", "wait"),
        (ORDERED, "unknown", "unknown"),
        (KEPT, "complete", "wait"),
    ],
)
def test_pictures_run_again_only_when_nothing_was_ordered(facts: dict[str, Any], here: str, away: str) -> None:
    assert judge(job("echo", "image", **facts), HERE) == here
    assert judge(job("echo", "image", **facts), AWAY) == away


def test_what_has_a_number_is_collected_by_who_can_and_waits_for_who_is_away() -> None:
    assert judge(job("film", "video", **PAID), HERE) == "collect"
    assert judge(job("film", "video", **PAID), AWAY) == "wait"
    assert judge(job("echo", "image", **PAID), HERE) == "unknown"


def test_a_features_own_job_is_never_begun_again() -> None:
    assert judge(job("", "own"), HERE) == "close"
    assert judge(job("", "own", **ORDERED), HERE) == "unknown"
