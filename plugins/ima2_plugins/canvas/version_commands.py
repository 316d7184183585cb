"""``ima2 canvas-versions``: pictures with what was drawn on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal

canvas_versions = terminal.Group("canvas-versions", help="Pictures with what was drawn on them: save, update.")
_image = click.argument("image", type=click.Path(path_type=Path))
_source = click.option("--source", metavar="NAME", help="The picture of the gallery that lies below.")
_prompt = click.option("--prompt", metavar="TEXT", help="The words that belong to it.")


@canvas_versions.command()
@_image
@_source
@_prompt
@terminal.client_options
def save(server: str | None, as_json: bool, image: Path, source: str | None, prompt: str | None) -> None:
    """Keep IMAGE, a PNG file, as a new version."""
    _send(server, "POST", "/api/canvas-versions", image, source or image.name, prompt, as_json)


@canvas_versions.command()
@click.argument("name")
@_image
@_source
@_prompt
@terminal.client_options
def update(server: str | None, as_json: bool, name: str, image: Path, source: str | None, prompt: str | None) -> None:
    """Put IMAGE, a PNG file, in the place of the version NAME."""
    _send(server, "PUT", f"/api/canvas-versions/{quote(name, safe='')}", image, source, prompt, as_json)


def _send(
    server: str | None, method: str, path: str, image: Path, source: str | None, prompt: str | None, as_json: bool
) -> None:
    data = terminal.read_bytes(image)
    if ima2.media_type_of(data) != "image/png":
        raise click.UsageError(f"{image} is no PNG picture.")
    headers = {"Content-Type": "image/png"}
    if source:
        headers["X-Ima2-Canvas-Source-Filename"] = quote(source, safe="")
    if prompt:
        headers["X-Ima2-Canvas-Prompt"] = quote(prompt, safe="")
    answer: dict[str, Any] = terminal.ask(server, method, path, body=data, headers=headers)
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(str(answer["item"]["filename"])))
