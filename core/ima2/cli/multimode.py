"""ima2 multimode: several pictures of one story."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from ima2.cli import looks, options, output
from ima2.cli.destination import Received
from ima2.cli.events import Event
from ima2.cli.generation import received, warnings_of
from ima2.cli.names import request_id
from ima2.cli.order import STREAM_WAIT_S, Order, prompt_of, references_of
from ima2.cli.progress import make_room
from ima2.cli.story import Story, told
from ima2.errors import Ima2Error

_EPILOG = """\b
Examples:
  ima2 multimode "a fox wakes, hunts, sleeps" --max-images 3 -d ./story
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option(
    "--max-images", default=4, show_default=True, type=click.IntRange(1, 8), help="How many pictures at most."
)
@looks.references_option
@looks.look_options
@looks.timeout_option(STREAM_WAIT_S)
@click.option("--show-partial", is_flag=True, help="Tell of previews, too.")
@options.client_options
@click.pass_context
def multimode(ctx: click.Context, /, server: str | None, as_json: bool, show_partial: bool, **given: Any) -> None:
    """Make several pictures of one story from PROMPT, in one job.

    The first goes to -o where that is given, the others to -d; without either they stay in the gallery, and their
    files there are named. Where no server runs, the work is done here.
    """
    order = _order(given, as_json=as_json, show_partial=show_partial)
    order.destination.prepare()
    replace(order.destination, file=None).prepare()
    story = Story(_saying(order.destination.stdout, show_partial=show_partial) if not as_json else None)
    try:
        options.finished(told(order, server, ctx.find_root().obj, story))
    except Ima2Error as error:
        _say_what_came(order, story.pictures, error)
        raise
    _say(order, story, as_json=as_json)


def _order(given: dict[str, Any], *, as_json: bool, show_partial: bool) -> Order:
    """Check everything that can be checked here, and build the request."""
    prompt, look = prompt_of(given["words"]), looks.look_of(given)
    if given["out"] == "-" and given["max_images"] > 1:
        raise click.UsageError("-o - takes one picture: use -d, or --max-images 1.")
    destination = looks.destination_of(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "maxImages": given["max_images"],
        "references": references_of(given["refs"]),
        "requestId": request_id("multimode"),
        "partials": 2 if show_partial else None,
        **look,
    }
    path = "/api/generate/multimode"
    return Order(looks.said(body), destination, given["timeout"], as_json, path, STREAM_WAIT_S)


def _saying(to_stdout: bool, *, show_partial: bool) -> Any:
    """A line for each event. They leave standard output to the picture where it goes there."""
    came = 0

    def say(event: Event) -> None:
        nonlocal came
        line, fields = None, event.fields
        if event.name == "phase":
            line = output.style(f"{fields.get('phase')} (up to {fields.get('maxImages')} pictures)", "dim")
        elif event.name == "partial" and show_partial:
            line = output.style(f"preview {fields.get('index')}: {_size(fields.get('image'))}", "dim")
        elif event.name == "image":
            came += 1
            line = output.tick(f"image {came}")
        if line is not None:
            make_room()
            click.echo(line, err=to_stdout)

    return say


def _size(image: Any) -> str:
    return f"{len(image.data)} bytes" if isinstance(image, Received) else f"{len(image or '')} characters"


def _deliver(order: Order, pictures: list[Received]) -> list[dict[str, Any]]:
    """The first to ``-o``, the others to the folder."""
    destination = order.destination
    if destination.file is None:
        return destination.deliver(pictures)
    others = replace(destination, file=None).deliver(pictures[1:])
    return [*destination.deliver(pictures[:1]), *others]


def _say(order: Order, story: Story, *, as_json: bool) -> None:
    done = story.done or {}
    pictures = story.pictures or received(done).pictures
    rows = _deliver(order, pictures)
    if as_json:
        output.say_json({**_head(order, story, len(pictures)), "paths": [row["path"] for row in rows], **_more(done)})
        return
    looks.say_warnings([*warnings_of(done), *([done["warning"]] if isinstance(done.get("warning"), dict) else [])])
    if order.destination.file is not None and len(rows) > 1:
        options.remark(f"{order.destination.file} holds the first picture only.")
    looks.say_files(order.destination, rows, done.get("elapsed"))
    wanted = done.get("requested") or order.count
    click.echo(output.style(f"done: {len(pictures)}/{wanted}", "bold"), err=order.destination.stdout)


def _head(order: Order, story: Story, count: int) -> dict[str, Any]:
    head: dict[str, Any] = {"ok": True, "requestId": order.request_id}
    return head | ({"recovered": True} if story.recovered else {"returned": (story.done or {}).get("returned", count)})


def _more(done: dict[str, Any]) -> dict[str, Any]:
    """What there is to know beside the pictures: that some are missing, and what the server warns of."""
    return {name: done[name] for name in ("partial", "warning", "warnings") if done.get(name)}


def _say_what_came(order: Order, pictures: list[Received], error: Ima2Error) -> None:
    """Keep the pictures that came before a failure, and name their files in it."""
    if not pictures:
        return
    rows = _deliver(order, pictures)
    error.details["paths"] = [row["path"] for row in rows if "path" in row]
    if not order.quiet:
        looks.say_files(order.destination, rows)
