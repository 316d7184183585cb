"""Imports from GitHub, curated lists and discovery, against a fake of GitHub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.upstreams import github
from tests.upstreams.world import World, running

import ima2_plugins.prompts as plugin

FOX = "A red fox in the first snow, seen from above, long blue shadows."
OWL = "An owl made of folded paper on a window sill, nano banana, late sun."
PICO, AIMI = "PicoTrex/Awesome-Nano-Banana-images", "aimikoda/nano-banana-pro-prompts"
URL = "/api/prompts/import/"


@pytest.fixture
def world() -> Any:
    world = World()
    with running(world, github.routes(world)):
        yield world


@pytest.fixture
async def client(ima2_client: Any, world: World) -> AsyncIterator[Any]:
    environ = {**github.environment(world.base_url), "IMA2_PROMPT_IMPORT_FETCH_TIMEOUT_MS": "1000"}
    async with ima2_client(prompts=plugin, environ=environ) as client:
        yield client


async def ask(client: Any, path: str, body: Any) -> tuple[int, Any]:
    answer = await client.post(URL + path, json=body)
    return answer.status_code, answer.json()


async def code(client: Any, path: str, body: Any) -> tuple[int, str]:
    status, answer = await ask(client, path, body)
    return status, answer["error"]["code"]


async def test_a_file_at_github_is_looked_into_and_kept(client: Any, world: World) -> None:
    github.repositories(world)["o/r"] = {"a/b.md": f"# Fox\n{FOX}\n".encode() + b"\xff"}
    status, found = await ask(client, "preview", {"source": {"kind": "github", "input": "o/r:a/b.md"}})
    (one,) = found["candidates"]
    assert (status, one["name"], one["source"]["htmlUrl"]) == (200, "Fox", "https://github.com/o/r/blob/main/a/b.md")
    assert one["tags"] == ["github", "repo:o/r", "ref:main", "file:b.md", "ext:md"]
    _, counts = await ask(client, "commit", {"candidates": [one, {"text": "short"}, 7]})
    assert (counts["promptsImported"], counts["imported"], len(counts["skipped"])) == (1, 1, 2)
    _, again = await ask(client, "commit", {"candidates": [one]})
    assert (again["promptsImported"], again["duplicatesSkipped"]) == (0, 1)


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        ("none.md", 422, "REMOTE_FETCH_FAILED"),
        ("MOVED.md", 422, "REMOTE_FETCH_FAILED"),
        ("HANG.md", 504, "REMOTE_FETCH_TIMEOUT"),
        ("large.md", 413, "REMOTE_FILE_TOO_LARGE"),
    ],
)
async def test_a_file_that_does_not_come_is_told(
    client: Any, world: World, name: str, status: int, expected: str
) -> None:
    github.repositories(world)["o/r"] = {"large.md": b"x" * 600_000}
    source = {"source": {"kind": "github", "input": f"o/r:{name}"}}
    assert await code(client, "preview", source) == (status, expected)


async def test_github_out_of_reach_is_502(ima2_client: Any) -> None:
    closed = github.environment("http://127.0.0.1:1")
    async with ima2_client(prompts=plugin, environ=closed) as client:
        source = {"source": {"kind": "github", "input": "o/r:a.md"}}
        assert await code(client, "preview", source) == (502, "REMOTE_FETCH_FAILED")
        assert await code(client, "discovery-search", {"q": "x"}) == (502, "REMOTE_FETCH_FAILED")
        assert await code(client, "folder-files", {"input": "o/r:a"}) == (502, "REMOTE_FETCH_FAILED")


async def test_a_folder_is_listed_and_its_files_are_read_one_failure_aside(client: Any, world: World) -> None:
    files = {"p/a.md": f"# Fox\n{FOX}".encode(), "p/b.txt": OWL.encode(), "p/MOVED.md": b"x", "p/c.png": b"x"}
    github.repositories(world)["o/r"] = {**files, "p/deeper/d.md": b"x"}
    source = {"source": {"input": "https://github.com/o/r/tree/main/p"}}
    status, listed = await ask(client, "folder-files", source)
    assert (status, [one["path"] for one in listed["files"]]) == (200, ["p/a.md", "p/b.txt", "p/MOVED.md"])
    chosen = {**source, "paths": ["p/a.md", "p/b.txt", "p/MOVED.md"]}
    status, found = await ask(client, "folder-preview", chosen)
    assert (status, [one["text"] for one in found["candidates"]]) == (200, [FOX, OWL])
    assert len({one["id"] for one in found["candidates"]}) == 2
    assert found["warnings"] == ["p/MOVED.md: p/MOVED.md has moved elsewhere."]


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"input": "o/r:none", "paths": ["a.md"]}, 404, "GITHUB_FOLDER_NOT_FOUND"),
        ({"input": "https://github.com/o/r/tree/main/x/y", "paths": ["a.md"]}, 422, "AMBIGUOUS_GITHUB_REF"),
        ({"input": "o/r:p/a.md", "paths": ["a.md"]}, 422, "GITHUB_FOLDER_UNSUPPORTED"),
        ({"input": "o/r:p", "paths": []}, 422, "GITHUB_FOLDER_SELECTION_EMPTY"),
        ({"input": "o/r:p", "paths": ["../x.md"]}, 422, "GITHUB_FOLDER_SELECTION_EMPTY"),
        ({"input": "o/r:p", "paths": [f"p/{n}.md" for n in range(21)]}, 413, "GITHUB_FOLDER_SELECTION_TOO_LARGE"),
        ({"input": "o/r:p", "paths": ["p/big.md"]}, 413, "GITHUB_FOLDER_FILE_TOO_LARGE"),
    ],
)
async def test_a_folder_that_cannot_be_read_is_told(
    client: Any, world: World, body: Any, status: int, expected: str
) -> None:
    github.repositories(world)["o/r"] = {"p/a.md": b"x", "p/big.md": b"x" * 600_000}
    assert await code(client, "folder-preview", body) == (status, expected)


async def test_curated_lists_are_read_once_searched_and_ranked(client: Any, world: World, tmp_path: Path) -> None:
    files = github.repositories(world)
    files[PICO] = {"README_en.md": f"# Fox\n{FOX}\n# Owl\n{OWL}".encode(), "README.md": b"nothing"}
    files[AIMI] = {"README.md": f"# Fox and more\n{FOX} And a second fox.".encode()}
    status, found = await ask(client, "curated-search", {"q": "fox"})
    assert (status, [one["name"] for one in found["results"]]) == (200, ["Fox", "Fox and more"])
    assert found["candidates"] == found["results"]
    best = found["results"][0]
    assert (best["score"], best["source"]["sourceId"]) == (18 + 5 + 5, "picotrex-nano-banana")
    assert {"trust:curated", "license:Apache-2.0", "attribution-required"} <= set(best["tags"])
    asked = len(world.seen)
    _, owls = await ask(client, "curated-search", {"q": "nano-banana owl", "sourceIds": ["picotrex-nano-banana"]})
    assert owls["results"][0]["name"] == "Owl"
    assert owls["results"][0]["scoreHints"]["modelHints"] == ["nano-banana"]
    assert len(world.seen) == asked
    assert (tmp_path / "home" / "prompt-import-index.json").stat().st_mode & 0o077 == 0


async def test_a_list_that_cannot_be_read_is_a_warning_and_is_asked_again(client: Any, world: World) -> None:
    github.repositories(world)[PICO] = {"README_en.md": f"# Fox\n{FOX}".encode()}
    _, found = await ask(client, "curated-search", {"q": "fox"})
    assert [one["name"] for one in found["results"]] == ["Fox"]
    assert len(found["warnings"]) == 2
    github.repositories(world)[PICO]["README.md"] = f"# Owl\n{OWL}".encode()
    github.repositories(world)[AIMI] = {"README.md": b"nothing"}
    _, found = await ask(client, "curated-search", {"q": "owl"})
    assert ([one["name"] for one in found["results"]], found["warnings"]) == (["Owl"], [])


async def test_a_refresh_says_what_it_read(client: Any, world: World) -> None:
    github.repositories(world)[AIMI] = {"README.md": f"# Fox\n{FOX}".encode()}
    _, fresh = await ask(client, "curated-refresh", {"sourceId": "aimikoda-nano-banana-pro"})
    assert (fresh["indexedFiles"], fresh["candidateCount"], fresh["warnings"]) == (1, 1, [])
    for name in ("midjourney-awesome-manual", "none"):
        _, none = await ask(client, "curated-refresh", {"sourceId": name})
        assert (none["candidateCount"], none["warnings"]) == (0, ["curated-source-unavailable"])
    assert await code(client, "curated-refresh", {}) == (400, "INVALID_GITHUB_SOURCE")


@pytest.mark.parametrize(
    "content", [b"no json", b"[]", b'{"sources": 7}', b'{"sources": {"aimikoda-nano-banana-pro": 3}}']
)
async def test_a_damaged_index_is_made_anew(client: Any, world: World, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "home" / "prompt-import-index.json").write_bytes(content)
    github.repositories(world)[AIMI] = {"README.md": f"# Fox\n{FOX}".encode()}
    body = {"q": "fox", "sourceIds": ["aimikoda-nano-banana-pro"]}
    _, found = await ask(client, "curated-search", body)
    assert [one["name"] for one in found["results"]] == ["Fox"]


async def test_one_damaged_row_of_the_index_never_hides_the_others(client: Any, world: World, tmp_path: Path) -> None:
    github.repositories(world)[AIMI] = {"README.md": f"# Fox\n{FOX}\n# Owl\n{OWL}".encode()}
    body = {"q": "", "sourceIds": ["aimikoda-nano-banana-pro"]}
    await ask(client, "curated-search", body)
    file = tmp_path / "home" / "prompt-import-index.json"
    stored = json.loads(file.read_bytes())
    del stored["sources"]["aimikoda-nano-banana-pro"]["candidates"][0]["scoreHints"]
    file.write_text(json.dumps(stored))
    _, found = await ask(client, "curated-search", body)
    assert [one["name"] for one in found["results"]] == ["Owl"]


async def test_repositories_are_found_judged_and_remembered(client: Any, world: World) -> None:
    old = github.row("x/old", stargazers_count=0, pushed_at="2020-01-01T00:00:00Z", license=None, archived=True)
    world.state["github.results"] = [old, github.row("o/fox-prompts"), {"full_name": "../.."}, "odd"]
    status, found = await ask(client, "discovery-search", {"q": "fox", "seeds": ["gallery"], "limit": 10})
    assert (status, [one["repo"] for one in found["candidates"]]) == (200, ["o/fox-prompts", "x/old"])
    assert found["candidates"][0]["score"] == 20 + 10 + 8 + 14 + 3
    assert found["candidates"][1]["warnings"] == ["stale", "no-license", "archived"]
    assert found["rateLimit"] == {"limit": 10, "remaining": 7, "resetAt": "2026-11-26T01:53:20Z"}
    assert world.state["github.queries"][:2] == ["fox in:name,description", "gallery in:name,description"]
    assert len(world.state["github.queries"]) == 5
    assert world.seen[0].headers["user-agent"] == "ima2-prompt-import-discovery"
    remembered = (await client.get(URL + "discovery")).json()["candidates"]
    assert [one["repo"] for one in remembered] == ["o/fox-prompts", "x/old"]


async def test_an_approved_repository_becomes_a_list_and_stays_so(client: Any, world: World) -> None:
    world.state["github.results"] = [github.row("o/r")]
    github.repositories(world)["o/r"] = {"docs/fox.md": f"# Fox\n{FOX}".encode()}
    await ask(client, "discovery-search", {"q": "fox"})
    review = {"repo": "o/r", "status": "approved", "allowedPaths": ["docs/fox.md"], "reviewNotes": "good"}
    _, reviewed = await ask(client, "discovery-review", review)
    assert (reviewed["source"]["trustTier"], reviewed["warnings"]) == ("reviewed", [])
    lists = (await client.get(URL + "curated-sources")).json()["sources"]
    assert [one["id"] for one in lists][-1] == "github:o/r"
    _, found = await ask(client, "curated-search", {"q": "fox", "sourceIds": ["github:o/r"]})
    assert [one["name"] for one in found["results"]] == ["Fox"]
    await ask(client, "discovery-search", {"q": "another"})
    assert len((await client.get(URL + "discovery", params={"status": "approved"})).json()["candidates"]) == 1
    await ask(client, "discovery-review", {"repo": "o/r", "status": "rejected"})
    assert len((await client.get(URL + "curated-sources")).json()["sources"]) == 6


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        ("discovery-search", {"seeds": list("abcdef")}, 413, "GITHUB_DISCOVERY_TOO_MANY_QUERIES"),
        ("discovery-search", {"q": "LIMITED"}, 429, "GITHUB_RATE_LIMITED"),
        ("discovery-search", {"q": "BROKEN"}, 422, "GITHUB_DISCOVERY_FAILED"),
        ("discovery-search", {"q": "HANG"}, 504, "REMOTE_FETCH_TIMEOUT"),
        ("discovery-review", {"repo": "o/r"}, 400, "GITHUB_DISCOVERY_REVIEW_INVALID"),
        ("discovery-review", {"repo": "o/r", "status": "approved"}, 404, "GITHUB_DISCOVERY_SOURCE_NOT_FOUND"),
        (
            "discovery-review",
            {"repo": "o/r", "status": "approved", "allowedPaths": ["../a.md"]},
            400,
            "GITHUB_DISCOVERY_REVIEW_INVALID",
        ),
        (
            "discovery-review",
            {"repo": "o/r", "status": "approved", "allowedPaths": ["a.md"] * 501},
            413,
            "GITHUB_DISCOVERY_REVIEW_INVALID",
        ),
    ],
)
async def test_a_discovery_that_cannot_be_is_told(
    client: Any, path: str, body: Any, status: int, expected: str
) -> None:
    assert await code(client, path, body) == (status, expected)


async def test_a_question_that_fails_after_the_first_is_a_warning(client: Any, world: World) -> None:
    world.state["github.results"] = [github.row("o/r")]
    _, found = await ask(client, "discovery-search", {"q": "fox", "seeds": ["BROKEN", "LIMITED"]})
    assert [one["repo"] for one in found["candidates"]] == ["o/r"]
    assert [one[:8] for one in found["warnings"]] == ["query 2:", "query 3:"]


async def test_the_token_goes_to_the_api_and_nowhere_else(ima2_client: Any, world: World) -> None:
    github.repositories(world)["o/r"] = {"a.md": FOX.encode()}
    environ = {**github.environment(world.base_url), "IMA2_GITHUB_TOKEN": "ghp_secret"}
    async with ima2_client(prompts=plugin, environ=environ) as client:
        await ask(client, "preview", {"source": {"kind": "github", "input": "o/r:a.md"}})
        await ask(client, "discovery-search", {"q": "fox"})
    sent = {one.path: one.headers.get("authorization") for one in world.seen}
    assert sent == {"/o/r/main/a.md": None, "/search/repositories": "Bearer ghp_secret"}
