"""ima2 open: the studio's page in a browser."""

from __future__ import annotations

import click

from ima2.cli import options, output
from ima2.cli.browser import open_in_browser
from ima2.cli.client_settings import client_settings
from ima2.cli.server_discovery import seek


@click.command("open", context_settings=options.CONTEXT)
@options.client_options
def open_(server: str | None, as_json: bool) -> None:
    """Open the page of the running server in a browser, or say its address where no browser can be opened."""
    found = options.run_async(seek(server))
    url = f"{found.base if found else f'http://localhost:{client_settings().port}'}/"
    if found is None:
        options.remark("No server is running: `ima2 serve` starts one.")
    opened = open_in_browser(url)
    if as_json:
        output.print_json({"ok": True, "url": url, "opened": opened, "running": found is not None})
    elif opened:
        click.echo(output.tick(url))
