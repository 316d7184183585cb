"""ima2 video: clips from words and pictures, or from the end of another clip."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ima2.cli import clips, looks, options, output, reels
from ima2.cli.choices import check_with
from ima2.cli.client import Client
from ima2.cli.destination import Destination, Received
from ima2.cli.discovery import connected
from ima2.cli.events import Event
from ima2.cli.generation import warnings_of
from ima2.cli.names import request_id
from ima2.cli.order import Order, bytes_of, plain_base64, prompt_of
from ima2.cli.places import places
from ima2.cli.progress import make_room
from ima2.cli.story import Story, listen

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


class Video(clips.ClipGroup):
    """``ima2 video``."""


video = Video("video", help="Make a clip from PROMPT, which takes minutes. Needs a running server.", epilog=_EPILOG)


@click.command(cls=clips.ClipCommand, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@clips.duration_option(1, 15, 5)
@clips.resolution_option("480p")
@clips.aspect_option
@clips.model_option
@looks.provider_option
@clips.planner_option
@clips.storyboard_option
@click.option("--topic", metavar="<text>", help="Series that the clip belongs to.")
@click.option(
    "--ref", "refs", multiple=True, type=click.Path(path_type=Path), help="Picture to begin with; several as reference."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("-d", "--out-dir", type=click.Path(path_type=Path), help="Write into this folder.")
@click.option("--session", metavar="ID", help="Session the clip belongs to.")
@clips.timeout_option(clips.JOB_S)
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
    order = _order(body, Destination(places().generated, out, out_dir, named=True), given["timeout"], quiet=as_json)
    order.destination.prepare()
    story = Story(None if as_json else _lines)
    clip = options.finished(_made(server, order, story, fetch=True))
    assert clip is not None
    _say(order, story, clip, as_json=as_json)


@video.command("continue")
@click.argument("words", metavar="PROMPT...", nargs=-1)
@clips.source_option
@clips.duration_option(1, 15, 5)
@clips.resolution_option("720p")
@clips.aspect_option
@clips.model_option
@looks.provider_option
@clips.planner_option
@clips.storyboard_option
@clips.out_option
@clips.timeout_option(clips.JOB_S)
@options.client_options
def continue_(server: str | None, as_json: bool, out: Path | None, source: str, **given: Any) -> None:
    """Make a clip that goes on from the last frame of --video, a clip of the gallery, as PROMPT says.

    It stays in the gallery; -o also writes it to a file.
    """
    body = {**_common(given, "video_continue"), "continueFromVideo": os.path.basename(source)}
    order = _order(body, Destination(places().generated, out), given["timeout"], quiet=as_json)
    order.destination.prepare()
    story = Story(None if as_json else _lines)
    clip = options.finished(_made(server, order, story, fetch=out is not None))
    rows = order.destination.deliver([clip]) if clip is not None and out is not None else []
    paths = {"path": rows[0]["path"]} if rows else {}
    done = _done(order, story)
    if as_json:
        clips.say_indented({**done, **paths})
        return
    looks.say_warnings(warnings_of(done))
    click.echo(output.tick(paths.get("path") or str(done.get("url") or done.get("filename"))))


def _common(given: dict[str, Any], kind: str) -> dict[str, Any]:
    """The fields that a new clip and a continued one share."""
    return {
        "prompt": prompt_of(given["words"], missing=clips.NO_PROMPT),
        "duration": given["duration"],
        "resolution": given["resolution"],
        "aspectRatio": given["aspect_ratio"],
        "requestId": request_id(kind),
        "model": given["model"],
        "provider": given["provider"],
        "plannerModel": given["planner_model"],
        "storyboard": given["storyboard"] or None,
    }


def _order(body: dict[str, Any], destination: Destination, timeout: int | None, *, quiet: bool) -> Order:
    return Order(looks.said(body), destination, timeout, quiet, "/api/video/generate", clips.JOB_S)


def _pictures(files: tuple[Path, ...]) -> list[str]:
    if len(files) > MAX_PICTURES:
        raise click.UsageError(f"--ref: {MAX_PICTURES} pictures at most, not {len(files)}.")
    return [plain_base64(bytes_of("--ref", path)) for path in files]


async def _made(server: str | None, order: Order, story: Story, *, fetch: bool) -> Received | None:
    """Have the clip made, and fetch it where it is wanted here."""
    async with connected(server) as client:
        await check_with(client, order.body, "video")
        await listen(client, order, story)
        return await _fetched(client, order, story) if fetch else None


async def _fetched(client: Client, order: Order, story: Story) -> Received:
    """The clip, with as much time again as the job had."""
    if story.pictures:
        return story.pictures[0]
    return await clips.fetch(client, story.done or {}, order.limit)


def _done(order: Order, story: Story) -> dict[str, Any]:
    """The last word of the job, or what is known where the clip had to be collected."""
    if story.done is not None or not story.pictures:
        return dict(story.done or {})
    name = story.pictures[0].filename
    return {"requestId": order.request_id, "recovered": True, "filename": name, "url": f"/generated/{name}"}


def _lines(event: Event) -> None:
    """A line for each step; how far it is shows in the live line."""
    line = None
    if event.name == "planning":
        line = "planning"
    elif event.name == "submitted":
        upstream = event.fields.get("xaiVideoRequestId")
        line = f"submitted {upstream}" if upstream else "submitted"
    if line is not None:
        make_room()
        click.echo(output.style(output.plain(line), "dim"))


def _say(order: Order, story: Story, clip: Received, *, as_json: bool) -> None:
    (row,) = order.destination.deliver([clip])
    done = _done(order, story)
    if as_json:
        head = {"ok": True, "requestId": order.request_id}
        more = {"recovered": True} if story.recovered else {}
        names = ("elapsed", "video", "revisedPrompt", "videoSeries", "warnings")
        facts = {name: done[name] for name in names if done.get(name) not in (None, [])}
        output.say_json({**head, **more, "path": row["path"], "filename": clip.filename, **facts})
        return
    looks.say_warnings(warnings_of(done))
    looks.say_files(order.destination, [row], done.get("elapsed", story.elapsed))
    if isinstance(done.get("revisedPrompt"), str):
        click.echo(output.style(options.short(done["revisedPrompt"], _SHOWN), "dim"))


Video.default = make
for command in reels.COMMANDS:
    video.add_command(command)
