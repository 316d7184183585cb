"""A provider that paints what a test tells it to, and that takes the options clients of the wire know."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Any

from ima2 import (
    Artifact,
    Capabilities,
    ImageRequest,
    Job,
    Model,
    Option,
    Partial,
    Phase,
    Provider,
    Sizes,
    Update,
    Usage,
)
from ima2.testing import EchoProvider, picture, plugin

PNG = base64.b64encode(picture().data).decode()
ASK = {"prompt": "a red kite over dunes", "provider": "painter"}
EFFORTS = ("none", "low", "medium", "high")
OPTIONS = (
    Option("reasoningEffort", "choice", "", "medium", EFFORTS, "INVALID_REASONING_EFFORT", wire="reasoningEffort"),
    Option("webSearch", "flag", "", True, wire="webSearchEnabled"),
    Option("mode", "choice", "", "auto", ("auto", "direct"), wire="mode"),
    Option("seed", "number", "", min=0, max=99, integer=True, error_code="INVALID_SEED"),
)
Steps = Callable[[ImageRequest], Iterable[Update | Exception]]


def one_each(request: ImageRequest) -> Iterable[Update | Exception]:
    """As many pictures as asked for, with previews and one search each."""
    yield Phase("streaming")
    for index in range(request.sequence or request.count):
        for _ in range(request.partials):
            yield Partial(picture(), index)
        yield Artifact(picture(color=f"#{index * 20 + 40:02x}6688"), index, revised_prompt=f"kite {index}")
        yield Usage({"total_tokens": 10}, searches=1, index=index)


class Painter(EchoProvider):
    """Yields the steps it is given; an exception among them is raised there."""

    id = "painter"
    title = "Painter"
    capabilities: Capabilities = replace(
        EchoProvider.capabilities,
        models=(Model("oil"), Model("ink"), Model("chalk", supported=False)),
        default_model="oil",
        sizes=Sizes(("1024x1024",), free=True, max_edge=4096, forms=("grok:.+",)),
        max_references=3,
        options=OPTIONS,
        codes={"MODEL_INVALID": "INVALID_IMAGE_MODEL", "MODEL_UNSUPPORTED": "IMAGE_MODEL_UNSUPPORTED"},
        code_prefix="PAINTER",
    )

    def __init__(self, steps: Steps = one_each, **able: Any) -> None:
        super().__init__()
        self.steps = steps
        self.capabilities = replace(self.capabilities, **able)

    async def images(self, request: ImageRequest, job: Job) -> AsyncIterator[Update]:
        self.asked.append(request)
        for step in self.steps(request):
            if isinstance(step, Exception):
                raise step
            yield step


def parts(provider: Provider, *sinks: Any) -> Any:
    """A plugin of that provider, and of sinks that listen."""
    return plugin(providers=[provider], event_sinks=list(sinks))


def frames(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream: name and data."""
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert "\r" not in answer.text
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found
