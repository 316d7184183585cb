"""What policies did to a request is kept beside the result, with the words as they were asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ima2
from ima2.interfaces import Request
from ima2.testing import EchoProvider, plugin


class Painter(ima2.Policy):
    id = "painter"

    async def rewrite(self, request: Request, label: ima2.Label) -> Request:
        return replace(request, prompt=f"in oil: {request.prompt}") if label.session_id else request

    def facts(self, asked: Request, used: Request, label: ima2.Label) -> Mapping[str, ima2.Json]:
        return {"style_sheet_applied": used.prompt != asked.prompt}


async def keep(runtime: Any, session_id: str | None) -> Mapping[str, Any]:
    label = ima2.Label(session_id=session_id)
    handle = await runtime.studio.submit(ima2.ImageRequest("a boat", "echo", format="png"), label)
    kept = (await handle.result()).kept[0]
    facts: Mapping[str, Any] = (await runtime.library.get(kept.key)).facts
    return facts


async def test_a_rewritten_request_keeps_the_words_that_were_asked(ima2_runtime: Any) -> None:
    parts = {"rules": plugin(policies=[Painter()]), "echo": plugin(providers=[EchoProvider()])}
    async with ima2_runtime(**parts) as runtime:
        painted, plain = await keep(runtime, "s_1"), await keep(runtime, None)
    assert (painted["prompt"], painted["user_prompt"]) == ("in oil: a boat", "a boat")
    assert painted["style_sheet_applied"] is True
    assert (plain["prompt"], plain["user_prompt"]) == ("a boat", "a boat")
    assert "style_sheet_applied" not in plain
