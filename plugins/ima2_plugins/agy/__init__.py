"""Pictures by the Antigravity CLI (``agy``), on the subscription it is signed in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.agy.provider import AgyProvider
    from ima2_plugins.agy.settings import AgySettings


@ima2.hookimpl
def ima2_settings() -> type[AgySettings]:
    """The command and its limits."""
    from ima2_plugins.agy.settings import AgySettings

    return AgySettings


@ima2.hookimpl
def ima2_providers(ctx: ima2.PluginContext) -> list[AgyProvider]:
    """The provider ``agy``."""
    from ima2_plugins.agy.provider import AgyProvider

    return [AgyProvider(ctx.settings)]


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """``GET /api/agy/status``."""
    from fastapi import APIRouter

    from ima2_plugins.agy.program import Program

    router = APIRouter(tags=["agy"])
    program = Program(ctx.settings)

    @router.get("/api/agy/status")
    async def status() -> dict[str, bool]:
        """Whether the CLI is there and runs. Whether it is signed in cannot be asked."""
        return {"installed": await program.runs()}

    return router
