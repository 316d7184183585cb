"""ima2 multimode: several pictures of one story."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from ima2.cli import image_options, options, output
from ima2.cli.destination import MediaFile
from ima2.cli.generation import list_warnings, parse_answer
from ima2.cli.job_request import STREAM_WAIT_S, JobRequest, read_prompt, read_references
from ima2.cli.money import cost_fields, describe_cost
from ima2.cli.names import request_id
from ima2.cli.progress import make_room
from ima2.cli.streaming import StreamResult, run_streaming
from ima2.cli.text_input import encoding_option
from ima2.errors import Ima2Error
from ima2.event_stream import StreamEvent

_EPILOG = """\b
Examples:
  ima2 multimode "a fox wakes, hunts, sleeps" --max-images 3 -d ./story
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option(
    "--max-images", default=4, show_default=True, type=click.IntRange(1, 8), help="How many pictures at most."
)
@image_options.references_option
@image_options.image_options
@encoding_option
@image_options.timeout_option(STREAM_WAIT_S)
@click.option("--show-partial", is_flag=True, help="Tell of previews, too.")
@options.client_options
def multimode(server: str | None, as_json: bool, show_partial: bool, **given: Any) -> None:
    """Make several pictures of one story from PROMPT, in one job.

    The first goes to -o where that is given, the others to -d; without either they stay in the gallery, and their
    files there are named. Where no server runs, the work is done here.
    """
    request = _build_request(given, as_json=as_json, show_partial=show_partial)
    request.destination.prepare()
    replace(request.destination, file=None).prepare()
    stream = StreamResult(_printer(request.destination.stdout, show_partial=show_partial) if not as_json else None)
    try:
        options.run_async(run_streaming(request, server, stream))
    except Ima2Error as error:
        _print_what_came(request, stream.pictures, error)
        raise
    _print(request, stream, as_json=as_json)


def _build_request(given: dict[str, Any], *, as_json: bool, show_partial: bool) -> JobRequest:
    """Check everything that can be checked here, and build the request."""
    prompt, look = read_prompt(given["words"], encoding=given["encoding"]), image_options.image_fields(given)
    if given["out"] == "-" and given["max_images"] > 1:
        raise click.UsageError("-o - takes one picture: use -d, or --max-images 1.")
    destination = image_options.destination_from(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "maxImages": given["max_images"],
        "references": read_references(given["refs"]),
        "requestId": request_id("multimode"),
        "partials": 2 if show_partial else None,
        **look,
    }
    path = "/api/generate/multimode"
    return JobRequest(image_options.drop_unset(body), destination, given["timeout"], as_json, path, STREAM_WAIT_S)


def _printer(to_stdout: bool, *, show_partial: bool) -> Any:
    """A line for each event. They leave standard output to the picture where it goes there."""
    came = 0

    def say(event: StreamEvent) -> None:
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
    return f"{len(image.data)} bytes" if isinstance(image, MediaFile) else f"{len(image or '')} characters"


def _print(request: JobRequest, stream: StreamResult, *, as_json: bool) -> None:
    done = stream.done or {}
    pictures = stream.pictures or parse_answer(done).pictures
    rows = request.deliver(pictures)
    if as_json:
        output.print_json(
            {**_head(request, stream, len(pictures)), "paths": [row["path"] for row in rows], **_more(done)}
        )
        return
    image_options.print_warnings(
        [*list_warnings(done), *([done["warning"]] if isinstance(done.get("warning"), dict) else [])]
    )
    if request.destination.file is not None and len(rows) > 1:
        options.remark(f"{request.destination.file} holds the first picture only.")
    image_options.print_files(request.destination, rows, done.get("elapsed"), describe_cost(done))
    if output.is_quiet():
        return
    wanted = done.get("requested") or request.count
    click.echo(output.style(f"done: {len(pictures)}/{wanted}", "bold"), err=request.destination.stdout)


def _head(request: JobRequest, stream: StreamResult, count: int) -> dict[str, Any]:
    head: dict[str, Any] = {"ok": True, "requestId": request.request_id}
    return head | (
        {"recovered": True} if stream.recovered else {"returned": (stream.done or {}).get("returned", count)}
    )


def _more(done: dict[str, Any]) -> dict[str, Any]:
    """What there is to know beside the pictures: that some are missing, and what the server warns of."""
    return {name: done[name] for name in ("partial", "warning", "warnings") if done.get(name)} | cost_fields(done)


def _print_what_came(request: JobRequest, pictures: list[MediaFile], error: Ima2Error) -> None:
    """Keep the pictures that came before a failure, and name their files in it."""
    if not pictures:
        return
    rows = request.deliver(pictures)
    error.details["paths"] = [row["path"] for row in rows if "path" in row]
    if not request.quiet:
        image_options.print_files(request.destination, rows)
