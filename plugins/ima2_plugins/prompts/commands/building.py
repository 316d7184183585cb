"""The prompt builder, and templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ima2 import terminal
from ima2_plugins.prompts.commands.inputs import document, given_text, picture

BUILD_S = 420.0


@click.command(context_settings=terminal.CONTEXT)
@click.option("--message", metavar="TEXT", help="What to say; @file, or - for standard input.")
@click.option("--messages", metavar="FILE", help="A whole conversation as JSON: a list of {role, content}.")
@click.option("--model", metavar="ID", help="Which model of words.")
@click.option("--provider", metavar="ID", help="Which provider; the first that is ready by default.")
@click.option("--ref", multiple=True, metavar="FILE", help="A picture to look at; may be repeated.")
@click.option("--language", metavar="NAME", help="The language to talk in.")
@click.option("--structured", is_flag=True, help="Ask for a finished prompt, in parts.")
@terminal.client_options
def build(server: str | None, as_json: bool, ref: Sequence[str], structured: bool, **given: Any) -> None:
    """Talk about a prompt with a model of words. May cost money."""
    talk = _conversation(given["message"], given["messages"])
    if ref:
        talk[-1] = {**talk[-1], "attachments": [*talk[-1].get("attachments", []), *map(picture, ref)]}
    named = {name: given[name] for name in ("model", "provider", "language") if given[name]}
    body = {"messages": talk, **named, **({"structured": True} if structured else {})}
    answer = terminal.ask(server, "POST", "/api/prompt-builder/chat", body=body, limit=BUILD_S)
    for one in answer.get("warnings", []):
        terminal.remark(one["message"])
    terminal.print_json(answer) if as_json else click.echo(answer["message"]["content"])


@click.command(context_settings=terminal.CONTEXT)
@click.argument("text")
@click.option("--seed", type=click.IntRange(min=0), help="The same seed gives the same words.")
@click.option("-n", "--count", type=click.IntRange(1, 200), help="How many variants.")
@click.option("--index", type=click.IntRange(min=0), help="Which variant comes first.")
@terminal.client_options
def expand(server: str | None, as_json: bool, text: str, **given: int | None) -> None:
    """Show what the template TEXT (or @file, or -) gives, a variant a line. Nothing is run."""
    body = {"text": given_text("TEXT", text), **{name: value for name, value in given.items() if value is not None}}
    answer = terminal.ask(server, "POST", "/api/prompts/templates/expand", body=body)
    if as_json:
        terminal.print_json(answer)
        return
    for row in answer["prompts"]:
        click.echo(terminal.plain(row["prompt"]))
    terminal.remark(f"seed {answer['seed']}")


@click.command(context_settings=terminal.CONTEXT)
@terminal.client_options
def lists(server: str | None, as_json: bool) -> None:
    """Show the lists that templates draw from."""
    answer = terminal.ask(server, "GET", "/api/prompts/templates/lists")
    for one in answer["warnings"]:
        terminal.remark(one)
    if as_json:
        terminal.print_json(answer)
    elif not answer["lists"]:
        click.echo("(no lists)")
    else:
        click.echo(terminal.table(("NAME", "LINES"), [(one["name"], str(one["lines"])) for one in answer["lists"]]))


def _conversation(message: str | None, messages: str | None) -> list[dict[str, Any]]:
    if (message is None) == (messages is None):
        raise click.UsageError("Say either --message or --messages.")
    if message is not None:
        return [{"role": "user", "content": given_text("--message", message)}]
    found = document("--messages", messages or "")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise click.UsageError("--messages: this is no list of {role, content}.")
    return found
