"""The index of curated sources: read when asked for, kept for a day, and failures are never kept."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import ima2
from ima2_plugins.prompts.importing import ranking, sources
from ima2_plugins.prompts.importing.cache_file import CacheFile
from ima2_plugins.prompts.importing.candidates import SourceFile, candidates
from ima2_plugins.prompts.importing.errors import invalid
from ima2_plugins.prompts.importing.github import Place, check_names, repo_path
from ima2_plugins.prompts.importing.remote import GitHub

Source = Mapping[str, Any]
AT_ONCE = 4


class CuratedIndex:
    """Searches the lists. ``approved`` gives those that a person added."""

    def __init__(
        self, github: GitHub, cache: CacheFile, approved: Callable[[], Awaitable[list[dict[str, Any]]]]
    ) -> None:
        self._github, self._cache, self._approved = github, cache, approved

    async def sources(self) -> list[dict[str, Any]]:
        """All lists, the built-in ones first."""
        return [*map(dict, sources.BUILT_IN), *await self._approved()]

    async def search(self, question: str, wanted: Sequence[str], limit: int) -> dict[str, Any]:
        """The best prompts of the named sources, or of the default ones. A source that cannot be read is a warning."""
        known = await self.sources()
        chosen = [one for one in known if (one["id"] in wanted if wanted else one["defaultSearch"])]
        warnings = [f"{name}: curated-source-unavailable" for name in wanted if name not in [s["id"] for s in known]]
        warnings += [f"{one['id']}: curated-source-unavailable" for one in chosen if not sources.readable(one)]
        entries = await self._fresh([one for one in chosen if sources.readable(one)], warnings)
        rows = [row for entry in entries for row in entry["candidates"]]
        most = min(limit, self._github.settings.curated_search_limit)
        results = await asyncio.to_thread(ranking.rank, rows, question, most)
        return {"results": results, "candidates": results, "sources": known, "warnings": warnings}

    async def refresh(self, name: Any) -> dict[str, Any]:
        """Read one source anew, whatever its age. 400 ``INVALID_GITHUB_SOURCE`` without a name."""
        if not isinstance(name, str) or not name:
            raise invalid("sourceId is required.")
        source = next((one for one in await self.sources() if one["id"] == name), None)
        if source is None or not sources.readable(source):
            unread = {"indexedFiles": 0, "candidateCount": 0, "warnings": ["curated-source-unavailable"]}
            return {"source": source, **unread}
        warnings: list[str] = []
        (entry,) = await self._fresh([source], warnings, anew=True)
        counts = {"indexedFiles": entry["files"], "candidateCount": len(entry["candidates"])}
        return {"source": source, **counts, "warnings": warnings}

    async def _fresh(self, chosen: Sequence[Source], warnings: list[str], *, anew: bool = False) -> list[Any]:
        async with self._cache.lock:
            entries = await self._cache.read()
            oldest = 0 if anew else time.time() * 1000 - self._github.settings.index_cache_ttl_ms
            stale = [one for one in chosen if anew or not _good(entries.get(one["id"]), one, oldest)]
            read = await asyncio.gather(*(self._read(one) for one in stale))
            kept = False
            for source, (entry, failures) in zip(stale, read, strict=True):
                warnings += failures
                old = entries.get(source["id"])
                if not failures or not _good(old, source, 0):  # part of a source is better than nothing, but not kept
                    entries[source["id"]] = entry
                kept |= not failures
            if kept:
                await self._keep(entries, warnings)
        return [entries[one["id"]] for one in chosen]

    async def _keep(self, entries: dict[str, dict[str, Any]], warnings: list[str]) -> None:
        whole = {name: entry for name, entry in entries.items() if not entry.get("partial")}
        try:
            await self._cache.write(whole)
        except OSError as error:
            warnings.append(f"the index was not kept: {error.strerror or 'input/output error'}")

    async def _read(self, source: Source) -> tuple[dict[str, Any], list[str]]:
        """The candidates of a source and what could not be read of it."""
        gate = asyncio.Semaphore(AT_ONCE)
        owner, _, repo = source["repo"].partition("/")
        paths = source["allowedPaths"][: self._github.settings.max_repo_index_files]

        async def one(path: str) -> tuple[Place, SourceFile] | str:
            try:
                place = check_names(Place(owner, repo, source["defaultRef"], repo_path(path)))
                async with gate:
                    return place, await self._github.file(place)
            except ima2.Ima2Error as error:
                return f"{path}: {error.text}"

        rows: list[dict[str, Any]] = []
        found = await asyncio.gather(*map(one, paths))
        files = [item for item in found if not isinstance(item, str)]
        for place, file in files:
            rows += await asyncio.to_thread(_indexed, source, place, file, self._github)
        failures = [item for item in found if isinstance(item, str)]
        entry = {"indexedAt": int(time.time() * 1000), "of": _mark(source), "files": len(files), "candidates": rows}
        return ({**entry, "partial": True} if failures else entry), failures


def _mark(source: Source) -> list[str]:
    return [source["repo"], source["defaultRef"], *source["allowedPaths"]]


def _good(entry: Mapping[str, Any] | None, source: Source, oldest: float) -> bool:
    if entry is None or entry.get("of") != _mark(source) or not isinstance(entry.get("candidates"), list):
        return False
    stamp = entry.get("indexedAt")
    return isinstance(stamp, int) and oldest <= stamp <= time.time() * 1000 + 60_000


def _indexed(source: Source, place: Place, file: SourceFile, github: GitHub) -> list[dict[str, Any]]:
    """The candidates of a file with what a search goes by."""
    file_id = f"github:{place.owner}/{place.repo}@{place.ref}:{place.path}"
    content = hashlib.sha256(file.text.encode()).hexdigest()
    more = [f"source:{source['id']}", f"license:{source['licenseSpdx']}", f"trust:{source['trustTier']}"]
    if source["requiresAttribution"]:
        more.append("attribution-required")
    rows = []
    for row in candidates(file, github.settings).candidates:
        parts = (file_id, content, row["headingPath"] or "", str(row["ordinal"]))
        name = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        own = {"id": name, "candidateId": name, "sourceFileId": file_id, "scoreHints": ranking.hints(row["text"])}
        origin = {**row["source"], "sourceId": source["id"]}
        rows.append({**row, **own, "source": origin, "tags": [*row["tags"], *more]})
    return rows
