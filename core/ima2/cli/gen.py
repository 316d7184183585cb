"""ima2 gen: pictures from words."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import looks, options, output
from ima2.cli.client import UNREACHABLE
from ima2.cli.generation import detach, made
from ima2.cli.names import request_id
from ima2.cli.order import DEFAULT_WAIT_S, Order, prompt_of, references_of
from ima2.cli.results import Result
from ima2.errors import Ima2Error

_EPILOG = """\b
Batch/async note:
  Use -n <N> for several pictures of one prompt: one job, not N.
  Jobs run on the server and go on when a client leaves: --detach leaves at once.
  Watch them with: ima2 ps --json
  Stop one with:   ima2 cancel <requestId>

\b
Examples:
  ima2 gen "a shiba in space" -o shiba.png
  ima2 gen "a lighthouse at dawn" -n 4 -d ./out
  ima2 gen "merge these" --ref a.png --ref b.jpg -q high
  echo "a red fox" | ima2 gen - -o - > fox.png
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option("-n", "--count", default=1, show_default=True, type=click.IntRange(1, 8), help="How many pictures.")
@looks.references_option
@looks.look_options
@looks.timeout_option(DEFAULT_WAIT_S)
@click.option("--no-save", is_flag=True, help="Print the pictures as data URLs.")
@click.option("--stdin", is_flag=True, help="Add standard input to the prompt; PROMPT - does too.")
@click.option("--storyboard", is_flag=True, help="One sheet of keyframes for a clip.")
@click.option("--detach", is_flag=True, help="Hand the job to the server, print its id and leave.")
@options.client_options
@click.pass_context
def gen(ctx: click.Context, /, server: str | None, as_json: bool, detach: bool, **given: Any) -> None:
    """Make pictures from PROMPT.

    They go to -o or -d; without either they stay in the gallery, and their files there are named. Where no server
    runs, the work is done here.
    """
    order = _order(given, as_json=as_json, detach=detach)
    order.destination.prepare()
    if detach:
        _say_detached(*options.finished(_detached(order, server)), as_json=as_json)
        return
    result, base = options.finished(made(order, server, ctx.find_root().obj))
    _say(order, result, base, as_json=as_json)


def _order(given: dict[str, Any], *, as_json: bool, detach: bool) -> Order:
    """Check everything that can be checked here, and build the request."""
    prompt, look = prompt_of(given["words"], stdin=given["stdin"]), looks.look_of(given)
    if given["out"] and given["count"] > 1:
        raise click.UsageError("-o takes one picture: use -d with -n.")
    destination = looks.destination_of(given, as_json=as_json, text=given["no_save"])
    if detach and (given["out"] or given["out_dir"] or given["no_save"]):
        raise click.UsageError("--detach leaves before there is a picture: it takes no -o, -d or --no-save.")
    body = {
        "prompt": prompt,
        "n": given["count"],
        "references": references_of(given["refs"]),
        "requestId": request_id("gen"),
        "partials": 0,
        "storyboard": given["storyboard"] or None,
        **look,
    }
    return Order(looks.said(body), destination, given["timeout"], as_json)


async def _detached(order: Order, server: str | None) -> tuple[str, str]:
    from ima2.cli.choices import check_with
    from ima2.cli.client import Client
    from ima2.cli.discovery import seek

    found = await seek(server)
    if found is None:
        raise Ima2Error(UNREACHABLE, 0, "No ima2 server is running here, and --detach needs one to hand the job to.")
    async with Client(found.base) as client:
        await check_with(client, order.body)
        return await detach(client, order), found.base


def _say_detached(job: str, base: str, *, as_json: bool) -> None:
    output.say_json({"ok": True, "requestId": job, "async": True, "server": base}) if as_json else click.echo(job)


def _say(order: Order, result: Result, base: str | None, *, as_json: bool) -> None:
    rows = order.destination.deliver(result.pictures)
    if as_json:
        head: dict[str, Any] = {"ok": True, "requestId": order.request_id}
        head |= {"recovered": True} if result.recovered else {"elapsed": result.elapsed}
        more = {"warnings": result.warnings} if result.warnings else {}
        output.say_json({**head, "images": rows, **more, "server": base})
        return
    looks.say_warnings(result.warnings)
    looks.say_files(order.destination, rows, result.elapsed)
