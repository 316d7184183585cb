"""ima2 node: pictures that grow from one another."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from ima2.cli import image_options, options, output
from ima2.cli.generation import list_warnings, parse_answer, run_job
from ima2.cli.groups import Group
from ima2.cli.job_answer import JobAnswer
from ima2.cli.job_request import STREAM_WAIT_S, JobRequest, read_prompt, read_references
from ima2.cli.money import describe_cost
from ima2.cli.names import request_id
from ima2.cli.progress import make_room
from ima2.cli.server_discovery import open_worker
from ima2.cli.streaming import StreamResult, run_streaming
from ima2.cli.text_input import encoding_option
from ima2.event_stream import StreamEvent

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
@image_options.references_option
@image_options.image_options
@encoding_option
@image_options.timeout_option(STREAM_WAIT_S)
@click.option("--no-stream", is_flag=True, help="Wait for one answer; --json prints it as it is.")
@options.client_options
def generate(server: str | None, as_json: bool, no_stream: bool, **given: Any) -> None:
    """Make one picture from PROMPT, alone or from a --parent.

    It goes to -o or -d; without either it stays in the gallery, and its file there is named. Where no server runs, the
    work is done here.
    """
    request = _build_request(given, as_json=as_json)
    request.destination.prepare()
    if no_stream:
        result, _ = options.run_async(run_job(request, server))
        _print_answer(request, result) if as_json else _print(request, result)
        return
    stream = StreamResult(None if as_json else _phase_line(request.destination.stdout))
    options.run_async(run_streaming(request, server, stream))
    result = _result(stream)
    _print_story(request, result) if as_json else _print(request, result)


@node.command()
@click.argument("node_id", metavar="NODE")
@options.client_options
def show(server: str | None, as_json: bool, node_id: str) -> None:
    """Print what is known of NODE, always as JSON."""
    answer = options.run_async(_load(server, node_id))
    output.print_json(answer) if as_json else click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


async def _load(server: str | None, node_id: str) -> dict[str, Any]:
    async with open_worker(server) as client:
        return await client.ask("GET", f"/api/node/{quote(node_id, safe='')}")


def _build_request(given: dict[str, Any], *, as_json: bool) -> JobRequest:
    """Check everything that can be checked here, and build the request."""
    prompt, look = read_prompt(given["words"], encoding=given["encoding"]), image_options.image_fields(given)
    if given["count"] > 1:
        raise click.UsageError("-n: a node is one picture. Run this again for another one, or use `ima2 gen -n`.")
    destination = image_options.destination_from(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "n": 1,
        "references": read_references(given["refs"]),
        "parentNodeId": given["parent"],
        "requestId": request_id("node"),
        "partials": 0,
        **look,
        "mode": None if look["mode"] == "auto" else look["mode"],
    }
    path = "/api/node/generate"
    return JobRequest(image_options.drop_unset(body), destination, given["timeout"], as_json, path, STREAM_WAIT_S)


def _phase_line(to_stdout: bool) -> Any:
    def say(event: StreamEvent) -> None:
        if event.name == "phase":
            make_room()
            click.echo(output.style(str(event.fields.get("phase")), "dim"), err=to_stdout)

    return say


def _result(stream: StreamResult) -> JobAnswer:
    """The picture of the last word, or what was collected when that did not come."""
    done = stream.done or {}
    if not stream.pictures:
        return parse_answer(done)
    elapsed = done.get("elapsed", stream.elapsed)
    return JobAnswer(stream.pictures, elapsed, list_warnings(done), recovered=stream.recovered, answer=done)


def _node_id(result: JobAnswer) -> str | None:
    """The node's id; its file is called after it."""
    said = result.answer.get("nodeId")
    name = (result.pictures[0].filename or "").rpartition("/")[2].partition(".")[0]
    return said if isinstance(said, str) else name or None


def _print(request: JobRequest, result: JobAnswer) -> None:
    image_options.print_warnings(result.warnings)
    rows = request.deliver(result.pictures[:1])
    image_options.print_files(request.destination, rows)
    if output.is_quiet():
        return
    click.echo(f"node {_node_id(result) or '(unknown)'}", err=request.destination.stdout)
    if result.elapsed is not None:
        click.echo(output.style(f"elapsed {result.elapsed}s", "dim"), err=request.destination.stdout)
    if cost := describe_cost(result.answer):
        click.echo(output.style(f"cost {cost}", "dim"), err=request.destination.stdout)


def _print_story(request: JobRequest, result: JobAnswer) -> None:
    rows = request.deliver(result.pictures[:1])
    head = {"ok": True, "requestId": request.request_id, "nodeId": _node_id(result)}
    more = {"recovered": True} if result.recovered else {}
    facts = {name: value for name, value in result.answer.items() if name != "image"}
    output.print_json({**head, **more, "paths": [row["path"] for row in rows], "doneInfo": facts})


def _print_answer(request: JobRequest, result: JobAnswer) -> None:
    """The server's answer as it came, and where the picture was put."""
    rows = request.deliver(result.pictures[:1])
    answer = dict(result.answer)
    if "image" in answer:
        answer["image"] = result.pictures[0].data_url
    paths = {"paths": [row["path"] for row in rows]}
    output.print_json({**answer, **paths} if answer else {"ok": True, "requestId": request.request_id, **paths})
