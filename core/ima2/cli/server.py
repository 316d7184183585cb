"""ima2 ping, status, providers and capabilities: what runs, and what it can do."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.client import ORDINARY_S
from ima2.cli.discovery import Found, advertisement, find, probe, seek
from ima2.cli.places import Places, places
from ima2.errors import Ima2Error
from ima2.version import VERSION

CAPABILITIES_S = 5.0


@click.command(context_settings=options.CONTEXT)
@options.client_options
@click.pass_context
def ping(ctx: click.Context, /, server: str | None, as_json: bool) -> None:
    """Ask whether the server answers."""
    try:
        found = options.finished(find(server))
    except Ima2Error as error:
        if not as_json:
            raise
        output.say_json(output.envelope(error))
        ctx.exit(output.exit_code(error.code, error.status))
    if as_json:
        output.say_json({"ok": True, "base": found.base, **{k: v for k, v in found.health.items() if k != "ok"}})
        return
    click.echo(output.tick(f"{found.base}  {_health(found.health)}"))


def _health(health: dict[str, Any]) -> str:
    uptime, jobs = health.get("uptimeSec"), health.get("activeJobs")
    return f"ima2 {health.get('version', '?')}, up {uptime} s, {jobs} active job{'' if jobs == 1 else 's'}"


@click.command(context_settings=options.CONTEXT)
@options.as_json
def status(as_json: bool) -> None:
    """Show where settings, pictures and a running server are."""
    where = places()
    note = advertisement(where)
    url = note.get("url") if note else None
    running = options.finished(probe(url)) if isinstance(url, str) else None
    if as_json:
        output.say_json(_status(where, url, running))
        return
    click.echo(f"ima2 {VERSION}")
    click.echo(output.pairs(_status_lines(where, url, running)))


def _status(where: Places, url: Any, running: Found | None) -> dict[str, Any]:
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


def _status_lines(where: Places, url: Any, running: Found | None) -> dict[str, str]:
    def there(exists: bool) -> str:
        return "" if exists else "  (not there yet)"

    said = "none" if not isinstance(url, str) else f"{url}  (does not answer)"
    if running is not None:
        said = f"{running.base}  ({_health(running.health)})"
    config = f"  ({where.problem})" if where.problem else there(where.config_file.exists())
    return {
        "Config file:": f"{where.config_file}{config}",
        "Generated dir:": f"{where.generated}{there(where.generated.is_dir())}",
        "Database:": f"{where.database}{there(where.database.exists())}",
        "Advertised server:": said,
        "Provider:": where.provider,
        "Port:": str(where.port),
    }


@click.command(context_settings=options.CONTEXT)
@options.client_options
def providers(server: str | None, as_json: bool) -> None:
    """Show which providers are ready, and what the others lack.

    Without a server, the plugins of this installation are asked.
    """
    answer, base = options.finished(_answered(server, "/api/providers", ORDINARY_S))
    if answer is None:
        from ima2.cli.local import providers_here

        answer = providers_here()
    if as_json:
        output.say_json({**answer, "source": "server" if base else "local", "server": base})
        return
    rows = [row for row in answer.get("providers", []) if isinstance(row, dict)]
    cells = [(_marked(row, answer.get("default")), str(row.get("title", "")), _state(row)) for row in rows]
    click.echo(output.table(("ID", "PROVIDER", "STATE"), cells) if cells else "(no providers: see `ima2 plugins list`)")
    click.echo(output.style(_source(base) + (" (* is the default)" if answer.get("default") else ""), "dim"))


def _marked(row: dict[str, Any], default: Any) -> str:
    return f"{row.get('id')}{' *' if row.get('id') == default else ''}"


def _state(row: dict[str, Any]) -> str:
    return str(row["problem"]) if row.get("problem") else "ready"


def _source(base: str | None) -> str:
    return f"As {base} says." if base else "No server is running; this is what is installed here."


@click.command(context_settings=options.CONTEXT)
@click.option("--require-server", is_flag=True, help="Fail where no server runs.")
@options.client_options
def capabilities(server: str | None, as_json: bool, require_server: bool) -> None:
    """Show models, sizes and limits: of the server, else of this installation."""
    answer, base = options.finished(_answered(server, "/api/capabilities", CAPABILITIES_S, needed=require_server))
    if answer is None:
        from ima2.cli.local import capabilities_here

        answer = capabilities_here()
    if as_json:
        output.say_json(answer)
        return
    click.echo(f"ima2 {answer.get('version', '?')}")
    click.echo(output.pairs(_summary(answer)))
    click.echo(output.style(_source(base), "dim"))


async def _answered(
    server: str | None, path: str, limit: float, *, needed: bool = False
) -> tuple[dict[str, Any] | None, str | None]:
    """The server's answer and its address; neither where none runs and none is ``needed``."""
    from ima2.cli.client import Client

    found = await (find if needed else seek)(server)
    if found is None:
        return None, None
    async with Client(found.base) as client:
        return await client.ask("GET", path, limit=limit), found.base


def _summary(answer: dict[str, Any]) -> dict[str, str]:
    """What the document holds, one line a subject; what is absent is left out."""
    valid, limits = _object(answer, "valid"), _object(answer, "limits")
    models, video = _object(valid, "imageModels"), _object(valid, "videoModels")
    usable = [name for kind, names in models.items() if kind != "unsupported" for name in names]
    defaults = {name: one.get("model") for name, one in _object(answer, "defaults").items() if isinstance(one, dict)}
    lines = {
        "providers": valid.get("providers"),
        "image models": usable,
        "video models": video.get("supported"),
        "default models": [f"{name}: {model}" for name, model in defaults.items() if model],
        "qualities": valid.get("quality"),
        "efforts": valid.get("reasoningEfforts"),
        "modes": valid.get("modes"),
        "moderation": valid.get("moderation"),
        "references": limits.get("maxRefCount"),
        "pictures a job": limits.get("maxGeneratedImages"),
        "jobs at once": limits.get("maxJobs"),
    }
    return {name: _text(value) for name, value in lines.items() if value not in (None, [])}


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
