"""ima2 gen: pictures from words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ima2.catalogue import EFFORTS
from ima2.cli import options, output
from ima2.cli.client import UNREACHABLE
from ima2.cli.destination import Destination
from ima2.cli.generation import Result, detach, generate
from ima2.cli.names import request_id
from ima2.cli.order import Order, format_of, options_of, prompt_of, references_of
from ima2.cli.places import places
from ima2.errors import Ima2Error
from ima2.ways.choices import FORMATS

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


class ProviderOption(click.Option):
    """``--provider``: its help names what is installed, which is looked up when the help is shown."""

    def make_metavar(self, *args: Any, **kwargs: Any) -> str:
        """``auto|<id>|…``."""
        from ima2.cli.local import provider_ids

        return "|".join(["auto", *provider_ids()])


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option("-q", "--quality", default="low", show_default=True, metavar="low|medium|high", help="How fine.")
@click.option("-s", "--size", default="1024x1024", show_default=True, metavar="WxH|auto", help="Size in pixels.")
@click.option("-n", "--count", default=1, show_default=True, type=click.IntRange(1, 8), help="How many pictures.")
@click.option("--ref", "refs", multiple=True, type=click.Path(path_type=Path), help="Reference picture; up to 5 times.")
@click.option("-o", "--out", help="Write the one picture to this file; - is standard output.")
@click.option("-d", "--out-dir", type=click.Path(path_type=Path), help="Write into this folder.")
@click.option("--format", "file_format", type=click.Choice(list(FORMATS)), help="File format [default: of -o, or png]")
@click.option("--no-save", is_flag=True, help="Print the pictures as data URLs.")
@click.option("--force", is_flag=True, help="Allow much data on a terminal.")
@click.option("--stdin", is_flag=True, help="Add standard input to the prompt; PROMPT - does too.")
@click.option("--timeout", type=click.IntRange(min=1), metavar="SEC", help="Longest wait [default: 180 for an answer]")
@click.option("--model", help="See `ima2 capabilities`.")
@click.option("--provider", cls=ProviderOption, help="Who makes them [default: auto]")
@click.option(
    "--mode",
    type=click.Choice(["auto", "direct"]),
    default="auto",
    show_default=True,
    help="Whether words are improved.",
)
@click.option("--moderation", type=click.Choice(["auto", "low"]), default="low", show_default=True)
@click.option("--session", metavar="ID", help="Session the pictures belong to.")
@click.option("--reasoning-effort", type=click.Choice(EFFORTS), help="How long the model thinks first.")
@click.option("--web-search", is_flag=True, help="Let the model search the web.")
@click.option("--no-web-search", is_flag=True, help="Do not.")
@click.option("--storyboard", is_flag=True, help="One sheet of keyframes for a clip.")
@click.option("--option", "extra", multiple=True, metavar="NAME=VALUE", help="An option of the provider; repeatable.")
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
    result, base = options.finished(_made(order, server, ctx.find_root().obj))
    _say(order, result, base, as_json=as_json)


def _order(given: dict[str, Any], *, as_json: bool, detach: bool) -> Order:
    """Check everything that can be checked here, and build the request."""
    prompt = prompt_of(given["words"], stdin=given["stdin"])
    if given["web_search"] and given["no_web_search"]:
        raise click.UsageError("--web-search and --no-web-search exclude each other.")
    if given["out"] and given["count"] > 1:
        raise click.UsageError("-o takes one picture: use -d with -n.")
    to_stdout = given["out"] == "-"
    if to_stdout and as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    if detach and (given["out"] or given["out_dir"] or given["no_save"]):
        raise click.UsageError("--detach leaves before there is a picture: it takes no -o, -d or --no-save.")
    file = Path(given["out"]) if given["out"] and not to_stdout else None
    body = {
        "prompt": prompt,
        "quality": given["quality"],
        "size": given["size"],
        "n": given["count"],
        "references": references_of(given["refs"]),
        "mode": given["mode"],
        "moderation": given["moderation"],
        "requestId": request_id("gen"),
        "partials": 0,
        "model": given["model"],
        "sessionId": given["session"],
        "reasoningEffort": given["reasoning_effort"],
        "provider": given["provider"],
        "webSearchEnabled": True if given["web_search"] else False if given["no_web_search"] else None,
        "format": format_of(given["file_format"], file),
        "storyboard": given["storyboard"] or None,
        "options": options_of(given["extra"]) or None,
    }
    destination = Destination(
        places().generated, file, given["out_dir"], stdout=to_stdout, text=given["no_save"], force=given["force"]
    )
    quiet = as_json
    return Order(
        {name: value for name, value in body.items() if value is not None}, destination, given["timeout"], quiet
    )


async def _made(order: Order, server: str | None, plugins: str | None) -> tuple[Result, str | None]:
    from ima2.cli.choices import check_with
    from ima2.cli.client import Client
    from ima2.cli.discovery import seek

    found = await seek(server)
    if found is None:
        options.remark("No server is running; doing it here.")
        from ima2.cli.inprocess import generate_here

        return await generate_here(order, plugins), None
    async with Client(found.base) as client:
        await check_with(client, order.body)
        return await generate(client, order), found.base


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
    for warning in result.warnings:
        options.remark(f"Warning: {_warning(warning)}")
    if order.destination.stdout:
        return
    for row in rows:
        click.echo(row["image"] if order.destination.text else output.tick(row["path"]))
    if not order.destination.text and result.elapsed is not None:
        click.echo(output.style(f"elapsed {result.elapsed}s", "dim"))


def _warning(warning: dict[str, Any]) -> str:
    """One line about a warning of the server, whichever of its shapes it has."""
    said = warning.get("message") or warning.get("reason") or ""
    used = f"; used {warning['normalizedTo']}" if warning.get("normalizedTo") is not None else ""
    place = f" {warning['field']}" if warning.get("field") else ""
    return f"{warning.get('code', 'note')}{place}: {said}{used}".replace(": ;", ":")
