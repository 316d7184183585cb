"""What the commands read: texts, JSON documents and pictures."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal

yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


def given_text(flag: str, value: str) -> str:
    """The text itself, of a file (``@file``) or of standard input (``-``)."""
    if value != "-" and not value.startswith("@"):
        return value
    text = terminal.read_text(flag, Path(value.removeprefix("@")))
    if not text.strip():
        raise click.UsageError(f"{flag}: there is no text.")
    return text


def document(flag: str, value: str) -> Any:
    """A JSON document of a file (``file``, ``@file``) or of standard input (``-``)."""
    text = terminal.read_text(flag, Path(value if value == "-" else value.removeprefix("@")))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise click.UsageError(f"{flag}: this is no JSON document.") from None


def picture(path: str) -> dict[str, Any]:
    """A picture as an attachment of the prompt builder."""
    data = terminal.read_bytes(Path(path))
    media_type = ima2.media_type_of(data)
    if media_type is None or not media_type.startswith("image/"):
        raise click.UsageError(f"--ref: {path} is no PNG, JPEG or WebP picture.")
    url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {"kind": "image", "name": Path(path).name, "mimeType": media_type, "size": len(data), "dataUrl": url}


def split(values: Sequence[str], listed: str | None) -> list[str]:
    """What was given one by one and in a list with commas."""
    return [*values, *(one.strip() for one in (listed or "").split(",") if one.strip())]


def segment(value: str) -> str:
    """An id as a part of a path."""
    return quote(value, safe="")


def show_document(value: Any, *, compact: bool) -> None:
    """JSON in one line, or with indents for people."""
    terminal.print_json(value) if compact else click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def report(answer: Any, as_json: bool, line: Callable[[Any], str]) -> None:
    """The answer as JSON, or a line with a tick."""
    terminal.print_json(answer) if as_json else click.echo(terminal.tick(terminal.plain(line(answer))))
