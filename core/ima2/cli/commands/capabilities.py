"""ima2 capabilities: models, sizes, limits."""

from __future__ import annotations

from typing import Any

import click

from ima2.cli import options, output
from ima2.cli.server_discovery import ask_server, describe_source

CAPABILITIES_S = 5.0


@click.command(context_settings=options.CONTEXT)
@click.option("--require-server", is_flag=True, help="Fail where no server runs.")
@options.client_options
def capabilities(server: str | None, as_json: bool, require_server: bool) -> None:
    """Show models, sizes and limits: of the server, else of this installation."""
    answer, base = options.run_async(ask_server(server, "/api/capabilities", CAPABILITIES_S, needed=require_server))
    if answer is None:
        from ima2.cli.local import local_capabilities

        answer = local_capabilities()
    if as_json:
        output.print_json(answer)
        return
    click.echo(f"ima2 {answer.get('version', '?')}")
    click.echo(output.pairs(_summary(answer)))
    click.echo(output.style(describe_source(base), "dim"))


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
    return {name: _as_text(value) for name, value in lines.items() if value not in (None, [])}


def _object(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _as_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
