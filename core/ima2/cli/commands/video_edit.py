"""ima2 video edit, extend, frame and analyze: what is done with a clip that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from ima2.cli import image_options, options, output, video_common
from ima2.cli.choices import check_with
from ima2.cli.client_settings import client_settings
from ima2.cli.destination import CLIPS, Destination, write_new
from ima2.cli.generation import ask_cancelable, list_warnings
from ima2.cli.job_request import JobRequest, read_prompt
from ima2.cli.names import free_names, request_id
from ima2.cli.progress import live
from ima2.cli.server_discovery import open_worker
from ima2.errors import Ima2Error
from ima2.files import write_whole
from ima2.media.sniff import media_type_of

_MODE = 0o666


@click.command(cls=video_common.VideoCommand)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@video_common.source_option
@video_common.model_option
@image_options.any_model_option
@image_options.provider_option
@image_options.no_wait_option
@options.quiet
@video_common.out_option
@video_common.force_option
@video_common.timeout_option(video_common.JOB_S)
@options.client_options
def edit(server: str | None, as_json: bool, words: tuple[str, ...], **given: Any) -> None:
    """Make a new clip: --video, changed as PROMPT says.

    CLIP is a clip of the gallery, an https or data:video address, or an upstream's file id.
    """
    _change("edit", server, as_json, words, given)


@click.command(cls=video_common.VideoCommand)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@video_common.source_option
@video_common.duration_option(2, 10, 6)
@video_common.model_option
@image_options.any_model_option
@image_options.provider_option
@image_options.no_wait_option
@options.quiet
@video_common.out_option
@video_common.force_option
@video_common.timeout_option(video_common.JOB_S)
@options.client_options
def extend(server: str | None, as_json: bool, words: tuple[str, ...], **given: Any) -> None:
    """Make a new clip: --video and --duration more seconds, as PROMPT says.

    CLIP is a clip of the gallery, an https or data:video address, or an upstream's file id.
    """
    _change("extend", server, as_json, words, given)


def _change(kind: str, server: str | None, as_json: bool, words: tuple[str, ...], given: dict[str, Any]) -> None:
    body = {
        "prompt": read_prompt(words, missing=video_common.NO_PROMPT),
        "videoUrl": given["source"],
        "duration": given.get("duration"),
        "model": given["model"],
        "allowUnknownModel": given["any_model"] or None,
        "provider": given["provider"],
        "requestId": request_id(f"video_{kind}"),
        "queue": None if given["no_wait"] else True,
    }
    destination = Destination(client_settings().generated, given["out"], force=given["force"], endings=CLIPS)
    destination.prepare()
    request = JobRequest(
        image_options.drop_unset(body), destination, given["timeout"], as_json, f"/api/video/{kind}", video_common.JOB_S
    )
    answer, path = options.run_async(_run_change(server, request))
    if as_json:
        video_common.print_indented({**answer, **({"path": path} if path else {})})
        return
    image_options.print_warnings(list_warnings(answer))
    seconds = answer.get("duration")
    total = f"  {seconds} s" if kind == "extend" and isinstance(seconds, int | float) else ""
    click.echo(output.tick(f"{path or answer.get('url') or answer.get('filename')}{total}"))


async def _run_change(server: str | None, request: JobRequest) -> tuple[dict[str, Any], str | None]:
    """The answer, and the file that was written where one was named."""
    async with open_worker(server) as client:
        await check_with(client, request.body, "video")
        answer = await ask_cancelable(client, request)
        if request.destination.file is None:
            return answer, None
        (row,) = request.deliver([await video_common.fetch(client, answer, request.limit)])
        return answer, row["path"]


@click.command(cls=video_common.VideoCommand)
@click.argument("file", metavar="CLIP")
@click.option("--last", is_flag=True, help="The last frame; also what comes where no --position is given.")
@click.option("--position", type=click.FloatRange(min=0), metavar="SEC", help="The frame at this second.")
@video_common.out_option
@video_common.force_option
@video_common.timeout_option(video_common.FRAME_S)
@options.client_options
def frame(
    server: str | None,
    as_json: bool,
    file: str,
    last: bool,
    position: float | None,
    out: Path | None,
    force: bool,
    timeout: int | None,
) -> None:
    """Save a frame of CLIP, a clip of the gallery, as a PNG: to -o, or into the current folder."""
    if last and position is not None:
        raise click.UsageError("--last and --position exclude each other.")
    Destination(client_settings().generated, out, force=force, endings=(".png",)).prepare()
    name = video_common.gallery_name(file)
    where = "last" if position is None else f"{position:g}"
    data = options.run_async(_frame(server, name, where, timeout or video_common.FRAME_S, quiet=as_json))
    path = _save(name, out, data)
    if as_json:
        output.print_json({"ok": True, "path": str(path), "bytes": len(data)})
        return
    click.echo(output.tick(f"Frame saved: {path} ({len(data)} bytes)"))


async def _frame(server: str | None, name: str, position: str, limit: float, *, quiet: bool) -> bytes:
    async with open_worker(server) as client, live(_nothing, quiet=quiet):
        query = urlencode({"file": name, "position": position})
        data = await client.download(f"/api/video/frame?{query}", limit)
    if not (media_type_of(data) or "").startswith("image/"):
        raise Ima2Error("ANSWER_INVALID", 0, "The server answered with something that is no picture.")
    return data


def _save(name: str, out: Path | None, data: bytes) -> Path:
    """The file that was named, or a new ``frame-<clip>.png`` in the current folder."""
    if out is not None:
        write_whole(out, data, mode=_MODE)
        return out
    for free in free_names(f"frame-{Path(name).stem}", "png"):
        try:
            write_new(Path(free), data)
        except FileExistsError:
            continue
        return Path(free)
    raise AssertionError("unreachable: there is always another name")


@click.command(cls=video_common.VideoCommand)
@click.argument("file", metavar="CLIP")
@image_options.provider_option
@video_common.timeout_option(video_common.ANALYSIS_S)
@options.client_options
def analyze(server: str | None, as_json: bool, file: str, provider: str | None, timeout: int | None) -> None:
    """Describe CLIP, a clip of the gallery, in words."""
    body = image_options.drop_unset({"videoUrl": video_common.gallery_name(file), "provider": provider})
    answer = options.run_async(_analysis(server, body, timeout or video_common.ANALYSIS_S, quiet=as_json))
    if as_json:
        video_common.print_indented(answer)
        return
    if not isinstance(answer.get("analysis"), str):
        raise Ima2Error("ANSWER_INVALID", 0, "The server answered without a description.")
    click.echo(answer["analysis"])


async def _analysis(server: str | None, body: dict[str, Any], limit: float, *, quiet: bool) -> dict[str, Any]:
    async with open_worker(server) as client:
        await check_with(client, body, "video")
        async with live(_nothing, quiet=quiet):
            return await client.ask("POST", "/api/video/analyze", body=body, limit=limit)


async def _nothing() -> None:
    """The phase of something that has none."""


COMMANDS = (edit, extend, frame, analyze)
