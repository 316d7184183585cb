"""What is tried instead after a refusal that cost nothing, each way once, and remembered for a day.

A refused model is replaced by the one the catalogue names, a refused choice of the drawing tool by ``auto``, and where
the Responses endpoint of a login cannot draw at all, the endpoint for pictures alone follows. Every change is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ima2 import Model, Notice
from ima2_plugins.openai.catalogue import drawing_model
from ima2_plugins.openai.errors import Upstream
from ima2_plugins.openai.upstream_error import UpstreamError

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one call is made: carrier and drawing model, how the tool is chosen, and which endpoint is asked.

    ``drawing`` is empty where the upstream chooses it.
    """

    model: str
    drawing: str = ""
    choice: Literal["named", "required", "auto"] = "named"
    endpoint: Literal["responses", "images"] = "responses"


class Fallbacks:
    """The memory of one provider: which first attempt led to which that worked."""

    def __init__(self, models: Sequence[Model], clock: Callable[[], float] = time.monotonic) -> None:
        self._replacements = {one.id: one.replacement for one in models if one.replacement}
        self._clock = clock
        self._known: dict[tuple[Upstream, Attempt], tuple[Attempt, float]] = {}

    def recall(self, upstream: Upstream, asked: Attempt) -> Attempt:
        """What worked in place of this attempt within a day, else the attempt itself."""
        worked, until = self._known.get((upstream, asked), (asked, 0.0))
        return worked if self._clock() < until else asked

    def remember(self, upstream: Upstream, asked: Attempt, worked: Attempt) -> None:
        """Keep what worked, if it is something else; a day counts from when it was first found."""
        if worked != asked and self.recall(upstream, asked) != worked:
            self._known[upstream, asked] = (worked, self._clock() + DAY)

    def forget(self, upstream: Upstream, asked: Attempt) -> None:
        """Drop what is remembered: it was refused, too."""
        self._known.pop((upstream, asked), None)

    def follow(
        self, asked: Attempt, failed: Attempt, cause: UpstreamError, upstream: Upstream, *, images: bool
    ) -> Attempt | None:
        """The attempt after one that was refused, ``None`` when there is none. ``images``: whether the endpoint for
        pictures alone may follow."""
        if failed.endpoint == "images":
            return None
        other: Attempt | None = None
        match cause.kind:
            case "model" if failed.drawing and cause.about_drawing:
                other = self._draw_with(asked, failed)
            case "model" if failed.model == asked.model and asked.model in self._replacements:
                other = replace(failed, model=self._replacements[asked.model])
            case "capability" if failed.choice != "auto" and upstream != "key":
                other = replace(failed, choice="auto")
        if other is None and images and upstream == "login" and cause.kind in ("model", "version", "capability"):
            other = replace(failed, model=asked.model, endpoint="images")
        return other

    @staticmethod
    def _draw_with(asked: Attempt, failed: Attempt) -> Attempt | None:
        replacement = drawing_model(failed.drawing).replacement
        return replace(failed, drawing=replacement) if replacement and failed.drawing == asked.drawing else None


def notices(asked: Attempt, worked: Attempt, *, search: bool) -> list[Notice]:
    """What to tell of the differences between what was asked for and what was done."""
    found: list[Notice] = []
    if worked.endpoint != asked.endpoint:
        text = "ChatGPT's Responses endpoint refused to draw, so its endpoint for pictures alone was asked"
        details = {"endpoint": worked.endpoint, "searched": False}
        return [Notice("IMAGE_ENDPOINT_USED", f"{text}{', without a search.' if search else '.'}", details)]
    if worked.model != asked.model:
        found.append(_replaced("model", asked.model, worked.model))
    if worked.drawing != asked.drawing:
        found.append(_replaced("drawingModel", asked.drawing, worked.drawing))
    if worked.choice != asked.choice:
        text = "The service did not let the image tool be chosen by name; the model was left to choose it."
        found.append(Notice("TOOL_CHOICE_AUTO", text, {"field": "toolChoice", "used": worked.choice}))
    return found


def _replaced(field: str, asked: str, used: str) -> Notice:
    text = f"OpenAI does not serve {asked} here any more; {used} was used in its place."
    return Notice("MODEL_REPLACED", text, {"field": field, "requested": asked, "used": used})
