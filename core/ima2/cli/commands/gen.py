"""ima2 gen: pictures from words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ima2.cli import image_options, options, output
from ima2.cli.destination import PICTURES
from ima2.cli.generation import detach, run_job
from ima2.cli.job_answer import JobAnswer
from ima2.cli.job_request import DEFAULT_WAIT_S, JobRequest, read_prompt, read_references
from ima2.cli.money import cost_fields, describe_cost
from ima2.cli.names import request_id
from ima2.cli.text_input import encoding_option, read_text
from ima2.client import UNREACHABLE
from ima2.errors import Ima2Error

if TYPE_CHECKING:
    from ima2.cli.batch import Tally

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
  ima2 gen --prompts icons.txt -d icons -o "{n:02}-{prompt}.png"
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("words", metavar="PROMPT...", nargs=-1)
@click.option("-n", "--count", default=1, show_default=True, type=click.IntRange(1, 8), help="How many pictures.")
@image_options.references_option
@image_options.image_options
@encoding_option
@image_options.timeout_option(DEFAULT_WAIT_S)
@click.option("--no-save", is_flag=True, help="Print the pictures as data URLs.")
@click.option("--stdin", is_flag=True, help="Add standard input to the prompt; PROMPT - does too.")
@click.option(
    "--prompts", metavar="FILE", help="Many prompts: one a line, or JSON lines with options; - is standard input."
)
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(1, 64), help="How many of them at once.")
@click.option("--storyboard", is_flag=True, help="One sheet of keyframes for a clip.")
@click.option("--detach", is_flag=True, help="Hand the job to the server, print its id and leave.")
@options.client_options
def gen(server: str | None, as_json: bool, detach: bool, **given: Any) -> None:
    """Make pictures from PROMPT.

    They go to -o or -d; without either they stay in the gallery, and their files there are named. Where no server
    runs, the work is done here.
    """
    if given["prompts"]:
        run_prompts(given, server, as_json=as_json, detach=detach)
        return
    request = _build_request(given, as_json=as_json, detach=detach)
    request.destination.prepare()
    if detach:
        _print_detached(*options.run_async(_detach(request, server)), as_json=as_json)
        return
    result, base = options.run_async(run_job(request, server))
    _print(request, result, base, as_json=as_json)


def run_prompts(given: dict[str, Any], server: str | None, *, as_json: bool, detach: bool) -> None:
    """Make a picture for each line of a file; what is there already is left as it is."""
    from ima2.cli.batch import TEMPLATE, parse_items, run_batch

    if given["words"] or given["stdin"] or given["count"] > 1 or detach or given["no_save"] or given["out"] == "-":
        raise click.UsageError("--prompts takes no PROMPT, --stdin, -n, --detach, --no-save and no -o -.")
    if not given["out"] and not given["out_dir"]:
        raise click.UsageError("--prompts wants a folder (-d), or names (-o) with {n}, {prompt}, {size}, {model}, ...")
    text = read_text("--prompts", Path(given["prompts"]), given["encoding"])
    common = _build_request({**given, "words": ("lines",), "out": None}, as_json=as_json, detach=False)
    common = replace(common, quiet=True, destination=replace(common.destination, endings=PICTURES))
    items = parse_items(text, given["out"] or TEMPLATE, given["out_dir"], common.body)
    tally = options.run_async(
        run_batch(items, common, server, given["parallel"], _tell_row if not as_json else _ignore)
    )
    _print_tally(tally, len(items), as_json=as_json)


def _tell_row(row: dict[str, Any]) -> None:
    if row.get("skipped"):
        click.echo(output.style(f"· {row['path']} is there", "dim"))
    elif row["ok"]:
        click.echo(output.tick(row["path"]))
    else:
        click.echo(output.cross(f"{row['path']}: {output.plain(row['error'])} ({row['code']})"), err=True)


def _ignore(_: dict[str, Any]) -> None:
    """Nothing is said on the way."""


def _print_tally(tally: Tally, count: int, *, as_json: bool) -> None:
    rows = [row for _, row in sorted(tally.rows.items())]
    skipped = sum(bool(row.get("skipped")) for row in rows)
    made = sum(bool(row["ok"]) for row in rows) - skipped
    facts = {"made": made, "skipped": skipped, "failed": len(rows) - made - skipped, "left": count - len(rows)}
    if as_json:
        head = {"ok": True} if tally.failure is None else output.envelope(tally.failure)
        output.print_json({**head, **facts, **tally.cost, "items": rows})
    else:
        cost = describe_cost(tally.cost)
        click.echo(output.style(", ".join(f"{n} {name}" for name, n in facts.items() if n or name == "made"), "bold"))
        if cost:
            click.echo(output.style(f"cost {cost}", "dim"))
    if tally.failure is not None:
        click.get_current_context().exit(output.exit_code(tally.failure.code, tally.failure.status))


def _build_request(given: dict[str, Any], *, as_json: bool, detach: bool) -> JobRequest:
    """Check everything that can be checked here, and build the request."""
    prompt = read_prompt(given["words"], stdin=given["stdin"], encoding=given["encoding"])
    look = image_options.image_fields(given)
    if given["out"] and given["out"] != "-" and given["out_dir"]:
        raise click.UsageError("-o and -d exclude each other: -o names the file with its folder.")
    if given["out"] and given["count"] > 1:
        raise click.UsageError("-o takes one picture: use -d with -n.")
    destination = image_options.destination_from(given, as_json=as_json, text=given["no_save"])
    if detach and (given["out"] == "-" or given["no_save"]):
        raise click.UsageError("--detach leaves before there is a picture: it takes no -o - and no --no-save.")
    body = {
        "prompt": prompt,
        "n": given["count"],
        "references": read_references(given["refs"]),
        "requestId": request_id("gen"),
        "partials": 0,
        "storyboard": given["storyboard"] or None,
        **look,
    }
    return JobRequest(image_options.drop_unset(body), destination, given["timeout"], as_json)


async def _detach(request: JobRequest, server: str | None) -> tuple[str, str]:
    from ima2.cli.choices import check_with
    from ima2.cli.server_discovery import connect, seek

    found = await seek(server)
    if found is None:
        raise Ima2Error(UNREACHABLE, 0, "No ima2 server is running here, and --detach needs one to hand the job to.")
    async with connect(found.base) as client:
        await check_with(client, request.body)
        return await detach(client, request), found.base


def _print_detached(job: str, base: str, *, as_json: bool) -> None:
    output.print_json({"ok": True, "requestId": job, "async": True, "server": base}) if as_json else click.echo(job)


def _print(request: JobRequest, result: JobAnswer, base: str | None, *, as_json: bool) -> None:
    rows = request.deliver(result.pictures)
    if as_json:
        head: dict[str, Any] = {"ok": True, "requestId": request.request_id}
        head |= {"recovered": True} if result.recovered else {"elapsed": result.elapsed}
        more = {**({"warnings": result.warnings} if result.warnings else {}), **cost_fields(result.answer)}
        output.print_json({**head, "images": rows, **more, "server": base})
        return
    image_options.print_warnings(result.warnings)
    image_options.print_files(request.destination, rows, result.elapsed, describe_cost(result.answer))
