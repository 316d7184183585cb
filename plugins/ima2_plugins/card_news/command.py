"""``ima2 cardnews``: sets of picture cards, by the running server, else in this process."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import click

import ima2
from ima2 import terminal

OFF = (
    "Card news is off on that server: start it with IMA2_CARD_NEWS=1, or run `ima2 config set features.cardNews true`."
)
LONG_S = 1800.0
_DATA = click.option("--data", metavar="JSON", default="{}", help="The body, a JSON object; - reads it from stdin.")

cardnews = terminal.Group("cardnews", help="Make sets of picture cards from a topic.")
template = terminal.Group("template", help="Look at one template.")
set_ = terminal.Group("set", help="Read one set.")
job = terminal.Group("job", help="Draw a set in the background.")
card = terminal.Group("card", help="Draw one card again.")
for group in (template, set_, job, card):
    cardnews.add_command(group)


@cardnews.command()
@terminal.client_options
def templates(server: str | None, as_json: bool) -> None:
    """List the looks of cards and the orders of roles."""
    looks = _ask(server, "GET", "image-templates")["templates"]
    roles = _ask(server, "GET", "role-templates")["templates"]
    if as_json:
        terminal.print_json({"imageTemplates": looks, "roleTemplates": roles})
        return
    click.echo(terminal.table(("TEMPLATE", "WHAT IT IS"), [[one["id"], one["description"]] for one in looks]))
    rows = [[one["id"], ", ".join(role["role"] for role in one["roles"])] for one in roles]
    click.echo(terminal.table(("ROLES", "CARDS"), rows))


@template.command()
@click.argument("id")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else <id>.png here.")
@terminal.client_options
def preview(id: str, out: Path | None, server: str | None, as_json: bool) -> None:
    """Save the preview of a template."""
    _save(server, f"image-templates/{_safe(id)}/preview", out or Path(f"{_safe(id)}.png"), as_json)


@cardnews.command()
@_DATA
@click.option("--topic", help="What the set is about.")
@terminal.client_options
def draft(data: str, topic: str | None, server: str | None, as_json: bool) -> None:
    """Plan the texts of a set."""
    body = _body(data)
    terminal.print_json(_ask(server, "POST", "draft", {**body, "topic": topic} if topic else body))


@cardnews.command()
@_DATA
@terminal.client_options
def generate(data: str, server: str | None, as_json: bool) -> None:
    """Draw a set and wait; the body is the plan of a draft."""
    terminal.print_json(_ask(server, "POST", "generate", _plan(data)))


@cardnews.command("sets")
@terminal.client_options
def sets(server: str | None, as_json: bool) -> None:
    """List sets, newest first."""
    terminal.print_json(_ask(server, "GET", "sets"))


@set_.command()
@click.argument("id")
@terminal.client_options
def show(id: str, server: str | None, as_json: bool) -> None:
    """Print a set as a plan."""
    terminal.print_json(_ask(server, "GET", f"sets/{_safe(id)}"))


@set_.command()
@click.argument("id")
@terminal.client_options
def manifest(id: str, server: str | None, as_json: bool) -> None:
    """Print a set's manifest."""
    terminal.print_json(_ask(server, "GET", f"sets/{_safe(id)}/manifest"))


@job.command()
@_DATA
@terminal.client_options
def create(data: str, server: str | None, as_json: bool) -> None:
    """Begin to draw a set; prints the job."""
    terminal.print_json(_ask(server, "POST", "jobs", _plan(data)))


@job.command("show")
@click.argument("id")
@terminal.client_options
def show_job(id: str, server: str | None, as_json: bool) -> None:
    """Print how far a job is."""
    terminal.print_json(_ask(server, "GET", f"jobs/{_safe(id)}"))


@job.command()
@click.argument("id")
@click.option("--cards", help="Ids with commas between; all that failed where none are named.")
@terminal.client_options
def retry(id: str, cards: str | None, server: str | None, as_json: bool) -> None:
    """Draw failed cards of a job again."""
    body = {"cardIds": [one.strip() for one in cards.split(",") if one.strip()]} if cards else {}
    _done(_ask(server, "POST", f"jobs/{_safe(id)}/retry", body), f"The job {id} draws again.", as_json)


@card.command()
@click.argument("id")
@_DATA
@click.option("--set", "set_id", help="The set that the card is of.")
@terminal.client_options
def regenerate(id: str, data: str, set_id: str | None, server: str | None, as_json: bool) -> None:
    """Draw one card of a set again; all others stay."""
    body = {**_plan(data), **({"setId": set_id} if set_id else {})}
    _done(_ask(server, "POST", f"cards/{_safe(id)}/regenerate", body), f"The card {id} was drawn again.", as_json)


@cardnews.command()
@click.argument("id", required=False)
@_DATA
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else <id>.zip here.")
@terminal.client_options
def export(id: str | None, data: str, out: Path | None, server: str | None, as_json: bool) -> None:
    """Save a set as a ZIP with pictures, texts and manifest."""
    set_id = _safe(id or str(_body(data).get("setId") or ""))
    _save(server, f"sets/{set_id}/export", out or Path(f"{set_id}.zip"), as_json)


def _ask(server: str | None, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    more: dict[str, Any] = {"limit": LONG_S} if body is not None else {}
    try:
        return terminal.ask(server, method, f"/api/cardnews/{path}", body=body, **more)
    except ima2.Ima2Error as error:
        raise _explain(error) from None


def _explain(error: ima2.Ima2Error) -> ima2.Ima2Error | click.UsageError:
    """A 404 without a code of card news: the server has none."""
    off = error.status == 404 and not error.code.startswith("CARD_NEWS")
    return click.UsageError(OFF) if off else error


def _save(server: str | None, path: str, out: Path, as_json: bool) -> None:
    """Download into a file."""

    async def load() -> bytes:
        async with ima2.command_context("card_news").client(server) as client:
            return await client.download(f"/api/cardnews/{path}")

    try:
        data = terminal.run_async(load())
    except ima2.Ima2Error as error:
        raise _explain(error) from None
    ima2.write_whole(out, data)
    if as_json:
        terminal.print_json({"ok": True, "path": str(out)})
    else:
        click.echo(terminal.tick(str(out)))


def _done(answer: dict[str, Any], text: str, as_json: bool) -> None:
    if not as_json:
        click.echo(terminal.tick(text))
    terminal.print_json(answer)


def _plan(data: str) -> dict[str, Any]:
    """A body; the answer of a draft stands for its plan."""
    body = _body(data)
    plan = body.pop("plan", None)
    body.pop("planner", None)
    return {**plan, **body} if isinstance(plan, dict) else body


def _body(data: str) -> dict[str, Any]:
    text = sys.stdin.read() if data == "-" else data
    try:
        body = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise click.UsageError("--data is no JSON.") from None
    if not isinstance(body, dict):
        raise click.UsageError("--data must be a JSON object.")
    return body


def _safe(id: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,120}", id):
        raise click.UsageError("That is no id: it may hold A-Z, a-z, 0-9, _ and -.")
    return id
