"""ima2 show: one picture's facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from ima2.cli import options, output
from ima2.cli.browser import open_in_browser
from ima2.cli.client_settings import client_settings
from ima2.cli.gallery import moment, pages
from ima2.cli.money import describe_cost
from ima2.cli.server_discovery import LOCAL_GALLERY, open_worker
from ima2.client import Client
from ima2.errors import Ima2Error

_MOST_SHOWN = 5


@click.command(context_settings=options.CONTEXT)
@click.argument("name")
@click.option("--metadata", is_flag=True, help="Also what the file itself says of how it was made.")
@click.option("--reveal", is_flag=True, help="Open it in a browser.")
@options.client_options
def show(server: str | None, as_json: bool, name: str, metadata: bool, reveal: bool) -> None:
    """Show the facts of the picture or clip NAME: its file name, or a beginning or end of it that only one has."""
    item, url = options.run_async(_load(server, name, metadata))
    if as_json:
        output.print_json(item)
    else:
        click.echo(output.pairs(_lines(item, url)))
        if metadata:
            click.echo(output.pairs(_flat(item["metadata"])) if item.get("metadata") else "(no metadata in the file)")
    if reveal:
        open_in_browser(url)


async def _load(server: str | None, name: str, metadata: bool) -> tuple[dict[str, Any], str]:
    async with open_worker(server, index=True, note=LOCAL_GALLERY) as client:
        item = await find_item(client, name)
        path = str(item.get("url") or f"/generated/{quote(str(item['filename']))}")
        if metadata:
            item = {**item, "metadata": await _embedded(client, path)}
        if client.in_process:
            return item, str(client_settings().generated / str(item["filename"]))
        return item, path if "://" in path else client.base + path


async def find_item(client: Client, name: str) -> dict[str, Any]:
    """The gallery's row of that file name; else the one whose name begins or ends with it.

    Raises `Ima2Error` ``NOT_FOUND`` or ``NAME_AMBIGUOUS`` (both exit 1).
    """
    close: dict[str, dict[str, Any]] = {}
    async for answer in pages(client, {}):
        for item in answer["items"]:
            filename = str(item.get("filename") or "")
            if filename == name:
                return dict(item)
            if _is_close(filename, name):
                close[filename] = item
    if not close:
        raise Ima2Error("NOT_FOUND", 0, f"Nothing in the gallery is called {name}; `ima2 ls` lists it.")
    if len(close) > 1:
        some = ", ".join(list(close)[:_MOST_SHOWN])
        more = f" and {len(close) - _MOST_SHOWN} more" if len(close) > _MOST_SHOWN else ""
        raise Ima2Error("NAME_AMBIGUOUS", 0, f"{name} may be {some}{more}: write more of the name.")
    return next(iter(close.values()))


def _is_close(filename: str, name: str) -> bool:
    """Whether a part of a name is meant: its beginning, or an end that is more than the file's extension."""
    extension = filename.rpartition(".")[2]
    is_end = filename.endswith(name) and len(name) > len(extension) + 1
    return bool(name) and (filename.startswith(name) or is_end or filename.rpartition("/")[2].startswith(name))


async def _embedded(client: Client, path: str) -> dict[str, Any] | None:
    from ima2.media.embed import read

    return read(await client.download(path)).metadata


def _lines(item: Mapping[str, Any], url: str) -> dict[str, str]:
    made = moment(item.get("createdAt"))
    facts = {
        "name": item.get("filename"),
        "prompt": item.get("userPrompt") or item.get("prompt"),
        "revised": item.get("revisedPrompt"),
        "provider": item.get("provider"),
        "model": item.get("model"),
        "quality": item.get("quality"),
        "size": item.get("size"),
        "pixels": f"{item['width']}x{item['height']}" if item.get("width") and item.get("height") else None,
        "duration": f"{item['duration']} s" if item.get("duration") else None,
        "parent": item.get("parentNodeId") or item.get("continuedFrom"),
        "cost": describe_cost(item),
        "when": made.isoformat() if made else None,
        "favorite": "yes" if item.get("isFavorite") else None,
        "url": url,
    }
    return {name: str(value) for name, value in facts.items() if value not in {None, ""}}


def _flat(metadata: Mapping[str, Any]) -> dict[str, str]:
    plain = {key: value if isinstance(value, str) else output.as_json(value) for key, value in metadata.items()}
    return {f"metadata.{key}": value for key, value in plain.items() if value not in {"", "null"}}
