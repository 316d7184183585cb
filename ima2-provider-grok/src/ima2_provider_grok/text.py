"""Words from words and pictures: the planner's model, asked plainly, with earlier turns and a schema where given."""

from __future__ import annotations

from ima2 import Json, TextRequest, TextResult
from ima2_provider_grok import failures, outcomes, wire
from ima2_provider_grok.exchange import Exchange, dollars, ticks
from ima2_provider_grok.substitutes import Substitutes


async def answer(
    exchange: Exchange, substitutes: Substitutes, request: TextRequest, *, model: str, seconds: float
) -> TextResult:
    """One question, one answer; pictures are looked at closely.

    Raises 502 ``GROK_EMPTY_RESPONSE`` without any text, 422 ``SAFETY_REFUSAL`` for a refusal.
    """
    body = await _body(request, model)
    found, used_model = await substitutes.order(exchange, failures.TEXT, "responses", body, seconds)
    text = wire.message_text(found)
    if not text and wire.is_refused(found):
        text = "xAI's safety rules do not allow this request. Change the words or the pictures."
        raise outcomes.error("words", text, details={"moderationStage": "output"})
    if not text:
        raise outcomes.error("empty", "xAI answered without words.")
    served, used = found.get("model"), found.get("usage")
    return TextResult(
        text,
        served if isinstance(served, str) and served else used_model,
        used if isinstance(used, dict) else None,
        dollars(ticks(found)),
    )


async def _body(request: TextRequest, model: str) -> dict[str, Json]:
    """The request of xAI's Responses API, which follows OpenAI's types."""
    content: list[Json] = [
        {"type": "input_image", "image_url": url, "detail": "high"}
        for url in wire.urls(await wire.references(request.pictures))
    ]
    content.append({"type": "input_text", "text": request.prompt})
    turns: list[Json] = [{"role": "system", "content": request.system}] if request.system else []
    turns += [{"role": one.role, "content": one.text} for one in request.messages]
    body: dict[str, Json] = {"model": model, "stream": False, "input": [*turns, {"role": "user", "content": content}]}
    if request.schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": dict(request.schema), "strict": True}
        body["text"] = {"format": form}
    return body
