"""Names of providers and models, checked against what is offered before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ima2.client import Client
from ima2.errors import Ima2Error
from ima2.kernel.switches import suggestion

LOOK_S = 5.0


async def check_with(client: Client, body: Mapping[str, Any], media: str = "image") -> None:
    """Ask the server what it offers and check. One that cannot say so decides when it gets the request."""
    if body.get("provider") in {None, "auto"} and body.get("model") is None:
        return
    try:
        offered = await client.ask("GET", "/api/capabilities", limit=LOOK_S)
    except Ima2Error:
        return
    check_choices(offered, body, media)


def check_choices(offered: Mapping[str, Any], body: Mapping[str, Any], media: str = "image") -> None:
    """Refuse a provider or model that nobody offers: `click.UsageError` (exit 2).

    ``offered`` is the document of ``ima2 capabilities``.
    """
    valid = offered.get("valid")
    valid = valid if isinstance(valid, dict) else {}
    models = valid.get(f"{media}Models")
    models = models if isinstance(models, dict) else {}
    lists = models.values() if media == "image" else [models.get("supported")]
    known = [name for names in lists if isinstance(names, list) for name in names]
    _check("--provider", body.get("provider"), valid.get("providers"))
    _check("--model", body.get("model"), known)


def _check(flag: str, value: Any, known: Any) -> None:
    if value is None or not isinstance(known, list) or not known or value in known:
        return
    names = [name for name in known if isinstance(name, str)]
    raise click.UsageError(
        f"{flag}: nobody offers {value}.{suggestion(str(value), names)} Offered: {', '.join(names)}."
    )
