"""ima2 edit: change a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ima2.cli import image_options, options, output
from ima2.cli.generation import run_job
from ima2.cli.job_answer import JobAnswer
from ima2.cli.job_request import DEFAULT_WAIT_S, JobRequest, plain_base64, read_input, read_prompt
from ima2.cli.money import cost_fields, describe_cost
from ima2.cli.names import request_id

_EPILOG = """\b
Examples:
  ima2 edit in.png -p "make it rainy" -o wet.png
  ima2 gen "a red fox" -o - | ima2 edit - -p "in snow" -o snow.png
"""


@click.command(context_settings=options.CONTEXT, epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-p", "--prompt", required=True, help="What to change, in words.")
@click.option("--mask", hidden=True, type=click.Path(path_type=Path), help="PNG: only where it is transparent.")
@image_options.image_options
@image_options.timeout_option(DEFAULT_WAIT_S)
@options.client_options
def edit(server: str | None, as_json: bool, **given: Any) -> None:
    """Change the picture FILE (- for standard input) as --prompt says.

    The result goes to -o or -d; without either it stays in the gallery, and its file there is named. Where no server
    runs, the work is done here.
    """
    request = _build_request(given, as_json=as_json)
    request.destination.prepare()
    result, _ = options.run_async(run_job(request, server))
    _print(request, result, as_json=as_json)


def _build_request(given: dict[str, Any], *, as_json: bool) -> JobRequest:
    """Check everything that can be checked here, and build the request."""
    prompt, look = read_prompt([given["prompt"]]), image_options.image_fields(given)
    destination = image_options.destination_from(given, as_json=as_json)
    body = {
        "prompt": prompt,
        "image": plain_base64(read_input("FILE", given["file"])),
        "mask": plain_base64(read_input("--mask", given["mask"])) if given["mask"] else None,
        "requestId": request_id("edit"),
        **look,
    }
    return JobRequest(image_options.drop_unset(body), destination, given["timeout"], as_json, "/api/edit")


def _print(request: JobRequest, result: JobAnswer, *, as_json: bool) -> None:
    rows = request.deliver(result.pictures[:1])
    if not as_json:
        image_options.print_warnings(result.warnings)
        image_options.print_files(request.destination, rows, result.elapsed, describe_cost(result.answer))
        return
    cost = cost_fields(result.answer)
    path, warnings = {"path": rows[0]["path"]}, {"warnings": result.warnings} if result.warnings else {}
    if result.recovered:
        output.print_json({"ok": True, "requestId": request.request_id, "recovered": True, **path, **warnings, **cost})
        return
    output.print_json(
        {
            "ok": True,
            **path,
            "requestId": request.request_id,
            "elapsed": result.elapsed,
            **warnings,
            **cost_fields(result.answer),
        }
    )
