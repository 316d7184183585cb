"""Prompts that are kept: a library with folders, import from files and GitHub, templates, and a prompt builder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ima2

if TYPE_CHECKING:
    from fastapi import APIRouter

    from ima2_plugins.prompts.settings import PromptSettings


@ima2.hookimpl
def ima2_settings() -> type[PromptSettings]:
    """Limits, the two caches, and where GitHub is."""
    from ima2_plugins.prompts.settings import PromptSettings

    return PromptSettings


@ima2.hookimpl
def ima2_tables() -> ima2.Tables:
    """The tables of ima2-gen."""
    from ima2_plugins.prompts.tables import METADATA

    return ima2.Tables(METADATA)


@ima2.hookimpl
def ima2_routes(ctx: ima2.PluginContext) -> APIRouter:
    """Everything below ``/api/prompts`` and the prompt builder."""
    from ima2_plugins.prompts.routes import router

    return router(ctx)


@ima2.hookimpl
def ima2_capabilities() -> dict[str, Any]:
    """The block of the prompt builder."""
    return {
        "promptBuilder": {
            "available": True,
            "route": "/api/prompt-builder/chat",
            "cliCommand": "ima2 prompt build",
            "structuredOutput": ["intentSummary", "finalPrompt.ko", "finalPrompt.en", "notes"],
            "uiOnly": False,
        },
        "guidance": {
            "promptBuilder": "Say subject, setting, light and style plainly; visible text goes in quotation marks."
        },
    }


@ima2.hookimpl
def ima2_policies(ctx: ima2.PluginContext) -> list[ima2.Policy]:
    """Prompts that ask to be a template are expanded before their job is let in."""
    from ima2_plugins.prompts.settings import lists_of
    from ima2_plugins.prompts.templates.policy import TemplatePolicy

    return [TemplatePolicy(lambda: lists_of(ctx))]
