"""``ima2 agent``: conversations on the command line."""

from __future__ import annotations

import asyncio
import sys
from typing import Any
from urllib.parse import quote

import click

import ima2
from ima2 import terminal
from ima2_plugins.agent.following import Follower, lines

agent = terminal.Group("agent", help="Conversations that draw: new, ls, show, ask, chat, queue, cancel, rm.")


def _path(session: str, *more: str) -> str:
    return "/".join(("/api/agent/sessions", quote(session, safe=""), *more))


@agent.command()
@click.argument("title", required=False)
@click.option("--image", metavar="FILE", help="A picture of the gallery to go on from.")
@click.option("--no-web-search", is_flag=True, help="Do not let the provider search the web.")
@terminal.client_options
def new(server: str | None, as_json: bool, title: str | None, image: str | None, no_web_search: bool) -> None:
    """Begin a session, and print its id."""
    body: dict[str, Any] = {"title": title, "webSearchEnabled": not no_web_search}
    if image:
        body["currentImage"] = {"filename": image}
    answer = terminal.ask(server, "POST", "/api/agent/sessions", body=body)
    terminal.print_json(answer) if as_json else click.echo(answer["selectedSessionId"])


@agent.command("ls")
@terminal.client_options
def list_sessions(server: str | None, as_json: bool) -> None:
    """List the sessions, the last changed first."""
    answer = terminal.ask(server, "GET", "/api/agent/sessions", query={"turns": 1})
    if as_json:
        terminal.print_json({"sessions": answer["sessions"]})
        return
    states = answer["runSummaryBySession"]
    rows = [
        (one["id"], states[one["id"]]["status"], str(one["imageCount"]), one["title"]) for one in answer["sessions"]
    ]
    click.echo(terminal.table(("SESSION", "STATE", "PICTURES", "TITLE"), rows) if rows else "No sessions yet.")


@agent.command()
@click.argument("session")
@click.option("--manifest", is_flag=True, help="Only what the session holds to.")
@terminal.client_options
def show(server: str | None, as_json: bool, session: str, manifest: bool) -> None:
    """Show a session: its turns, pictures and what it holds to."""
    answer = terminal.ask(server, "GET", _path(session))
    if as_json:
        terminal.print_json(answer)
        return
    if manifest:
        click.echo(lines(answer["manifest"]))
        return
    for turn in answer["turnsBySession"][session]:
        if turn["role"] != "tool":
            click.echo(f"{turn['role']}: {lines(turn['text'])}")
        for image in turn["imageIds"] if turn["role"] == "assistant" else ():
            click.echo(f"  {answer['imagesById'].get(image, {}).get('filename', image)}")


@agent.command()
@click.argument("session")
@click.argument("words", nargs=-1, required=True)
@click.option("--detach", is_flag=True, help="Do not wait; print the id of the queued item.")
@click.option("--provider", help="Who draws.")
@click.option("--model", help="Its model.")
@click.option("--quality", help="Quality of the picture.")
@click.option("--size", help="Size of the picture.")
@click.option("--format", help="File format.")
@terminal.client_options
def ask(server: str | None, as_json: bool, session: str, words: tuple[str, ...], detach: bool, **given: Any) -> None:
    """Write WORDS into a SESSION and follow what comes of it. Exit code 1 when nothing did."""
    options = {name: value for name, value in given.items() if value}
    body = {"prompt": " ".join(words), "options": options}

    async def work() -> int:
        async with ima2.command_context("agent").client(server, here=True) as client:
            return await Follower(client, session, as_json=as_json).ask(body, detach=detach)

    click.get_current_context().exit(terminal.run_async(work()))


@agent.command()
@click.argument("session", required=False)
@terminal.client_options
def chat(server: str | None, as_json: bool, session: str | None) -> None:
    """Talk: a line is a request, an empty one or Ctrl-D ends it. Without SESSION a new one begins."""

    async def work() -> None:
        async with ima2.command_context("agent").client(server, here=True) as client:
            name = session or await _begin(client)
            follower = Follower(client, name, as_json=as_json)
            while line := await asyncio.to_thread(_line):
                try:
                    await follower.ask({"prompt": line})
                except ima2.Ima2Error as error:
                    terminal.remark(f"{error.text} ({error.code})")

    terminal.run_async(work())


async def _begin(client: ima2.Client) -> str:
    answer = await client.ask("POST", "/api/agent/sessions", body={})
    terminal.remark(f"Session {answer['selectedSessionId']}; /help says what can be written.")
    return str(answer["selectedSessionId"])


def _line() -> str:
    if sys.stdin.isatty():
        click.echo("> ", nl=False, err=True)
    return sys.stdin.readline().strip()


@agent.command("queue")
@click.argument("session", required=False)
@terminal.client_options
def list_queue(server: str | None, as_json: bool, session: str | None) -> None:
    """List what runs, waits and has ended, of one SESSION or of all."""
    answer = terminal.ask(server, "GET", _path(session, "queue") if session else "/api/agent/queue")
    if as_json:
        terminal.print_json(answer)
        return
    rows = [
        (one["id"], one["status"], str(one["plan"].get("plannedVariants", 1)), terminal.short(one["prompt"], 60))
        for one in answer["queue"]
    ]
    click.echo(terminal.table(("ITEM", "STATE", "COUNT", "PROMPT"), rows) if rows else "Nothing is queued.")


@agent.command()
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@click.option("--retry", is_flag=True, help="Let failed or canceled items wait again instead.")
@terminal.client_options
def cancel(server: str | None, as_json: bool, items: tuple[str, ...], retry: bool) -> None:
    """Take items out of the line, or stop them at work; pictures that are finished stay."""
    what = "retry" if retry else "cancel"
    for item in items:
        terminal.ask(server, "POST", f"/api/agent/queue/{quote(item, safe='')}/{what}", body={})
        if not as_json:
            click.echo(terminal.tick(f"{item} {'waits again' if retry else 'canceled'}"))
    if as_json:
        terminal.print_json({"ok": True, "items": list(items)})


@agent.command()
@click.argument("session")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@terminal.client_options
def rm(server: str | None, as_json: bool, session: str, yes: bool) -> None:
    """Delete a session. What it does is stopped; its pictures stay in the gallery."""
    if not terminal.confirm(f"Delete session {session}? Its pictures stay.", yes=yes):
        click.echo("(canceled)")
        return
    terminal.ask(server, "DELETE", _path(session))
    terminal.print_json({"ok": True, "id": session}) if as_json else click.echo(terminal.tick(f"deleted {session}"))
