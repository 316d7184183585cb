"""Requests whose prompt asks to be a template run with its words."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import ima2
from ima2_plugins.prompts.templates.expansion import Expansion, expand
from ima2_plugins.prompts.templates.lists import Lists
from ima2_plugins.prompts.templates.syntax import wish

Request = ima2.ImageRequest | ima2.VideoRequest
R = TypeVar("R", ima2.ImageRequest, ima2.VideoRequest)
REMEMBERED = 200


class TemplatePolicy(ima2.Policy):
    """Expands before a job is let in. ``lists`` gives the lists as the settings name them now."""

    id = "templates"

    def __init__(self, lists: Callable[[], Lists]) -> None:
        self._lists = lists
        self._made: OrderedDict[str, Expansion] = OrderedDict()

    async def rewrite(self, request: R, label: ima2.Label) -> R:  # type: ignore[override]
        """The request with the words of its template. Without a seed the job's id is one."""
        asked = wish(request.prompt)
        if asked is None:
            return request
        seed = seed_of(label.id) if asked.seed is None else asked.seed
        made = await asyncio.to_thread(expand, asked.text, seed, asked.index, self._lists().lines)
        self._made[label.id] = made
        while len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return replace(request, prompt=made.prompt)

    def facts(self, asked: Request, used: Request, label: ima2.Label) -> Mapping[str, ima2.Json]:
        """The seed and what was taken. The template itself stays beside the result as what was asked."""
        made = self._made.get(label.id)
        if made is None:
            return {}
        return {"template": {"seed": made.seed, "index": made.index, "choices": list(made.choices)}}

    async def check(self, request: Request, label: ima2.Label) -> None:
        """409 ``TEMPLATE_NOT_USED`` where another policy has set other words: dice are never sent as they stand."""
        made = self._made.pop(label.id, None)
        if made is not None and request.prompt != made.prompt:
            text = "Another rule (a style sheet, perhaps) sets the prompt of this request. Expand the template first."
            raise ima2.Ima2Error("TEMPLATE_NOT_USED", 409, text)


def seed_of(text: str) -> int:
    """A seed from a job's id, so that the id is enough to get the same words again."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])
