"""From the user's words to a prompt: a web search for facts, then a planner that must call one function."""

from __future__ import annotations

from dataclasses import dataclass, field

from ima2 import Json, Usage
from ima2_provider_grok import prompts, wire
from ima2_provider_grok.capabilities import IMAGE, IMAGE_QUALITY
from ima2_provider_grok.exchange import Exchange, dollars, no_answer, ticks
from ima2_provider_grok.failures import SEARCH, Stage


@dataclass(frozen=True, slots=True)
class Brief:
    """What a search found, and what it used up."""

    text: str | None = field(default=None, repr=False)
    used: Usage | None = None


async def search(exchange: Exchange, prompt: str, *, model: str, seconds: float) -> Brief:
    """Look up what the request leaves open. Raises ``GROK_SEARCH_*``; pictures are not sent."""
    answer = await exchange.order(
        SEARCH,
        "responses",
        {
            "model": model,
            "stream": False,
            "input": [{"role": "system", "content": prompts.SEARCH}, {"role": "user", "content": prompt}],
            "tools": [{"type": "web_search"}],
            "tool_choice": "required",
        },
        seconds,
    )
    text = wire.said(answer)
    if not text:
        raise no_answer("GROK_SEARCH_EMPTY_RESPONSE", "xAI's web search came back without findings. Try again.")
    return Brief(text, Usage(searches=1, cost=dollars(ticks(answer))))


@dataclass(frozen=True, slots=True)
class Plan:
    """One planner call: its rules, what it reads, the function it has to call."""

    function: str
    rules: str = field(repr=False)
    task: str = field(repr=False)
    parameters: dict[str, Json]
    description: str
    pictures: tuple[str, ...] = field(default=(), repr=False)

    def body(self, model: str) -> dict[str, Json]:
        """The chat completion that forces the function."""
        function = {"name": self.function, "description": self.description, "parameters": self.parameters}
        content = [{"type": "text", "text": self.task}, *wire.attached(self.pictures)]
        return {
            "model": model,
            "stream": False,
            "parallel_tool_calls": False,
            "messages": [{"role": "system", "content": self.rules}, {"role": "user", "content": content}],
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": self.function}},
        }


async def planned(exchange: Exchange, stage: Stage, plan: Plan, *, model: str, seconds: float) -> str:
    """The prompt the planner handed over. Its other arguments are ignored: what the user chose holds.

    Raises ``GROK_PLANNER_EMPTY_TOOL_CALL`` without a call, ``GROK_PLANNER_INVALID_TOOL_ARGS`` without a usable prompt.
    """
    answer = await exchange.order(stage, "chat/completions", plan.body(model), seconds)
    calls = wire.arguments(answer, plan.function)
    if not calls:
        raise no_answer(
            "GROK_PLANNER_EMPTY_TOOL_CALL", f"The planner did not call {plan.function}. Try again, or word it simpler."
        )
    prompt = calls[0].get("prompt") if isinstance(calls[0], dict) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise no_answer("GROK_PLANNER_INVALID_TOOL_ARGS", "The planner handed over no usable prompt. Try again.")
    return prompt.strip()


def image_plan(task: str, pictures: tuple[str, ...]) -> Plan:
    """The plan of a picture."""
    models: dict[str, Json] = {"type": "string", "enum": [IMAGE, IMAGE_QUALITY]}
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"prompt": {"type": "string"}, "model": models},
        "required": ["prompt", "model"],
    }
    return Plan("generate_image", prompts.IMAGE_PLANNER, task, schema, prompts.DESCRIBE_PLAN_IMAGE, pictures)


def video_plan(task: str, pictures: tuple[str, ...]) -> Plan:
    """The plan of a clip."""
    words = ("prompt", "model", "mode", "aspect_ratio", "resolution")
    properties: dict[str, Json] = {name: {"type": "string"} for name in words}
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {**properties, "duration": {"type": "integer"}},
        "required": ["prompt"],
    }
    return Plan("generate_video", prompts.VIDEO_PLANNER, task, schema, prompts.DESCRIBE_PLAN_VIDEO, pictures)
