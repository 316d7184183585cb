"""``ima2 grok``: sign in and out, and see what the account can do. Needs no running server, and no progrok."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    import httpx

    from ima2_provider_grok.settings import GrokSettings
    from ima2_provider_grok.sign_in import Steps

T = TypeVar("T")
Work = Callable[["GrokSettings", Callable[[], "httpx.AsyncClient"]], Awaitable[T]]

EPILOG = """\
`ima2 grok login` uses --manual-paste unless told otherwise. With IMA2_NO_GROK_PROXY=1 requests go to a progrok proxy of
your own (IMA2_GROK_PROXY_HOST and IMA2_GROK_PROXY_PORT), which has a login of its own."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
def grok() -> None:
    """Sign in to Grok (xAI), for the provider grok. The login is kept where progrok keeps it."""


@grok.command()
@click.option("--manual-paste", is_flag=True, help="Open a page anywhere and paste its code here (the default).")
@click.option("--device", is_flag=True, help="Enter a short code on a page instead; nothing to paste here.")
@click.option("--device-code", "device_code", is_flag=True, hidden=True)
@click.option("--browser", is_flag=True, hidden=True)
@click.option("--local-browser", is_flag=True, help="Open the page on this machine; the browser comes back by itself.")
def login(manual_paste: bool, device: bool, device_code: bool, browser: bool, local_browser: bool) -> None:
    """Sign in with a subscription that has API access."""
    method = "paste" if manual_paste else "device" if device or device_code else "browser" if local_browser else "paste"

    async def work(settings: GrokSettings, http: Callable[[], httpx.AsyncClient]) -> None:
        from ima2_provider_grok import sign_in
        from ima2_provider_grok.login_transport import LoginTransport

        await _follow(sign_in.steps(method, LoginTransport(settings, http).account))

    _run(work)


@grok.command()
def logout() -> None:
    """Forget the login."""
    from ima2_provider_grok.login_file import LoginFile

    gone = LoginFile(_settings().login_file).delete()
    click.echo("Signed out of Grok." if gone else "You were not signed in to Grok.")


@grok.command()
def status() -> None:
    """Say who is signed in, and until when. Asks nobody."""
    from datetime import datetime

    from ima2_provider_grok.login_file import LoginFile

    file = LoginFile(_settings().login_file)
    found = file.read()
    if found is None:
        click.echo("Not signed in to Grok. Run `ima2 grok login`.")
        return
    click.echo(f"Signed in to Grok{f' as {found.email}' if found.email else ''} ({file.path}).")
    if found.expires_at is not None:
        until = datetime.fromtimestamp(found.expires_at / 1000).astimezone()
        renewal = "renewed by itself" if found.refresh_token else "then sign in again"
        click.echo(f"The access token is good until {until:%Y-%m-%d %H:%M %Z}, {renewal}.")


@grok.command()
@click.option("--detail", is_flag=True, help="Also show what each model makes and what it costs.")
@click.pass_context
def models(ctx: click.Context, detail: bool) -> None:
    """List the models of the account. Exit code 1 when not signed in."""

    async def work(settings: GrokSettings, http: Callable[[], httpx.AsyncClient]) -> int:
        from ima2_provider_grok import probe
        from ima2_provider_grok.login_transport import LoginTransport

        transport = LoginTransport(settings, http)
        found = await probe.status(http, transport, settings)
        if found.state not in ("ready", "no_image_model"):
            click.echo(found.reason or "xAI could not be reached. Check the network and try again.", err=True)
            return 1
        for model in found.models:
            click.echo(f"{model}{_detail(model) if detail else ''}")
        return 0

    ctx.exit(_run(work))


@grok.command()
@click.option("-p", "--port", type=click.IntRange(1, 65535), default=18645, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.pass_context
def proxy(ctx: click.Context, port: int, host: str) -> None:
    """Run progrok's proxy in the foreground, where it is installed. ima2 needs none after `ima2 grok login`."""
    import shutil
    import subprocess

    program = shutil.which("progrok")
    if program is None:
        click.echo("progrok is not installed. Run `ima2 grok login`: ima2 needs no proxy then.", err=True)
        ctx.exit(1)
    ctx.exit(subprocess.call([program, "proxy", "--host", host, "--port", str(port)]))  # noqa: S603 (no shell)


def _detail(model: str) -> str:
    """What a model makes and costs, as far as the catalogue knows it."""
    from ima2_provider_grok import catalogue

    prices = [
        f"${price.usd:g} per {price.unit}{''.join(f' at {one}' for one in (price.quality, price.resolution) if one)}"
        for price in catalogue.PRICES
        if price.model == model
    ]
    known = catalogue.model_of(model)
    return "  ".join(["", known.media if known else "", ", ".join(prices)]).rstrip()


async def _follow(steps: Steps) -> None:
    """Show the steps of a login as they come, and take what is to be pasted."""
    pasted: str | None = None
    while True:
        try:
            step = await steps.asend(pasted)
        except StopAsyncIteration:
            return
        pasted = None
        click.echo(f"✓ {step.text}" if step.kind == "done" else step.text)
        if step.url and step.url not in step.text:
            click.echo(f"\n  {step.url}\n")
        if step.expires_in is not None:
            click.echo(f"Waiting until you have agreed (at most {step.expires_in / 60:.0f} minutes) …")
        if step.kind == "paste":
            pasted = await asyncio.to_thread(click.prompt, "Paste the address (or only the code)", type=str)


def _settings() -> GrokSettings:
    """The settings in force."""
    import ima2

    settings: GrokSettings = ima2.command_context("grok").settings
    return settings


def _run(work: Work[T]) -> T:
    """Run a command's work with the settings in force and the client that everything of ima2 uses."""
    import ima2

    context = ima2.command_context("grok")

    async def inside() -> T:
        try:
            return await work(context.settings, context.http)
        finally:
            await context.http.close()

    return asyncio.run(inside())
