"""From the user's words to a prompt: a web search for facts, then a planner that must call one function.

Both are billed: a search about half a cent, a planner by its tokens (docs.x.ai, prices). So a job is marked as ordered
before the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ima2 import Json, Notice, Usage
from ima2_provider_grok import outcomes, prompts, substitutes, wire
from ima2_provider_grok.catalogue import IMAGE, IMAGE_2, IMAGE_QUALITY
from ima2_provider_grok.exchange import Exchange, dollars, ticks
from ima2_provider_grok.failures import SEARCH, Stage
from ima2_provider_grok.substitutes import Substitutes


@dataclass(frozen=True, slots=True)
class Planner:
    """Who plans: the model that was asked for, over one connection. ``seconds`` bounds each call."""

    exchange: Exchange
    substitutes: Substitutes
    model: str
    seconds: float

    async def search(self, prompt: str) -> Brief:
        """Look up what the request leaves open. Raises ``GROK_SEARCH_*``; pictures are not sent."""
        body: dict[str, Json] = {
            "model": self.model,
            "stream": False,
            "input": [{"role": "system", "content": prompts.SEARCH}, {"role": "user", "content": prompt}],
            "tools": [{"type": "web_search"}],
            "tool_choice": "required",
        }
        answer, _ = await self.substitutes.order(self.exchange, SEARCH, "responses", body, self.seconds)
        text = wire.message_text(answer)
        if not text:
            raise outcomes.error("no-findings", "xAI's web search came back without findings.")
        return Brief(text, Usage(searches=1, cost=dollars(ticks(answer))))

    async def plan(self, stage: Stage, plan: Plan) -> PlannedPrompt:
        """The prompt the planner hands over. Its other arguments are ignored: what the user chose holds.

        Raises ``GROK_PLANNER_EMPTY_TOOL_CALL`` without a call, ``GROK_PLANNER_INVALID_TOOL_ARGS`` without a usable
        prompt.
        """
        body = plan.body(self.model)
        answer, model = await self.substitutes.order(self.exchange, stage, "chat/completions", body, self.seconds)
        calls = wire.arguments(answer, plan.function)
        if not calls:
            text = f"The planner did not call {plan.function}. Word the request simpler."
            raise outcomes.error("no-call", text)
        prompt = calls[0].get("prompt") if isinstance(calls[0], dict) else None
        if not isinstance(prompt, str) or not prompt.strip():
            raise outcomes.error("no-prompt", "The planner handed over no usable prompt. Word the request simpler.")
        cost = dollars(ticks(answer))
        used = None if cost is None else Usage(cost=cost)
        other = None if model == self.model else substitutes.replacement_notice(self.model, model, "plannerModel")
        return PlannedPrompt(prompt.strip(), used, other)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a search found, and what it used up."""

    text: str | None = field(default=None, repr=False)
    used: Usage | None = None


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """The finished prompt, what the planning took where its answer says so, and what there is to tell."""

    prompt: str = field(repr=False)
    used: Usage | None = None
    notice: Notice | None = None

    def updates(self) -> Iterator[Usage | Notice]:
        """What of it the kernel should hear."""
        if self.used:
            yield self.used
        if self.notice:
            yield self.notice


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
        content = [{"type": "text", "text": self.task}, *wire.attachments(self.pictures)]
        return {
            "model": model,
            "stream": False,
            "parallel_tool_calls": False,
            "messages": [{"role": "system", "content": self.rules}, {"role": "user", "content": content}],
            "tools": [{"type": "function", "function": function}],
            "tool_choice": {"type": "function", "function": {"name": self.function}},
        }


def image_plan(task: str, pictures: tuple[str, ...]) -> Plan:
    """The plan of a picture."""
    models: dict[str, Json] = {"type": "string", "enum": [IMAGE, IMAGE_QUALITY, IMAGE_2]}
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
