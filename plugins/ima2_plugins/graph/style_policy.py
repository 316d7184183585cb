"""The style sheet of a session, put in front of what is asked within it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import ima2
from ima2_plugins.graph import style_sheet
from ima2_plugins.graph.settings import GraphSettings

Request = ima2.ImageRequest | ima2.VideoRequest
R = TypeVar("R", ima2.ImageRequest, ima2.VideoRequest)


class StylePolicy(ima2.Policy):
    """Rewrites the prompts of sessions whose sheet is in use; what was asked is kept beside the result."""

    id = "style-sheet"

    def __init__(self, ctx: ima2.PluginContext) -> None:
        self._ctx = ctx

    async def rewrite(self, request: R, label: ima2.Label) -> R:  # type: ignore[override]
        """The request with the style in front of its words. An id that names no session has no style."""
        session_id = label.session_id
        if not session_id:
            return request
        try:
            sheet, enabled = await self._ctx.database.read(lambda connection: style_sheet.read(connection, session_id))
        except ima2.Ima2Error as error:
            if error.status != 404:
                raise
            return request
        settings: GraphSettings = self._ctx.settings
        prefix = style_sheet.prefix_of(sheet, settings.style_sheet_max_prefix) if sheet and enabled else ""
        return replace(request, prompt=f"{prefix}\n\n{request.prompt}") if prefix else request

    def facts(self, asked: Request, used: Request, label: ima2.Label) -> Mapping[str, ima2.Json]:
        """Whether the style is in the words that were sent."""
        return {"style_sheet_applied": True} if used.prompt.startswith(style_sheet.LEAD) else {}
