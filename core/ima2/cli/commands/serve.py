"""``ima2 serve``: the studio as a server."""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ima2.kernel.boot import Booted


@click.command(short_help="Start the studio as a local server.")
@click.option("--dev", is_flag=True, help="Development defaults: debug log.")
@click.option("--host", help="Address to listen on (default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (default 3333; the next free one if it is taken).")
@click.option("--plugins", metavar="A,B", help="Use only these plugins; one that fails is fatal.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warn", "error", "silent"]))
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
def serve(
    dev: bool, host: str | None, port: int | None, plugins: str | None, log_level: str | None, open_page: bool
) -> None:
    """Start the studio. It answers on http://127.0.0.1:3333 until Ctrl-C."""
    import os

    given = {"IMA2_DEV": "1" if dev else None, "IMA2_HOST": host, "IMA2_LOG_LEVEL": log_level}
    given["IMA2_PORT"] = None if port is None else str(port)
    os.environ.update({name: value for name, value in given.items() if value is not None})

    from ima2.errors import Ima2Error
    from ima2.studio.memory import few_arenas

    few_arenas()
    try:
        _serve(plugins, open_page=open_page)
    except Ima2Error as error:
        error.status = 0  # no answer to any request: exit code 1
        raise


def _serve(plugins: str | None, *, open_page: bool) -> None:
    gc.disable()  # what a start imports stays for good: looking through it again and again is a tenth of the start
    from ima2.cli import only_plugins
    from ima2.jobs.process_lock import only_server
    from ima2.logs import configure
    from ima2.runtime import assemble
    from ima2.server.serving import bind, explained_start, other_server, require_token

    runtime = assemble(plugins=only_plugins(plugins))
    settings = runtime.settings
    configure(settings.log_level)
    require_token(runtime)
    with explained_start(settings.config_dir), only_server(settings.config_dir, other_server(settings.advertisement)):
        listener = bind(settings.host, settings.port)
        runtime.port = listener.getsockname()[1]

        from ima2.cli.offers import remember_offers
        from ima2.server.run import run
        from ima2.server.welcome import welcome

        def ready() -> None:
            gc.freeze()
            gc.enable()
            with suppress(OSError, ValueError):  # nobody may be reading there any more
                click.echo("\n".join(welcome(runtime)))
            if open_page:
                click.launch(f"http://localhost:{runtime.port}/")

        remember_offers(runtime.registry)
        run(runtime, listener, ready)


def check_mounts(booted: Booted) -> None:
    """Mount what plugins bring on an application that is thrown away: what does not fit becomes a row of theirs."""
    from fastapi import FastAPI

    from ima2.server.app import mount_all

    mount_all(FastAPI(openapi_url=None), booted)
