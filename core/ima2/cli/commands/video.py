"""ima2 video: clips from words and pictures, or from the end of another clip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ima2.cli import image_options, options, output, video_common
from ima2.cli.choices import check_with
from ima2.cli.client_settings import client_settings
from ima2.cli.commands import video_edit
from ima2.cli.destination import CLIPS, Destination, MediaFile
from ima2.cli.generation import list_warnings
from ima2.cli.job_request import JobRequest, plain_base64, read_prompt, read_reference
from ima2.cli.money import cost_fields, describe_cost
from ima2.cli.names import request_id
from ima2.cli.progress import make_room
from ima2.cli.server_discovery import open_worker
from ima2.cli.streaming import StreamResult, listen
from ima2.cli.text_input import encoding_option
from ima2.client import Client
from ima2.event_stream import StreamEvent

MAX_PICTURES, LONGEST_OF_SEVERAL = 7, 10
_SHOWN = 80
_EPILOG = """\b
Subcommands, when they are the first word:
  ima2 video edit <prompt...> --video <clip> [-o FILE]
  ima2 video extend <prompt...> --video <clip> [--duration <2..10>] [-o FILE]
  ima2 video continue <prompt...> --video <clip> [--duration <1..15>] [-o FILE]
  ima2 video frame <clip> [--last | --position SEC] [-o FILE]
  ima2 video analyze <clip> [--json]

\b
Examples:
  ima2 video "a cat plays the piano, a slow waltz, it ends with a bow" --duration 10 -o cat.mp4
  ima2 video "she turns and waves" --ref her.png --resolution 720p
  ima2 video continue "the door opens" --video 1795000014200_9f3c21aa.mp4
"""


class Video(video_common.VideoGroup):
    """``ima2 video``."""


video = Video("video", help="Make a clip from PROMPT, which takes minutes.", epilog=_EPILOG)


@click.command(cls=video_common.VideoCommand, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@video_common.duration_option(1, 15, 5)
@video_common.resolution_option("480p")
@video_common.aspect_option
@video_common.model_option
@image_options.any_model_option
@image_options.provider_option
@image_options.no_wait_option
@options.quiet
@video_common.planner_option
@video_common.storyboard_option
@click.option("--topic", metavar="<text>", help="Series that the clip belongs to.")
@click.option(
    "--ref", "refs", multiple=True, type=click.Path(path_type=Path), help="Picture to begin with; several as reference."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("-d", "--out-dir", type=click.Path(path_type=Path), help="Write into this folder.")
@click.option("--session", metavar="ID", help="Session the clip belongs to.")
@video_common.force_option
@encoding_option
@video_common.timeout_option(video_common.JOB_S)
@options.client_options
def make(server: str | None, as_json: bool, out: Path | None, out_dir: Path | None, **given: Any) -> None:
    """Make a clip from PROMPT.

    It goes to -o or -d; without either it stays in the gallery, and its file there is named.
    """
    if len(given["refs"]) > 1 and given["duration"] > LONGEST_OF_SEVERAL:
        raise click.UsageError(f"--duration: with several --ref a clip has {LONGEST_OF_SEVERAL} seconds at most.")
    pictures = _pictures(given["refs"])
    body = {
        **_common(given, "video"),
        "sessionId": given["session"],
        "topic": given["topic"],
        "sourceImage": pictures[0] if len(pictures) == 1 else None,
        "referenceImages": pictures if len(pictures) > 1 else None,
    }
    where = Destination(client_settings().generated, out, out_dir, named=True, force=given["force"], endings=CLIPS)
    request = _build_request(body, where, given["timeout"], quiet=as_json)
    request.destination.prepare()
    stream = StreamResult(None if as_json else _lines)
    clip = options.run_async(_run(server, request, stream, fetch=True))
    assert clip is not None
    _print(request, stream, clip, as_json=as_json)


@video.command("continue")
@click.argument("words", metavar="PROMPT...", nargs=-1)
@video_common.source_option
@video_common.duration_option(1, 15, 5)
@video_common.resolution_option("720p")
@video_common.aspect_option
@video_common.model_option
@image_options.any_model_option
@image_options.provider_option
@image_options.no_wait_option
@options.quiet
@video_common.planner_option
@video_common.storyboard_option
@video_common.out_option
@video_common.force_option
@encoding_option
@video_common.timeout_option(video_common.JOB_S)
@options.client_options
def continue_(server: str | None, as_json: bool, out: Path | None, source: str, **given: Any) -> None:
    """Make a clip that goes on from the last frame of --video, a clip of the gallery, as PROMPT says.

    It stays in the gallery; -o also writes it to a file.
    """
    body = {**_common(given, "video_continue"), "continueFromVideo": os.path.basename(source)}
    where = Destination(client_settings().generated, out, force=given["force"], endings=CLIPS)
    request = _build_request(body, where, given["timeout"], quiet=as_json)
    request.destination.prepare()
    stream = StreamResult(None if as_json else _lines)
    clip = options.run_async(_run(server, request, stream, fetch=out is not None))
    rows = request.deliver([clip]) if clip is not None and out is not None else []
    paths = {"path": rows[0]["path"]} if rows else {}
    done = _done(request, stream)
    if as_json:
        video_common.print_indented({**done, **paths})
        return
    image_options.print_warnings(list_warnings(done))
    click.echo(output.tick(paths.get("path") or str(done.get("url") or done.get("filename"))))


def _common(given: dict[str, Any], kind: str) -> dict[str, Any]:
    """The fields that a new clip and a continued one share."""
    return {
        "prompt": read_prompt(given["words"], missing=video_common.NO_PROMPT, encoding=given["encoding"]),
        "duration": given["duration"],
        "resolution": given["resolution"],
        "aspectRatio": given["aspect_ratio"],
        "requestId": request_id(kind),
        "model": given["model"],
        "allowUnknownModel": given["any_model"] or None,
        "provider": given["provider"],
        "plannerModel": given["planner_model"],
        "storyboard": given["storyboard"] or None,
        "queue": None if given["no_wait"] else True,
    }


def _build_request(body: dict[str, Any], destination: Destination, timeout: int | None, *, quiet: bool) -> JobRequest:
    return JobRequest(
        image_options.drop_unset(body), destination, timeout, quiet, "/api/video/generate", video_common.JOB_S
    )


def _pictures(files: tuple[Path, ...]) -> list[str]:
    if len(files) > MAX_PICTURES:
        raise click.UsageError(f"--ref: {MAX_PICTURES} pictures at most, not {len(files)}.")
    return [plain_base64(read_reference(path)) for path in files]


async def _run(server: str | None, request: JobRequest, stream: StreamResult, *, fetch: bool) -> MediaFile | None:
    """Have the clip made, and fetch it where it is wanted here."""
    async with open_worker(server) as client:
        await check_with(client, request.body, "video")
        await listen(client, request, stream)
        return await _fetch(client, request, stream) if fetch else None


async def _fetch(client: Client, request: JobRequest, stream: StreamResult) -> MediaFile:
    """The clip, with as much time again as the job had."""
    if stream.pictures:
        return stream.pictures[0]
    return await video_common.fetch(client, stream.done or {}, request.limit)


def _done(request: JobRequest, stream: StreamResult) -> dict[str, Any]:
    """The last word of the job, or what is known where the clip had to be collected."""
    if stream.done is not None or not stream.pictures:
        return dict(stream.done or {})
    name = stream.pictures[0].filename
    return {"requestId": request.request_id, "recovered": True, "filename": name, "url": f"/generated/{name}"}


def _lines(event: StreamEvent) -> None:
    """A line for each step; how far it is shows in the live line."""
    line = None
    if event.name == "planning":
        line = "planning"
    elif event.name == "submitted":
        upstream = next((value for name, value in event.fields.items() if name.endswith("VideoRequestId")), None)
        line = f"submitted {upstream}" if upstream else "submitted"
    if line is not None:
        make_room()
        click.echo(output.style(output.plain(line), "dim"))


def _print(request: JobRequest, stream: StreamResult, clip: MediaFile, *, as_json: bool) -> None:
    (row,) = request.deliver([clip])
    done = _done(request, stream)
    if as_json:
        head = {"ok": True, "requestId": request.request_id}
        more = {"recovered": True} if stream.recovered else {}
        names = ("elapsed", "video", "revisedPrompt", "videoSeries", "warnings")
        facts = {name: done[name] for name in names if done.get(name) not in (None, [])} | cost_fields(done)
        output.print_json(
            {**head, **more, "path": row["path"], "filename": clip.filename, **facts, **cost_fields(done)}
        )
        return
    image_options.print_warnings(list_warnings(done))
    image_options.print_files(request.destination, [row], done.get("elapsed", stream.elapsed), describe_cost(done))
    if isinstance(done.get("revisedPrompt"), str) and not output.is_quiet():
        click.echo(output.style(options.short(done["revisedPrompt"], _SHOWN), "dim"))


Video.default = make
for command in video_edit.COMMANDS:
    video.add_command(command)
