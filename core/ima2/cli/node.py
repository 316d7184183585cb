"""ima2 node: pictures that grow from one another."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from ima2.cli import looks, options, output
from ima2.cli.discovery import connected
from ima2.cli.events import Event
from ima2.cli.generation import made, received, warnings_of
from ima2.cli.groups import Group
from ima2.cli.names import request_id
from ima2.cli.order import STREAM_WAIT_S, Order, prompt_of, references_of
from ima2.cli.progress import make_room
from ima2.cli.results import Result
from ima2.cli.story import Story, told

node = Group("node", help="Grow pictures from one another (generate, show).")
_EPILOG = """\b
Examples:
  ima2 node generate "a harbour at dawn"
  ima2 node generate "the same at night" --parent n_0a1b2c3d4e -o night.png
"""


@node.command(epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option("-n", "--count", default=1, type=click.IntRange(1, 8), help="Only 1: a node is one picture.")
@click.option("--parent", metavar="NODE", help="Node to grow from.")
@looks.references_option
@looks.look_options
@looks.timeout_option(STREAM_WAIT_S)
@click.option("--no-stream", is_flag=True, help="Wait for one answer; --json prints it as it is.")
@options.client_options
@click.pass_context
def generate(ctx: click.Context, /, server: str | None, as_json: bool, no_stream: bool, **given: Any) -> None:
    """Make one picture from PROMPT, alone or from a --parent.

    It goes to -o or -d; without either it stays in the gallery, and its file there is named. Where no server runs, the
    work is done here.
    """
    order = _order(given, as_json=as_json)
    order.destination.prepare()
    plugins = ctx.find_root().obj
    if no_stream:
        result, _ = options.finished(made(order, server, plugins))
        _say_answer(order, result) if as_json else _say(order, result)
        return
    story = Story(None if as_json else _phase_line(order.destination.stdout))
    options.finished(told(order, server, plugins, story))
    result = _result(story)
    _say_story(order, result) if as_json else _say(order, result)


@node.command()
@click.argument("node_id", metavar="NODE")
@options.client_options
def show(server: str | None, as_json: bool, node_id: str) -> None:
    """Print what is known of NODE, always as JSON."""
    answer = options.finished(_shown(server, node_id))
    output.say_json(answer) if as_json else click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


async def _shown(server: str | None, node_id: str) -> dict[str, Any]:
    async with connected(server) as client:
        return await client.ask("GET", f"/api/node/{quote(node_id, safe='')}")


def _order(given: dict[str, Any], *, as_json: bool) -> Order:
    """Check everything that can be checked here, and build the request."""
    prompt, look = prompt_of(given["words"]), looks.look_of(given)
    if given["count"] > 1:
        raise click.UsageError("-n: a node is one picture. Run this again for another one, or use `ima2 gen -n`.")
    destination = looks.destination_of(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "n": 1,
        "references": references_of(given["refs"]),
        "parentNodeId": given["parent"],
        "requestId": request_id("node"),
        "partials": 0,
        **look,
        "mode": None if look["mode"] == "auto" else look["mode"],
    }
    path = "/api/node/generate"
    return Order(looks.said(body), destination, given["timeout"], as_json, path, STREAM_WAIT_S)


def _phase_line(to_stdout: bool) -> Any:
    def say(event: Event) -> None:
        if event.name == "phase":
            make_room()
            click.echo(output.style(str(event.fields.get("phase")), "dim"), err=to_stdout)

    return say


def _result(story: Story) -> Result:
    """The picture of the last word, or what was collected when that did not come."""
    done = story.done or {}
    if not story.pictures:
        return received(done)
    elapsed = done.get("elapsed", story.elapsed)
    return Result(story.pictures, elapsed, warnings_of(done), recovered=story.recovered, answer=done)


def _node_id(result: Result) -> str | None:
    """The node's id; its file is called after it."""
    said = result.answer.get("nodeId")
    name = (result.pictures[0].filename or "").rpartition("/")[2].partition(".")[0]
    return said if isinstance(said, str) else name or None


def _say(order: Order, result: Result) -> None:
    looks.say_warnings(result.warnings)
    rows = order.destination.deliver(result.pictures[:1])
    looks.say_files(order.destination, rows)
    click.echo(f"node {_node_id(result) or '(unknown)'}", err=order.destination.stdout)
    if result.elapsed is not None:
        click.echo(output.style(f"elapsed {result.elapsed}s", "dim"), err=order.destination.stdout)


def _say_story(order: Order, result: Result) -> None:
    rows = order.destination.deliver(result.pictures[:1])
    head = {"ok": True, "requestId": order.request_id, "nodeId": _node_id(result)}
    more = {"recovered": True} if result.recovered else {}
    facts = {name: value for name, value in result.answer.items() if name != "image"}
    output.say_json({**head, **more, "paths": [row["path"] for row in rows], "doneInfo": facts})


def _say_answer(order: Order, result: Result) -> None:
    """The server's answer as it came, and where the picture was put."""
    rows = order.destination.deliver(result.pictures[:1])
    answer = dict(result.answer)
    if "image" in answer:
        answer["image"] = result.pictures[0].data_url
    paths = {"paths": [row["path"] for row in rows]}
    output.say_json({**answer, **paths} if answer else {"ok": True, "requestId": order.request_id, **paths})
