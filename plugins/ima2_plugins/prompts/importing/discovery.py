"""Looking for repositories of prompts at GitHub, and remembering what a person thinks of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import ima2
from ima2_plugins.prompts.importing.cache_file import CacheFile
from ima2_plugins.prompts.importing.extraction import EXTENSIONS
from ima2_plugins.prompts.importing.github import repo_path
from ima2_plugins.prompts.importing.remote import GitHub
from ima2_plugins.prompts.importing.repositories import repository
from ima2_plugins.prompts.importing.sources import approved_source

SEEDS = (
    "image generation prompts",
    "gpt-image prompts",
    "nano banana prompts",
    "stable diffusion prompts",
    "midjourney prompts",
    "text-to-image prompt gallery",
)
STATUSES = ("candidate", "approved", "rejected")
MOST_PATHS = 500


class Discovery:
    """The registry of what was found. ``CacheFile`` entries are candidates by ``owner/repo``."""

    def __init__(self, github: GitHub, registry: CacheFile) -> None:
        self._github, self._registry = github, registry
        self._answers: dict[str, tuple[float, dict[str, Any]]] = {}

    async def found(self, status: str = "") -> list[dict[str, Any]]:
        """What was found so far, the best first."""
        rows = (await self._registry.read()).values()
        fitting = [row for row in rows if not status or row.get("status") == status]
        return sorted(fitting, key=lambda row: (-_points(row), str(row.get("repo"))))

    async def approved(self) -> list[dict[str, Any]]:
        """The list entries of approved repositories."""
        rows = [row.get("approvedSource") for row in await self.found("approved")]
        wanted = {"id", "repo", "defaultRef", "allowedPaths", "trustTier", "licenseSpdx", "defaultSearch"}
        return [row for row in rows if isinstance(row, dict) and wanted <= row.keys()]

    async def search(self, question: str, seeds: Sequence[str], limit: int) -> dict[str, Any]:
        """Ask GitHub, and remember. 413 ``GITHUB_DISCOVERY_TOO_MANY_QUERIES``, 429 ``GITHUB_RATE_LIMITED``, 422
        ``GITHUB_DISCOVERY_FAILED``; what fails after the first answer is a warning."""
        settings = self._github.settings
        most = settings.discovery_max_queries
        if len(seeds) > most:
            text = f"More than {most} seeds are too many."
            raise ima2.Ima2Error("GITHUB_DISCOVERY_TOO_MANY_QUERIES", 413, text)
        queries = list(dict.fromkeys(one.strip() for one in (question, *seeds, *SEEDS) if one.strip()))[:most]
        limit = min(limit, settings.discovery_search_limit)
        key = hashlib.sha256(json.dumps([queries, limit]).encode()).hexdigest()
        made_at, known = self._answers.get(key, (0.0, None))
        if known is not None and time.monotonic() - made_at < settings.discovery_cache_ttl_ms / 1000:
            return known
        rows, warnings, rate = await self._ask(queries, question.casefold().split(), limit)
        best = await self._merge(rows, warnings)
        answer = {"candidates": best[:limit], "warnings": warnings, "rateLimit": rate, "cacheKey": key}
        if not warnings:
            self._answers = {**dict(list(self._answers.items())[-20:]), key: (time.monotonic(), answer)}
        return answer

    async def review(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Approve or reject a repository. 400 ``GITHUB_DISCOVERY_REVIEW_INVALID``, 404
        ``GITHUB_DISCOVERY_SOURCE_NOT_FOUND``."""
        repo, status, paths = given.get("repo"), given.get("status"), _paths(given.get("allowedPaths"))
        if not isinstance(repo, str) or status not in STATUSES[1:]:
            raise _invalid("repo and status (approved or rejected) are required.")
        notes = given.get("reviewNotes")
        async with self._registry.lock:
            rows = await self._registry.read()
            row = rows.get(repo)
            if row is None:
                raise ima2.Ima2Error("GITHUB_DISCOVERY_SOURCE_NOT_FOUND", 404, "No search has found this repository.")
            stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            row |= {"status": status, "reviewedAt": stamp}
            row["reviewNotes"] = notes[:500] if isinstance(notes, str) else row.get("reviewNotes")
            source = None
            if status == "approved":
                wants = given.get("defaultSearch") is True
                source = approved_source(row, paths, default_search=wants, checked_at=stamp[:10])
            row["approvedSource"] = source
            await self._registry.write(rows)
        self._answers.clear()
        warnings = ["discovery-requires-paths"] if source is not None and not paths else []
        if source is not None and not row.get("defaultBranch"):
            warnings.append("discovery-default-branch-unsupported")
        return {"candidate": row, "source": source, "warnings": warnings}

    async def _ask(
        self, queries: Sequence[str], words: Sequence[str], limit: int
    ) -> tuple[dict[str, dict[str, Any]], list[str], dict[str, Any] | None]:
        rows: dict[str, dict[str, Any]] = {}
        warnings: list[str] = []
        rate: dict[str, Any] | None = None
        for number, query in enumerate(queries):
            asked = {"q": f"{query} in:name,description", "sort": "stars", "order": "desc", "per_page": limit}
            try:
                status, answer, headers = await self._github.api(f"/search/repositories?{urlencode(asked)}")
                rate = _rate(headers) or rate
                items = _items(status, answer, headers)
            except ima2.Ima2Error as error:
                if number == 0:
                    raise
                warnings.append(f"query {number + 1}: {error.text}")
                if error.code == "GITHUB_RATE_LIMITED":
                    break
                continue
            rows = {**_readable(items, query, words, warnings), **rows}
        return rows, warnings, rate

    async def _merge(self, rows: Mapping[str, dict[str, Any]], warnings: list[str]) -> list[dict[str, Any]]:
        """Into the registry; what a person said of one stays."""
        async with self._registry.lock:
            known = await self._registry.read()
            said = ("status", "reviewedAt", "reviewNotes", "approvedSource")
            for repo, row in rows.items():
                row |= {name: known[repo][name] for name in said if repo in known and name in known[repo]}
            try:
                await self._registry.write({**known, **rows})
            except OSError as error:
                warnings.append(f"what was found was not kept: {error.strerror or 'input/output error'}")
        return sorted(rows.values(), key=lambda row: (-_points(row), row["repo"]))


def _items(status: int, answer: Any, headers: Mapping[str, str]) -> list[Any]:
    if status in (403, 429):
        wait = headers.get("retry-after", "")
        after = float(wait) if wait.isdecimal() and len(wait) < 6 else None
        text = "GitHub answers no more searches for now. A token (github.token) raises the limit."
        raise ima2.Ima2Error("GITHUB_RATE_LIMITED", 429, text, retry_after=after)
    items = answer.get("items") if isinstance(answer, dict) else None
    if status != 200 or not isinstance(items, list):
        raise ima2.Ima2Error("GITHUB_DISCOVERY_FAILED", 422, f"GitHub answered the search with HTTP {status}.")
    return items


def _readable(items: Sequence[Any], query: str, words: Sequence[str], warnings: list[str]) -> dict[str, dict[str, Any]]:
    rows, odd = {}, 0
    for item in items:
        try:
            row = repository(item, query, words, datetime.now(UTC))
        except (ima2.Ima2Error, ValueError, LookupError, TypeError, AttributeError):
            odd += 1
        else:
            rows[row["repo"]] = row
    if odd:
        warnings.append(f"{odd} of GitHub's results could not be read")
    return rows


def _rate(headers: Mapping[str, str]) -> dict[str, Any] | None:
    found = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(one.isdecimal() and len(one) < 16 for one in found):
        return None
    reset = datetime.fromtimestamp(min(int(found[2]), 4_102_444_800), UTC).isoformat().replace("+00:00", "Z")
    return {"limit": int(found[0]), "remaining": int(found[1]), "resetAt": reset}


def _paths(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _invalid("allowedPaths is a list of paths.")
    if len(value) > MOST_PATHS:
        raise ima2.Ima2Error("GITHUB_DISCOVERY_REVIEW_INVALID", 413, f"More than {MOST_PATHS} paths are too many.")
    try:
        paths = [repo_path(one) for one in value]
    except ima2.Ima2Error as error:
        raise _invalid(error.text) from None
    if any("." not in path or path.rpartition(".")[2].lower() not in EXTENSIONS for path in paths):
        raise _invalid("Only .md, .markdown and .txt files are read.")
    return list(dict.fromkeys(paths))


def _points(row: Mapping[str, Any]) -> int:
    points = row.get("score")
    return points if isinstance(points, int) else 0


def _invalid(text: str) -> ima2.Ima2Error:
    return ima2.Ima2Error("GITHUB_DISCOVERY_REVIEW_INVALID", 400, text)
