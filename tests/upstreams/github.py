"""GitHub: its repository search, the listing of folders, and the host of raw files. The paths of a repository are in
``world.state["github"]``, by ``owner/repo``; words in a name provoke failures."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.upstreams.world import World

Files = dict[str, bytes]


def repositories(world: World) -> dict[str, Files]:
    """The files by repository; put some in."""
    found: dict[str, Files] = world.state.setdefault("github", {})
    return found


def row(full_name: str, **more: Any) -> dict[str, Any]:
    """A result of the search."""
    plain = {
        "full_name": full_name,
        "html_url": f"https://github.com/{full_name}",
        "description": "A gallery of image prompts",
        "default_branch": "main",
        "stargazers_count": 1500,
        "forks_count": 3,
        "open_issues_count": 1,
        "updated_at": "2026-11-01T00:00:00Z",
        "pushed_at": "2026-11-01T00:00:00Z",
        "license": {"spdx_id": "MIT"},
        "topics": ["prompts"],
        "language": None,
        "archived": False,
        "fork": False,
    }
    return {**plain, **more}


def routes(world: World) -> list[Route]:
    """``/search/repositories``, ``/repos/…/contents/…`` and raw files."""

    async def search(request: Request) -> Response:
        await world.note(request)
        asked = request.query_params["q"]
        world.state.setdefault("github.queries", []).append(asked)
        await world.wait(asked)
        left = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "1795658000"}
        if "LIMITED" in asked:
            return JSONResponse({"message": "API rate limit exceeded"}, 403, {**left, "retry-after": "30"})
        if "BROKEN" in asked:
            return Response("<html>oops</html>", 502)
        return JSONResponse({"items": world.state.get("github.results", [])}, headers=left)

    async def contents(request: Request) -> Response:
        await world.note(request)
        names = request.path_params
        files = repositories(world).get(f"{names['owner']}/{names['repo']}", {})
        path = names["path"].strip("/")
        if path in files:
            return JSONResponse({"name": path, "type": "file"})
        below = f"{path}/" if path else ""
        inside = {name.removeprefix(below): data for name, data in files.items() if name.startswith(below)}
        if not inside:
            return JSONResponse({"message": "Not Found"}, 404)
        rows = {name.partition("/")[0]: (len(data), "/" in name) for name, data in inside.items()}
        listing = [
            {"name": name, "size": size, "type": "dir" if is_folder else "file"}
            for name, (size, is_folder) in rows.items()
        ]
        return JSONResponse([*listing, "no object", {"type": "file"}])

    async def raw(request: Request) -> Response:
        await world.note(request)
        names = request.path_params
        path = names["path"]
        await world.wait(path)
        if "MOVED" in path:
            return RedirectResponse("http://127.0.0.1:1/elsewhere.md")
        data = repositories(world).get(f"{names['owner']}/{names['repo']}", {}).get(path)
        if data is None or names["ref"] != "main":
            return Response("404: Not Found", 404)
        return Response(data, media_type="text/plain")

    return [
        Route("/search/repositories", search),
        Route("/repos/{owner}/{repo}/contents/{path:path}", contents),
        Route("/{owner}/{repo}/{ref}/{path:path}", raw),
    ]


def environment(base_url: str) -> dict[str, str]:
    """What to set so that the product asks these fakes."""
    return {"IMA2_GITHUB_API_URL": base_url, "IMA2_GITHUB_RAW_URL": base_url}
