"""What both providers can do, as data."""

from __future__ import annotations

from ima2 import Capabilities, Model, Option, Sizes
from ima2_plugins.openai.settings import EFFORTS

MODELS = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini")
"""The chat models that call the image tool. Which model draws is the upstream's choice."""
UNSUPPORTED = ("gpt-5.3-codex-spark",)
LISTED_SIZES = (
    "1024x1024", "1536x1024", "1024x1536", "1360x1024", "1024x1360", "1824x1024", "1024x1824",
    "2048x2048", "2048x1152", "1152x2048", "3840x2160", "2160x3840",
)  # fmt: skip


def capabilities(*, model: str, effort: str, size: str = "1024x1024", web_search: bool = True) -> Capabilities:
    """The declaration with a provider's own defaults.

    Prices are left out: the image tool is billed by tokens of a drawing model that the answer does not name.
    """
    return Capabilities(
        models=(*(Model(one) for one in MODELS), *(Model(one, supported=False) for one in UNSUPPORTED)),
        default_model=model,
        sizes=Sizes(listed=LISTED_SIZES, free=True, auto=True, max_edge=8192),
        default_size=size,
        formats=("png", "jpeg", "webp"),
        moderations=("auto", "low"),
        max_references=5,
        source_is_extra=True,
        max_count=8,
        edit=True,
        mask=True,
        partials=3,
        sequence=8,
        options=(
            Option("reasoningEffort", "choice", "Reasoning", effort, EFFORTS, "INVALID_REASONING_EFFORT"),
            Option("webSearch", "flag", "Web search", web_search),
            Option("mode", "choice", "Prompt", "auto", ("auto", "direct")),
        ),
        codes={"MODEL_INVALID": "INVALID_IMAGE_MODEL", "MODEL_UNSUPPORTED": "IMAGE_MODEL_UNSUPPORTED"},
    )
