"""What all commands that make pictures can be told: how a picture looks, who makes it, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.client_settings import client_settings
from ima2.cli.destination import PICTURES, Destination
from ima2.cli.job_request import FORMATS, file_format_for, parse_options

Command = Callable[..., Any]
EFFORTS = ("none", "low", "medium", "high", "xhigh")


class ProviderOption(click.Option):
    """``--provider``: its help names what is installed, which is looked up when the help is shown."""

    def make_metavar(self, *args: Any, **kwargs: Any) -> str:
        """``auto|<id>|…``."""
        from ima2.cli.offers import list_offers

        return "|".join(["auto", *(list_offers().providers or ("ID",))])


provider_option = click.option("--provider", cls=ProviderOption, help="Who makes it [default: auto]")
references_option = click.option(
    "--ref", "refs", multiple=True, type=click.Path(path_type=Path), help="Reference picture; up to 5 times."
)


no_wait_option = click.option(
    "--no-wait", is_flag=True, help="Fail where as many jobs run as the server takes, in place of waiting in line."
)


any_model_option = click.option(
    "--any-model", is_flag=True, help="Send --model as it is, also where the provider does not know it."
)


def image_options(command: Command) -> Command:
    """Add the options that `image_fields` and `destination_from` read."""
    for option in reversed(_LOOK):
        command = option(command)
    return command


def timeout_option(seconds: int) -> Callable[[Command], Command]:
    """``--timeout``, with what is waited where it is not given."""
    said = f"Longest wait [default: {seconds} for an answer]"
    return click.option("--timeout", type=click.IntRange(min=1), metavar="SEC", help=said)


_LOOK = (
    click.option("-q", "--quality", default="low", show_default=True, metavar="low|medium|high", help="How fine."),
    click.option("-s", "--size", default="1024x1024", show_default=True, metavar="WxH|auto", help="Size in pixels."),
    click.option("-o", "--out", help="Write the one picture to this file; - is standard output."),
    click.option("-d", "--out-dir", type=click.Path(path_type=Path), help="Write into this folder."),
    click.option(
        "--format", "file_format", type=click.Choice(list(FORMATS)), help="File format [default: of -o, or png]"
    ),
    click.option("--force", is_flag=True, help="Replace the file of -o; allow much data on a terminal."),
    click.option("--model", help="See `ima2 capabilities`."),
    any_model_option,
    provider_option,
    click.option(
        "--mode",
        type=click.Choice(["auto", "direct"]),
        default="auto",
        show_default=True,
        help="Whether words are improved.",
    ),
    click.option("--moderation", type=click.Choice(["auto", "low"]), default="low", show_default=True),
    click.option("--session", metavar="ID", help="Session it belongs to."),
    no_wait_option,
    options.quiet,
    click.option("--reasoning-effort", type=click.Choice(EFFORTS), help="How long the model thinks first."),
    click.option("--web-search", is_flag=True, help="Let the model search the web."),
    click.option("--no-web-search", is_flag=True, help="Do not."),
    click.option(
        "--option", "extra", multiple=True, metavar="NAME=VALUE", help="An option of the provider; repeatable."
    ),
)


def image_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a request that say how the picture looks and who makes it; ``None`` where nothing was said."""
    if given["web_search"] and given["no_web_search"]:
        raise click.UsageError("--web-search and --no-web-search exclude each other.")
    return {
        "quality": given["quality"],
        "size": given["size"],
        "mode": given["mode"],
        "moderation": given["moderation"],
        "model": given["model"],
        "allowUnknownModel": given["any_model"] or None,
        "sessionId": given["session"],
        "reasoningEffort": given["reasoning_effort"],
        "provider": given["provider"],
        "webSearchEnabled": True if given["web_search"] else False if given["no_web_search"] else None,
        "format": file_format_for(given["file_format"], file_of(given)),
        "options": parse_options(given["extra"]) or None,
        "queue": None if given["no_wait"] else True,
    }


def drop_unset(body: dict[str, Any]) -> dict[str, Any]:
    """A request without the fields of which nothing was said."""
    return {name: value for name, value in body.items() if value is not None}


def file_of(given: dict[str, Any]) -> Path | None:
    """The file that ``-o`` names, if it names one."""
    return Path(given["out"]) if given["out"] and given["out"] != "-" else None


def destination_from(given: dict[str, Any], *, as_json: bool, text: bool = False) -> Destination:
    """Where the pictures go."""
    to_stdout = given["out"] == "-"
    if to_stdout and as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    return Destination(
        client_settings().generated,
        file_of(given),
        given["out_dir"],
        stdout=to_stdout,
        text=text,
        force=given["force"],
        endings=() if given["file_format"] else PICTURES,
    )


def print_warnings(warnings: list[dict[str, Any]]) -> None:
    """What the server warns of, on stderr."""
    for warning in warnings:
        options.remark(f"Warning: {_warning(warning)}")


def print_files(destination: Destination, rows: list[dict[str, Any]], elapsed: object = None, cost: str = "") -> None:
    """A line for each file that was written; how long it took and what it cost, where that is known."""
    if destination.stdout:
        return
    for row in rows:
        click.echo(row["image"] if destination.text else output.tick(row["path"]))
    if output.is_quiet():
        return
    if not destination.text and elapsed is not None:
        click.echo(output.style(f"elapsed {elapsed}s", "dim"))
    if not destination.text and cost:
        click.echo(output.style(f"cost {cost}", "dim"))


def _warning(warning: dict[str, Any]) -> str:
    """One line about a warning of the server, whichever of its shapes it has."""
    said = warning.get("message") or warning.get("reason") or ""
    used = f"; used {warning['normalizedTo']}" if warning.get("normalizedTo") is not None else ""
    place = f" {warning['field']}" if warning.get("field") else ""
    return f"{warning.get('code', 'note')}{place}: {said}{used}".replace(": ;", ":")
