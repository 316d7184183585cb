"""ima2 status: where things lie, and what runs."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.client_settings import ClientSettings, client_settings
from ima2.cli.commands.ping import describe_health
from ima2.cli.server_discovery import PATIENT_S, RunningServer, probe, read_advertisement
from ima2.version import VERSION


@click.command(context_settings=options.CONTEXT)
@options.as_json
def status(as_json: bool) -> None:
    """Show where settings, pictures and a running server are."""
    where = client_settings()
    note = read_advertisement(where)
    url = note.get("url") if note else None
    running = options.run_async(probe(url, PATIENT_S)) if isinstance(url, str) else None
    if as_json:
        output.print_json(_status(where, url, running))
        return
    click.echo(f"ima2 {VERSION}")
    click.echo(output.pairs(_status_lines(where, url, running)))


def _status(where: ClientSettings, url: Any, running: RunningServer | None) -> dict[str, Any]:
    file: dict[str, Any] = {"path": str(where.config_file), "exists": where.config_file.exists()}
    return {
        "ok": True,
        "version": VERSION,
        "configFile": {**file, **({"problem": where.problem} if where.problem else {})},
        "generatedDir": {"path": str(where.generated), "exists": where.generated.is_dir()},
        "database": {"path": str(where.database), "exists": where.database.exists()},
        "advertisement": {"path": str(where.advertisement), **({"url": url} if isinstance(url, str) else {})},
        "provider": where.provider,
        "port": where.port,
        "server": None if running is None else {"base": running.base, **running.health},
    }


def _status_lines(where: ClientSettings, url: Any, running: RunningServer | None) -> dict[str, str]:
    def there(exists: bool) -> str:
        return "" if exists else "  (not there yet)"

    said = "none" if not isinstance(url, str) else f"{url}  (does not answer)"
    if running is not None:
        said = f"{running.base}  ({describe_health(running.health)})"
    config = f"  ({where.problem})" if where.problem else there(where.config_file.exists())
    return {
        "Config file:": f"{where.config_file}{config}",
        "Generated dir:": f"{where.generated}{there(where.generated.is_dir())}",
        "Database:": f"{where.database}{there(where.database.exists())}",
        "Advertised server:": said,
        "Provider:": where.provider,
        "Port:": str(where.port),
    }
