"""Words from words and pictures: the planner's model, asked plainly."""

from __future__ import annotations

from ima2 import Json, TextRequest, TextResult
from ima2_provider_grok import failures, wire
from ima2_provider_grok.exchange import Exchange, dollars, no_answer, ticks


async def answered(exchange: Exchange, request: TextRequest, *, model: str, seconds: float) -> TextResult:
    """One question, one answer; pictures are looked at closely. Without any text 502 ``GROK_EMPTY_RESPONSE``."""
    content: list[Json] = [
        {"type": "input_image", "image_url": url, "detail": "high"} for url in await wire.addresses(request.pictures)
    ]
    content.append({"type": "input_text", "text": request.prompt})
    system = [{"role": "system", "content": request.system}] if request.system else []
    body = {"model": model, "stream": False, "input": [*system, {"role": "user", "content": content}]}
    answer = await exchange.order(failures.TEXT, "responses", body, seconds)
    text = wire.said(answer)
    if not text:
        raise no_answer("GROK_EMPTY_RESPONSE", "xAI answered without words. Try again.")
    used = answer.get("usage")
    return TextResult(text, model, used if isinstance(used, dict) else None, dollars(ticks(answer)))
