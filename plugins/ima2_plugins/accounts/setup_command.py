"""``ima2 setup``: choose who makes the pictures, and sign in there."""

from __future__ import annotations

import sys
from typing import Any

import click

import ima2
from ima2_plugins.accounts.commands import ASK_S, CONTEXT, run, server, sign_in


@click.command(context_settings=CONTEXT)
@click.option(
    "--choice", metavar="NUMBER", help="Answer the menu beforehand; otherwise it is read from standard input."
)
@click.option("--no-login", is_flag=True, help="Only choose; sign in later with `ima2 login`.")
@server
def setup(choice: str | None, no_login: bool, server: str | None) -> None:
    """Choose the provider that is used where a request names none, and sign in to it. Stored keys stay."""
    run(server, lambda client: _setup(client, choice, no_login))


async def _setup(client: ima2.Client, choice: str | None, no_login: bool) -> None:
    known = (await client.ask("GET", "/api/auth/accounts", limit=ASK_S))["accounts"]
    first = {row["provider"]: row for row in reversed(known)}
    logins = [row for row in known if first[row["provider"]] is row]
    default = (await client.ask("GET", "/api/providers", limit=ASK_S)).get("default") or ""
    menu = [([row], f"{row['title']}{'' if row['problem'] else ' (there is one)'}") for row in logins]
    if len(logins) > 1:
        menu.append((logins, "Both of them" if len(logins) == 2 else "All of them"))
    menu.append(([], "Later, in the Settings of the web page; there one can store keys, too"))
    chosen = _choose([text for _, text in menu], choice)
    rows: list[dict[str, Any]] = menu[chosen][0]
    if provider := rows[0]["provider"] if rows else default:
        await client.ask("PUT", "/api/config/provider", body={"provider": provider}, limit=ASK_S)
    for row in () if no_login else rows:
        if row["problem"] is None:
            click.echo(f"{row['title']}: there is one already.")
            continue
        try:
            await sign_in(client, row["name"])
        except ima2.Ima2Error as error:
            if len(rows) == 1:
                raise
            click.echo(f"{row['title']}: {error.text}", err=True)
    click.echo("Done. Start the studio with `ima2 serve`; `ima2 doctor` says what is missing.")


def _choose(texts: list[str], answer: str | None) -> int:
    """The place of the entry that is chosen. Ends with a usage error where nothing usable comes."""
    for number, text in enumerate(texts, 1):
        click.echo(f"  {number}  {text}")
    if answer is None:
        click.echo("Who is to make the pictures? ", nl=False)
        answer = sys.stdin.readline()
    if answer.strip() not in {str(number) for number in range(1, len(texts) + 1)}:
        raise click.UsageError(f"Nothing was stored: answer with a number from 1 to {len(texts)}.")
    return int(answer) - 1
