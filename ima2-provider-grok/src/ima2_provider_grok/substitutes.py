"""Models that xAI no longer offers: the same order goes out once more with the catalogue's replacement, and the next
ones go there straight away for a day.

"There is no such model" is answered before anything is made, so nothing was billed (docs.x.ai, errors).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ima2 import Ima2Error, Json, Notice
from ima2_provider_grok import catalogue, failures
from ima2_provider_grok.exchange import Exchange
from ima2_provider_grok.failures import Stage, UpstreamError

REMEMBERED_SECONDS = 24 * 3600.0


@dataclass(slots=True)
class Substitutes:
    """What was learnt of models that are gone, for as long as this process lives and a day at most."""

    _learnt: dict[str, tuple[str, float]] = field(default_factory=dict)

    def current(self, model: str) -> str:
        """The model to ask for where ``model`` is wanted."""
        other, until = self._learnt.get(model, (model, 0.0))
        return other if time.monotonic() < until else model

    def remember(self, model: str, other: str) -> None:
        """Hear that ``other`` was served in place of ``model``, which is gone."""
        self._learnt[model] = (other, time.monotonic() + REMEMBERED_SECONDS)

    async def order(
        self, exchange: Exchange, stage: Stage, path: str, body: Mapping[str, Json], seconds: float
    ) -> tuple[dict[str, Json], str]:
        """The answer to a billed order, and the model it was accepted for.

        Raises ``MODEL_UNAVAILABLE``, naming the models that work, when neither it nor its replacement is there.
        """
        wanted = str(body["model"])
        model = self.current(wanted)
        try:
            return await exchange.order(stage, path, {**body, "model": model}, seconds), model
        except UpstreamError as error:
            if not error.no_model:
                raise
            other = catalogue.replacement_of(wanted)
            if other is None or other == model:
                raise unavailable(model, error) from None
        try:
            answer = await exchange.order(stage, path, {**body, "model": other}, seconds)
        except UpstreamError as error:
            raise (unavailable(wanted, error) if error.no_model else error) from None
        self.remember(wanted, other)
        return answer, other


def served_model(answer: Mapping[str, Json], ordered: str) -> str:
    """The model that an answer names as the one that worked, else the one that was ordered."""
    found = answer.get("model")
    return found if isinstance(found, str) and found else ordered


def is_same_model(ordered: str, served: str) -> bool:
    """Whether an answer names the model ordered, be it with the date of its version or as the latest."""
    return served == ordered or bool(re.fullmatch(rf"{re.escape(ordered)}-(?:latest|\d{{4,8}})", served))


def unavailable(model: str, cause: UpstreamError) -> Ima2Error:
    """``MODEL_UNAVAILABLE`` for a model of the catalogue, or one that is not in it."""
    known = catalogue.model_of(model)
    others = catalogue.working_models(known.media if known else "image", model)
    return failures.model_unavailable(model, others, cause.http_status)


def replacement_notice(asked: str, used: str, what: str = "model") -> Notice:
    """Says that another model was ordered, as the one asked for is gone; ``what`` names the field of the request."""
    text = f"xAI does not offer {asked} any more; {used} was used in its place."
    return Notice("MODEL_REPLACED", text, {"field": what, "requested": asked, "used": used})


def notices(wanted: str, ordered: str, served: str) -> Iterator[Notice]:
    """What there is to tell of the model that was wanted, the one that was ordered, and the one that did the work."""
    if ordered != wanted:
        yield replacement_notice(wanted, ordered)
    if not is_same_model(ordered, served):
        text = f"xAI served this with {served}; {ordered} was ordered."
        yield Notice("MODEL_DIFFERS", text, {"field": "model", "requested": ordered, "used": served})
