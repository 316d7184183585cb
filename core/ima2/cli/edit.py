"""ima2 edit: change a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ima2.cli import looks, options, output
from ima2.cli.generation import made
from ima2.cli.names import request_id
from ima2.cli.order import DEFAULT_WAIT_S, Order, bytes_of, plain_base64, prompt_of
from ima2.cli.results import Result

_EPILOG = """\b
Examples:
  ima2 edit in.png -p "make it rainy" -o wet.png
  ima2 gen "a red fox" -o - | ima2 edit - -p "in snow" -o snow.png
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-p", "--prompt", required=True, help="What to change, in words.")
@click.option("--mask", hidden=True, type=click.Path(path_type=Path), help="PNG: only where it is transparent.")
@looks.look_options
@looks.timeout_option(DEFAULT_WAIT_S)
@options.client_options
@click.pass_context
def edit(ctx: click.Context, /, server: str | None, as_json: bool, **given: Any) -> None:
    """Change the picture FILE (- for standard input) as --prompt says.

    The result goes to -o or -d; without either it stays in the gallery, and its file there is named. Where no server
    runs, the work is done here.
    """
    order = _order(given, as_json=as_json)
    order.destination.prepare()
    result, _ = options.finished(made(order, server, ctx.find_root().obj))
    _say(order, result, as_json=as_json)


def _order(given: dict[str, Any], *, as_json: bool) -> Order:
    """Check everything that can be checked here, and build the request."""
    prompt, look = prompt_of([given["prompt"]]), looks.look_of(given)
    destination = looks.destination_of(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "image": plain_base64(bytes_of("FILE", given["file"])),
        "mask": plain_base64(bytes_of("--mask", given["mask"])) if given["mask"] else None,
        "requestId": request_id("edit"),
        **look,
    }
    return Order(looks.said(body), destination, given["timeout"], as_json, "/api/edit")


def _say(order: Order, result: Result, *, as_json: bool) -> None:
    rows = order.destination.deliver(result.pictures[:1])
    if not as_json:
        looks.say_warnings(result.warnings)
        looks.say_files(order.destination, rows, result.elapsed)
        return
    path, warnings = {"path": rows[0]["path"]}, {"warnings": result.warnings} if result.warnings else {}
    if result.recovered:
        output.say_json({"ok": True, "requestId": order.request_id, "recovered": True, **path, **warnings})
        return
    output.say_json({"ok": True, **path, "requestId": order.request_id, "elapsed": result.elapsed, **warnings})
