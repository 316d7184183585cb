"""A repository that a search found: what is told of it, and how promising it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ima2_plugins.prompts.importing.github import Place, check_names

UNLICENSED = "NOASSERTION"
_STARS = ((1000, 20), (100, 12), (10, 5))
_PROMPT_WORDS = (
    "prompt",
    "midjourney",
    "stable diffusion",
    "stable-diffusion",
    "nano banana",
    "gpt-image",
    "text-to-image",
)


def repository(item: Mapping[str, Any], question: str, words: Sequence[str], now: datetime) -> dict[str, Any]:
    """A row of GitHub's answer as a candidate. Raises `ValueError` or `ima2.Ima2Error` for one that is none."""
    owner, repo = str(item["full_name"]).split("/")
    check_names(Place(owner, repo, "main", ""))
    licence = item.get("license")
    told = {
        "id": f"github:{owner}/{repo}",
        "repo": f"{owner}/{repo}",
        "owner": owner,
        "name": repo,
        "fullName": f"{owner}/{repo}",
        "htmlUrl": str(item.get("html_url") or ""),
        "description": str(item.get("description") or "")[:1000],
        "defaultBranch": item.get("default_branch") if isinstance(item.get("default_branch"), str) else None,
        "stars": _count(item.get("stargazers_count")),
        "forks": _count(item.get("forks_count")),
        "openIssues": _count(item.get("open_issues_count")),
        "updatedAt": item.get("updated_at"),
        "pushedAt": item.get("pushed_at"),
        "licenseSpdx": str((licence or {}).get("spdx_id") or "NOASSERTION")
        if isinstance(licence, dict)
        else "NOASSERTION",
        "topics": [topic for topic in item.get("topics") or [] if isinstance(topic, str)],
        "language": item.get("language"),
    }
    points, reasons, warnings = _judge(item, told, words, now)
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    judged = {"score": points, "scoreReasons": reasons, "warnings": warnings, "query": question, "discoveredAt": stamp}
    unseen = {"status": "candidate", "reviewedAt": None, "reviewNotes": None, "approvedSource": None}
    return {**told, **judged, **unseen}


def _judge(
    item: Mapping[str, Any], told: Mapping[str, Any], words: Sequence[str], now: datetime
) -> tuple[int, list[str], list[str]]:
    marks: list[tuple[int, str]] = [(worth, f"stars>{least}") for least, worth in _STARS if told["stars"] > least][:1]
    marks.append((10, "recently-pushed") if _recent(told["pushedAt"], now) else (-6, "stale"))
    marks.append((8, "license") if told["licenseSpdx"] != UNLICENSED else (-8, "no-license"))
    text = " ".join([told["fullName"], told["description"], *told["topics"]]).casefold()
    if any(word.replace("_", " ") in text for word in _PROMPT_WORDS):
        marks.append((14, "prompt-words"))
    marks += [(3, f"query:{word}") for word in dict.fromkeys(words) if word in text]
    flaws = (
        (item.get("archived") or item.get("disabled"), -20, "archived"),
        (item.get("fork"), -4, "fork"),
        (told["defaultBranch"] is None, -10, "no-default-branch"),
        (not told["htmlUrl"].startswith("https://github.com/"), -20, "not-github"),
    )
    marks += [(worth, name) for is_so, worth, name in flaws if is_so]
    warnings = [name for worth, name in marks if worth < 0]
    return sum(worth for worth, _ in marks), [f"{name} {worth:+d}" for worth, name in marks], warnings


def _recent(pushed: Any, now: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(str(pushed))
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return now - moment < timedelta(days=365)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
