"""``ima2 comfy``: pictures to a ComfyUI of this machine."""

from __future__ import annotations

import json
from pathlib import Path

import click

import ima2
from ima2 import terminal

comfy = terminal.Group("comfy", help="Hand pictures to ComfyUI (export).")


@comfy.command()
@click.argument("file")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Where the receipt goes [default: FILE.workflow.json]."
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@terminal.client_options
def export(server: str | None, as_json: bool, file: str, out: Path | None, force: bool) -> None:
    """Send the picture FILE of the gallery to ComfyUI, and keep its receipt."""
    target = out or Path(f"{Path(file).name}.workflow.json")
    if target.exists() and not force:
        raise click.UsageError(f"{target} is there already: name another file with -o, or say --force.")
    answer = terminal.ask(server, "POST", "/api/comfy/export-image", body={"filename": file})
    target.parent.mkdir(parents=True, exist_ok=True)
    ima2.write_whole(target, f"{json.dumps(answer, indent=2, ensure_ascii=False)}\n".encode())
    terminal.print_json({"path": str(target)}) if as_json else click.echo(terminal.tick(str(target)))
