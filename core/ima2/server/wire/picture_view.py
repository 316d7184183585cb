"""What the answers of all picture routes have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.aliases import camel_keys
from ima2.interfaces import JobResult, JobView, Label, Output, Request
from ima2.models import ImageRequest, Json


class PictureView(JobView):
    """A job of pictures as its clients read it."""

    request: ImageRequest

    def __init__(self, request: Request | None, label: Label) -> None:
        super().__init__(request, label)
        assert isinstance(request, ImageRequest)

    def common(self, result: JobResult) -> dict[str, Json]:
        """The settings as they took effect, what was really used, and what the work took."""
        first, asked, options = result.kept[0], self.request, self.request.options
        common: dict[str, Json] = {
            "usage": result.usage,
            "cost": result.cost,
            "costEstimate": result.estimate,
            "provider": asked.provider,
            "reasoningEffort": str(options.get("reasoningEffort") or "none"),
            "webSearchCalls": result.searches,
            "quality": asked.quality,
            "size": asked.size,
            "format": first.facts.get("format"),
            "moderation": asked.moderation,
            "model": asked.model,
            "effectiveModel": first.artifact.model or asked.model,
            "used": first.facts.get("used"),
            "warnings": warnings(result),
            "revisedPrompt": first.artifact.revised_prompt,
            "promptMode": self.label.extra.get("prompt_mode", "auto"),
            "webSearchEnabled": options.get("webSearch") is True,
        }
        if found := [*self.label.extra.get("adjustments", ()), *adjustments(result)]:
            common["adjustments"] = found
        return common

    def single(self, result: JobResult) -> dict[str, Json]:
        """The answer of one picture."""
        output = result.kept[0]
        return {
            "image": output.picture,
            "elapsed": result.elapsed,
            "filename": output.key,
            "url": output.url,
            "requestId": result.id,
            "providerUrl": output.artifact.url,
            "createdAt": output.created_at,
            **self.common(result),
        }


def listed(output: Output) -> dict[str, Json]:
    """One picture of several, as answers list it."""
    image: dict[str, Json] = {
        "image": output.picture,
        "filename": output.key,
        "url": output.url,
        "revisedPrompt": output.artifact.revised_prompt,
        "createdAt": output.created_at,
    }
    if output.artifact.url:
        image["providerUrl"] = output.artifact.url
    return image


def warnings(result: JobResult) -> list[dict[str, Any]]:
    """The warnings with the wire's names, but for `adjustments`."""
    return [camel_keys(one) for one in result.warnings if not _is_adjustment(one)]


def adjustments(result: JobResult) -> list[dict[str, Any]]:
    """Values that a provider takes as another one, which clients of the reference expect no warning for."""
    return [camel_keys(one) for one in result.warnings if _is_adjustment(one)]


def _is_adjustment(warning: Mapping[str, Any]) -> bool:
    return str(warning.get("code", "")).endswith("_ADJUSTED")


def single_record(result: JobResult) -> Mapping[str, Json]:
    """What the record of a job of one picture shows at its end: the file, and how long its base64 text is."""
    if not result.kept:
        return {}
    output = result.kept[0]
    return {"filename": output.key, "imageChars": (len(output.picture.data) + 2) // 3 * 4}
