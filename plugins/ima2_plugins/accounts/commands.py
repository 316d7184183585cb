"""``ima2 keys``, ``login``, ``logout``, ``quota`` and ``billing``: by the running server, else in this process."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import click

import ima2

PLUGIN = "accounts"
ASK_S = 60.0
CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
server = click.option("--server", metavar="URL", help="Ask this server, and no other.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
Work = Callable[[ima2.Client], Coroutine[Any, Any, Any]]


@click.group(context_settings=CONTEXT)
def keys() -> None:
    """Show, store and remove keys of providers. They are kept in config.json."""


@keys.command("list")
@server
@as_json
def list_keys(server: str | None, as_json: bool) -> None:
    """Show which keys there are, masked, and where each comes from."""
    found = run(server, lambda client: client.ask("GET", "/api/keys/status", limit=ASK_S))
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, row in found.items():
        place = row["env"] if row["source"] == "env" else "config.json"
        state = f"{row['maskedKey']} (from {place})" if row["configured"] else "-"
        click.echo(f"{name:<12} {state:<40} {row['title']}")


@keys.command("set")
@click.argument("name")
@click.option("--file", type=click.File(), help="Read it from a file, - is standard input. It is asked for otherwise.")
@click.option("--unchecked", is_flag=True, help="Store it although the provider cannot be asked.")
@server
def set_key(name: str, file: Any, unchecked: bool, server: str | None) -> None:
    """Store the key NAME (see `ima2 keys list`), after trying it out. It is no argument: no history is to keep it."""

    async def work(client: ima2.Client) -> Any:
        known = await client.ask("GET", "/api/keys/status", limit=ASK_S)
        if name not in known:
            raise ima2.Ima2Error("INVALID_PROVIDER", 400, f"There is no key {name}. There are: {', '.join(known)}.")
        row = known[name]
        value = file.read() if file else await _ask_for_key(row)
        body = {"apiKey" if row["kind"] == "key" else "serviceAccountJson": value, "unchecked": unchecked}
        return await client.ask("PUT", f"/api/keys/{name}", body=body, limit=ASK_S)

    run(server, work)
    click.echo(f"Stored the key {name}.")


@keys.command("rm")
@click.argument("name")
@server
def remove_key(name: str, server: str | None) -> None:
    """Remove the key NAME from config.json."""
    run(server, lambda client: client.ask("DELETE", f"/api/keys/{name}", limit=ASK_S))
    click.echo(f"The key {name} is not stored (any more).")


@click.command(context_settings=CONTEXT)
@click.argument("name", required=False)
@click.option("--method", default="", help="device, browser, paste, or what the provider has besides.")
@server
def login(name: str | None, method: str, server: str | None) -> None:
    """Sign in to the account NAME; without NAME, say which there are."""

    async def work(client: ima2.Client) -> None:
        known = (await client.ask("GET", "/api/auth/accounts", limit=ASK_S))["accounts"]
        if name is None:
            for row in known:
                click.echo(
                    f"{row['name']:<12} {row['title']} (by {', '.join(row['methods'])})\n             {row['hint']}"
                )
            return
        await sign_in(client, name, method)

    run(server, work)


@click.command(context_settings=CONTEXT)
@click.argument("name")
@server
def logout(name: str, server: str | None) -> None:
    """Forget the login of the account NAME."""
    found = run(server, lambda client: client.ask("POST", "/api/auth/logout", body={"provider": name}, limit=ASK_S))
    click.echo(f"Signed out of {name}." if found["removed"] else f"You were not signed in to {name}.")


@click.command(context_settings=CONTEXT)
@server
@as_json
def quota(server: str | None, as_json: bool) -> None:
    """Show what is left of each plan."""
    found = run(server, lambda client: client.ask("GET", "/api/quota", limit=ASK_S))
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, row in found.items():
        click.echo(f"{name:<12} {_told(row)}")


@click.command(context_settings=CONTEXT)
@server
@as_json
def billing(server: str | None, as_json: bool) -> None:
    """Show what the providers say of the bill, and the quotas below "quota"."""

    async def work(client: ima2.Client) -> dict[str, Any]:
        bill = await client.ask("GET", "/api/billing", limit=ASK_S)
        return {**bill, "quota": await client.ask("GET", "/api/quota", limit=ASK_S)}

    click.echo(json.dumps(run(server, work), indent=None if as_json else 2, ensure_ascii=False))


async def sign_in(client: ima2.Client, name: str, method: str = "") -> None:
    """Sign in to an account, telling what is to be done. Raises where it does not succeed."""
    body = {"provider": name, "method": method}
    begun = await client.ask("POST", "/api/auth/switch", body=body, limit=ASK_S)
    path = f"/api/auth/switch/{begun['sessionId']}"
    click.echo("\n".join(filter(None, (begun["text"], begun["verificationUrl"], begun["userCode"]))))
    try:
        if begun["step"] == "paste":
            text = await asyncio.to_thread(click.prompt, "Paste the address (or only the code)", type=str)
            await client.ask("POST", path, body={"text": text}, limit=ASK_S)
        await _finished(client, path, begun["expiresIn"])
    except BaseException:
        await client.ask("DELETE", path, limit=ASK_S)
        raise
    click.echo(f"Signed in to {name}.")


def _told(row: Mapping[str, Any]) -> str:
    if row.get("error"):
        return "could not be asked"
    if not row.get("authenticated", True):
        return "not signed in"
    windows = [f"{one['label']} {one['percent']} %" for one in row["windows"]]
    money = row.get("billing") or {}
    spent = [] if money.get("usedUsd") is None else [f"${money['usedUsd']:.2f} of ${money['limitUsd'] or 0:.2f}"]
    return ", ".join(windows + spent) or "signed in; nothing is told"


async def _ask_for_key(row: Mapping[str, Any]) -> str:
    if row["kind"] != "key":
        raise ima2.Ima2Error("USAGE", 400, "Name the key file with --file.")
    if not sys.stdin.isatty():
        return sys.stdin.read()
    value: str = await asyncio.to_thread(click.prompt, row["title"], hide_input=True)
    return value


async def _finished(client: ima2.Client, path: str, seconds: float) -> None:
    """Wait until a login is over. Raises where it did not succeed."""
    end = time.monotonic() + seconds + 5
    while time.monotonic() < end:
        state = await client.ask("GET", path, limit=ASK_S)
        if state["status"] == "complete":
            return
        if state["status"] != "pending":
            raise ima2.Ima2Error("LOGIN_FAILED", 502, state.get("error") or "Nobody agreed in time. Begin again.")
        await asyncio.sleep(0.3)
    raise ima2.Ima2Error("LOGIN_EXPIRED", 408, "Nobody agreed in time. Begin again.")


def run(server: str | None, work: Work) -> Any:
    async def inside() -> Any:
        async with ima2.command_context(PLUGIN).client(server, here=True) as client:
            return await work(client)

    return asyncio.run(inside())
