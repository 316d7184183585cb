"""Many prompts at once: one a line, or JSON lines with options. What is there already is not made again."""

from __future__ import annotations

import asyncio
import json
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from ima2.cli.choices import check_with
from ima2.cli.generation import generate
from ima2.cli.interruption import watch_interrupts
from ima2.cli.job_request import JobRequest
from ima2.cli.money import cost_fields
from ima2.cli.names import request_id
from ima2.cli.output import INTERRUPTED, envelope
from ima2.cli.server_discovery import open_worker
from ima2.cli.text_input import check_text
from ima2.client import Client
from ima2.errors import Ima2Error

TEMPLATE = "{n:03}-{prompt}.png"
FIELDS = frozenset("prompt size quality model provider format moderation reasoningEffort options mode out".split())
_NAMES = ("prompt", "size", "model", "provider", "quality")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a batch: its number from 1, the fields it gives, and the file that its picture becomes."""

    number: int
    fields: Mapping[str, Any] = field(repr=False)
    file: Path


@dataclass(slots=True)
class Tally:
    """How a batch went: a row for each item, in order, and the last failure."""

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    failure: Ima2Error | None = None

    @property
    def cost(self) -> dict[str, float]:
        """What it cost altogether, reported and estimated, as far as that is known."""
        names = ("cost", "costEstimate")
        sums = {name: [row[name] for row in self.rows.values() if name in row] for name in names}
        return {name: round(sum(amounts), 6) for name, amounts in sums.items() if amounts}


def parse_items(text: str, template: str, folder: Path | None, common: Mapping[str, Any]) -> list[Item]:
    """The lines of a batch. Blank ones and those that begin with ``#`` do not count.

    Everything is checked before anything is made: `click.UsageError` names the line.
    """
    items: list[Item] = []
    names: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = _fields(line.strip(), number)
        name = _name(str(fields.pop("out", template)), len(items) + 1, {**common, **fields}, number)
        file = (folder or Path()) / name
        if file in names:
            raise click.UsageError(f"--prompts: lines {names[file]} and {number} would both become {file}; use {{n}}.")
        names[file] = number
        items.append(Item(len(items) + 1, fields, file))
    if not items:
        raise click.UsageError("--prompts: there is no prompt in it.")
    return items


async def run_batch(
    items: Sequence[Item], common: JobRequest, server: str | None, parallel: int, tell: Callable[[dict[str, Any]], None]
) -> Tally:
    """Make what is missing, so many at once; ``tell`` is called with each row as it comes.

    One that fails does not stop the others. Ctrl-C cancels what is at work and keeps what was made.
    """
    tally, places = Tally(), asyncio.Semaphore(parallel)
    async with open_worker(server) as client, watch_interrupts() as asked:
        for item in items:
            await check_with(client, {**common.body, **item.fields})

        async def work(item: Item) -> None:
            async with places:
                if asked.is_set():
                    return
                tally.rows[item.number] = row = await _make(client, item, common, asked, tally)
            tell(row)

        await asyncio.gather(*(work(item) for item in items))
    return tally


async def _make(client: Client, item: Item, common: JobRequest, asked: asyncio.Event, tally: Tally) -> dict[str, Any]:
    row: dict[str, Any] = {"n": item.number, "path": str(item.file)}
    if item.file.exists() and not common.destination.force:
        return {**row, "ok": True, "skipped": True}
    body = {**common.body, **item.fields, "requestId": request_id("gen")}
    request = replace(common, body=body, destination=replace(common.destination, file=item.file, folder=None))
    try:
        request.destination.prepare()
        answer = await generate(client, request, asked)
        request.deliver(answer.pictures[:1])
    except (Ima2Error, click.UsageError, OSError) as error:
        known = error if isinstance(error, Ima2Error) else Ima2Error("IO_ERROR", 0, str(error))
        if tally.failure is None or tally.failure.code != INTERRUPTED:
            tally.failure = known
        return {**row, **envelope(known)}
    return {**row, "ok": True, "requestId": request.request_id, **cost_fields(answer.answer)}


def _fields(line: str, number: int) -> dict[str, Any]:
    if not line.startswith("{"):
        return {"prompt": check_text(line)}
    try:
        fields = json.loads(line)
    except ValueError:
        raise click.UsageError(f"--prompts: line {number} begins like JSON and is none.") from None
    if not isinstance(fields, dict) or not str(fields.get("prompt") or "").strip():
        raise click.UsageError(f"--prompts: line {number} has no prompt.")
    if unknown := sorted(fields.keys() - FIELDS):
        raise click.UsageError(f"--prompts: line {number}: nothing is called {', '.join(unknown)}.")
    check_text(str(fields["prompt"]))
    return fields


def _name(template: str, count: int, fields: Mapping[str, Any], number: int) -> str:
    """The file name that a template gives. What comes out of a prompt can lead to no other folder."""
    values = {
        name: _plain(str(fields.get(name) or "auto")) for name in ("prompt", "size", "model", "provider", "quality")
    }
    try:
        return string.Formatter().vformat(template, (), {"n": count, **values})
    except (KeyError, ValueError, IndexError, AttributeError):
        known = ", ".join(f"{{{one}}}" for one in ("n", *values))
        raise click.UsageError(f"-o: line {number}: {template} is no template; it may hold {known}.") from None


def _plain(text: str) -> str:
    words = re.sub(r"[^\w-]+", "-", text, flags=re.UNICODE).strip("-")
    return words[:_LONGEST_NAME].rstrip("-") or "picture"
