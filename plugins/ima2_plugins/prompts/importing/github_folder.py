"""A folder of a repository: its files, and the prompts of those that were chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ima2
from ima2_plugins.prompts.importing.candidates import SourceFile, candidates
from ima2_plugins.prompts.importing.errors import nothing_found
from ima2_plugins.prompts.importing.extraction import EXTENSIONS
from ima2_plugins.prompts.importing.github import Place, folder_place, repo_path
from ima2_plugins.prompts.importing.remote import GitHub

AT_ONCE = 4


async def list_folder(given: Mapping[str, Any], github: GitHub) -> dict[str, Any]:
    """The readable files of a folder. 404 ``GITHUB_FOLDER_NOT_FOUND``, 422 for what is no folder."""
    place = folder_place(_input(given))
    files, warnings = _files(await _listing(place, github), place, github)
    return {"source": _origin(place, github), "files": files, "warnings": warnings}


async def preview_folder(given: Mapping[str, Any], github: GitHub) -> dict[str, Any]:
    """The prompts of the files that ``paths`` names. One that fails is a warning, unless all do."""
    wanted, most = given.get("paths"), github.settings.max_folder_preview_files
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise _selection("Choose at least one file.")
    if len(set(wanted)) > most:
        raise ima2.Ima2Error("GITHUB_FOLDER_SELECTION_TOO_LARGE", 413, f"More than {most} files are too many.")
    listed = await list_folder(given, github)
    known = {file["path"]: file for file in listed["files"]}
    if any(path not in known for path in wanted):
        raise _selection("A chosen file is not in the folder.")
    chosen = list(dict.fromkeys(wanted))
    place, gate = folder_place(_input(given)), asyncio.Semaphore(AT_ONCE)

    async def read(path: str) -> SourceFile | ima2.Ima2Error:
        try:
            async with gate:
                return await github.file(replace(place, path=path), "GITHUB_FOLDER_FILE_TOO_LARGE")
        except ima2.Ima2Error as error:
            return error

    found = await asyncio.gather(*map(read, chosen))
    rows, warnings = await asyncio.to_thread(_prompts, chosen, found, github)
    if not rows:
        raise nothing_found()
    answer = {"source": listed["source"], "files": [known[path] for path in chosen]}
    return {**answer, "candidates": rows, "warnings": [*listed["warnings"], *warnings]}


def _prompts(
    paths: Sequence[str], found: Sequence[SourceFile | ima2.Ima2Error], github: GitHub
) -> tuple[list[dict[str, Any]], list[str]]:
    rows: list[dict[str, Any]] = []
    warnings: list[str] = []
    failures = [file for file in found if isinstance(file, ima2.Ima2Error)]
    if len(failures) == len(found):
        raise failures[0]
    for path, file in zip(paths, found, strict=True):
        if isinstance(file, ima2.Ima2Error):
            warnings.append(f"{path}: {file.text}")
            continue
        read = candidates(file, github.settings)
        rows += read.candidates
        warnings += read.warnings or ([] if read.candidates else [f"{path}: no prompt of a usable length"])
    unique = [
        {**row, "id": f"candidate_{n}_{row['id'].rpartition('_')[2]}", "ordinal": n} for n, row in enumerate(rows, 1)
    ]
    return unique, warnings


async def _listing(place: Place, github: GitHub) -> list[Any]:
    status, answer, _ = await github.api(place.api_path())
    if status == 404 and place.ambiguous:
        text = "There is no such folder; the branch may have a slash, which an address cannot tell."
        raise ima2.Ima2Error("AMBIGUOUS_GITHUB_REF", 422, text)
    if status == 404:
        raise ima2.Ima2Error("GITHUB_FOLDER_NOT_FOUND", 404, "There is no such folder at GitHub.")
    if status in (403, 429):
        raise ima2.Ima2Error("GITHUB_RATE_LIMITED", 429, "GitHub lists no more folders for now.")
    if status != 200:
        raise ima2.Ima2Error("GITHUB_FOLDER_UNSUPPORTED", 422, f"GitHub answered with HTTP {status}.")
    if not isinstance(answer, list):
        raise ima2.Ima2Error("GITHUB_FOLDER_UNSUPPORTED", 422, "This is no folder.")
    return answer


def _files(listing: Sequence[Any], place: Place, github: GitHub) -> tuple[list[dict[str, Any]], list[str]]:
    files: list[dict[str, Any]] = []
    warnings: list[str] = []
    for item in listing:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or item.get("type") != "file":
            continue
        if "." not in name or name.rpartition(".")[2].lower() not in EXTENSIONS:
            continue
        try:
            inside = replace(place, path=repo_path(f"{place.path}/{name}".lstrip("/")))
        except ima2.Ima2Error:
            warnings.append(f"{name}: this name cannot be read")
            continue
        files.append(_file(name, item.get("size"), inside, github))
    most = github.settings.max_folder_files
    if len(files) > most:
        warnings.append(f"{place.path or place.repo}: only the first {most} of {len(files)} files")
    return files[:most], warnings


def _file(name: str, size: Any, place: Place, github: GitHub) -> dict[str, Any]:
    size = size if isinstance(size, int) else 0
    large = size > github.settings.max_file_bytes
    return {
        "name": name,
        "path": place.path,
        "extension": place.extension,
        "sizeBytes": size,
        "htmlUrl": place.html_url(),
        "downloadUrl": place.raw_url(github.settings.github_raw_url),
        "selected": False,
        "warnings": ["file-too-large"] if large else [],
    }


def _origin(place: Place, github: GitHub) -> dict[str, Any]:
    names = {"owner": place.owner, "repo": place.repo, "ref": place.ref, "path": place.path}
    return {
        "kind": "github-folder",
        **names,
        "htmlUrl": place.html_url("tree"),
        "apiUrl": github.settings.github_api_url.rstrip("/") + place.api_path(),
        "tags": ["github", f"repo:{place.owner}/{place.repo}", f"ref:{place.ref}"],
        "fromTreeUrl": place.tree,
        "ambiguousTree": place.ambiguous,
    }


def _input(given: Mapping[str, Any]) -> Any:
    source = given.get("source")
    return source.get("input") if isinstance(source, dict) else given.get("input")


def _selection(text: str) -> ima2.Ima2Error:
    return ima2.Ima2Error("GITHUB_FOLDER_SELECTION_EMPTY", 422, text)
