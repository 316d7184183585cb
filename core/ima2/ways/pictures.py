"""What the ways to make pictures have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from ima2.contracts import Job, Provider
from ima2.errors import Ima2Error
from ima2.jobs.record import Draft
from ima2.media.convert import convert
from ima2.media.sniff import EXTENSIONS, MEDIA_TYPES, media_type_of
from ima2.models import Artifact, ImageRequest, Json, Link, Picture, Source, Update
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_look, choose_model, choose_moderation
from ima2.ways.references import References, read_references
from ima2.ways.way import Limits, Made, Outcome, Way

ID_CHARS = 160
Providers = Callable[[Any], Provider]


class PictureWay(Way):
    """Reads the fields that all of them share, and gives the parts that all answers and sidecars share."""

    request: ImageRequest

    def __init__(self, body: Body, provider: Provider, choices: Choices, limits: Limits, fallback_id: str) -> None:
        self.id = body.request_id(fallback_id)
        self.provider = provider
        self.limits = limits
        self.choices = choices
        self.warnings = choices.warnings
        self.asked_async = body.get("async") is True
        self.prompt = str(body.get("prompt"))
        self.session_id = body.text("sessionId", limit=ID_CHARS, code="INVALID_SESSION_ID")
        self.client_node_id = body.text("clientNodeId", limit=ID_CHARS, code="INVALID_NODE_ID")
        self.composer_prompt = body.text("composerPrompt", limit=limits.prompt_chars, code="INVALID_COMPOSER")
        self.inserted = inserted_prompts(body.get("composerInsertedPrompts"))

    def ask(self, sources: tuple[Source, ...] = (), **more: Any) -> ImageRequest:
        """The request to the provider, with what the choices say filled in."""
        chosen = self.choices
        return ImageRequest(
            **{
                "prompt": self.prompt,
                "provider": self.provider.id,
                "model": chosen.model,
                "size": chosen.size,
                "quality": chosen.quality,
                "format": chosen.format,
                "moderation": chosen.moderation,
                "references": sources,
                "options": chosen.options,
                **more,
            }
        )

    # -- the work ------------------------------------------------------------------------------

    def updates(self, job: Job) -> AsyncIterator[Update]:
        return self.provider.images(self.request, job)

    async def as_asked(self, artifact: Artifact, outcome: Outcome) -> tuple[Picture, dict[str, Json]]:
        """The picture in the file format asked for, where the provider promises one. Its true type is what its bytes
        say."""
        data = artifact.picture.data
        media_type = media_type_of(data)
        if media_type is None or not media_type.startswith("image/"):
            raise Ima2Error("PROVIDER_ANSWER_INVALID", 502, "The provider sent something that is no picture.")
        wanted = MEDIA_TYPES[self.request.format]
        if media_type == wanted or self.request.format not in self.provider.capabilities.formats:
            return Picture(data, media_type), {}
        return Picture(await asyncio.to_thread(convert, data, wanted), wanted), {
            "convertedFrom": EXTENSIONS[media_type]
        }

    def nothing(self) -> Ima2Error:
        return Ima2Error("EMPTY_RESPONSE", 422, "No image data returned. Try another size, quality or model.")

    def draft(self) -> Draft:
        asked = self.request
        data = {
            "prompt": asked.prompt,
            "provider": asked.provider,
            "model": asked.model,
            "size": asked.size,
            "quality": asked.quality,
            "format": asked.format,
            "moderation": asked.moderation,
            "count": asked.count,
            "sequence": asked.sequence,
            "references": len(asked.references),
            "options": dict(asked.options),
        }
        return Draft(self.id, self.kind, asked.prompt, self.meta(), data, session_id=self.session_id)

    def single(self, outcome: Outcome) -> dict[str, Json]:
        """The answer of one picture."""
        made = outcome.made[0]
        return {
            "image": made.kept.picture,
            "elapsed": outcome.elapsed,
            "filename": made.kept.key,
            "url": made.kept.url,
            "requestId": self.id,
            "providerUrl": made.artifact.url,
            "createdAt": made.created_at,
            **self.common(outcome),
        }

    # -- shared by answers ---------------------------------------------------------------------

    def common(self, outcome: Outcome) -> dict[str, Json]:
        """The settings as they took effect, and what the work took."""
        asked = self.request
        common: dict[str, Json] = {
            "usage": outcome.usage,
            "cost": outcome.cost,
            "provider": self.provider.id,
            "reasoningEffort": self.effort,
            "webSearchCalls": outcome.searches,
            "quality": asked.quality,
            "size": asked.size,
            "format": outcome.made[0].kept.facts.get("format"),
            "moderation": asked.moderation,
            "model": asked.model,
            "effectiveModel": outcome.made[0].artifact.model or asked.model,
            "warnings": outcome.warnings,
            "revisedPrompt": outcome.made[0].artifact.revised_prompt,
            "promptMode": self.mode,
            "webSearchEnabled": self.searches,
        }
        if self.choices.adjustments:
            common["adjustments"] = self.choices.adjustments
        return common

    def told(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        """What every sidecar holds."""
        asked = self.request
        facts: dict[str, Json] = {
            "requestId": self.id,
            "prompt": asked.prompt,
            "userPrompt": self.prompt,
            "revisedPrompt": artifact.revised_prompt,
            "promptMode": self.mode,
            "quality": asked.quality,
            "size": asked.size,
            "format": format_name,
            "moderation": asked.moderation,
            "model": artifact.model or asked.model,
            "reasoningEffort": self.effort,
            "provider": self.provider.id,
            "createdAt": created_at,
            "usage": outcome.usage,
            "webSearchCalls": outcome.searches,
            "webSearchEnabled": self.searches,
        }
        if artifact.url:
            facts["providerUrl"] = artifact.url
        return {**facts, **artifact.facts}

    @property
    def composer(self) -> dict[str, Json]:
        """The composer's state, which the page restores."""
        return {"composerPrompt": self.composer_prompt, "composerInsertedPrompts": self.inserted}

    @property
    def mode(self) -> str:
        """``direct`` or ``auto``."""
        return "direct" if self.choices.options.get("mode") == "direct" else "auto"

    @property
    def effort(self) -> str:
        """The reasoning effort, ``none`` where the provider has no such option."""
        return str(self.choices.options.get("reasoningEffort") or "none")

    @property
    def searches(self) -> bool:
        """Whether the provider may search the web."""
        return self.choices.options.get("webSearch") is True


def read_common(body: Body, providers: Providers, limits: Limits) -> tuple[Provider, Choices, References]:
    """What most ways check first, in the reference's order: provider, model and options, prompt, moderation,
    references."""
    provider = providers(body.get("provider"))
    choices = choose_model(body, provider)
    require_prompt(body, limits)
    choose_look(body, provider, choices)
    choose_moderation(body, provider, choices)
    references = read_references(body.get("references"), max_count=limits.references, max_chars=limits.reference_chars)
    return provider, choices, references


def require_prompt(body: Body, limits: Limits) -> None:
    """A prompt that says something: 400 ``PROMPT_REQUIRED``, ``PROMPT_TOO_LONG`` or ``INVALID_PROMPT``."""
    value = body.get("prompt")
    if value is None or value == "" or (isinstance(value, str) and not value.strip()):
        raise Ima2Error("PROMPT_REQUIRED", 400, "Prompt is required")
    too_long = isinstance(value, str) and len(value) > limits.prompt_chars
    body.text("prompt", limit=limits.prompt_chars, code="PROMPT_TOO_LONG" if too_long else "INVALID_PROMPT")


def inserted_prompts(value: Any) -> list[dict[str, str]]:
    """The composer's building blocks; incomplete ones are left out, as the page expects."""
    kept = []
    for item in value[:100] if isinstance(value, list) else ():
        if isinstance(item, dict) and all(isinstance(item.get(name), str) for name in ("id", "name", "text")):
            placement = "after" if item.get("placement") == "after" else "before"
            kept.append({name: item[name][:32_000] for name in ("id", "name", "text")} | {"placement": placement})
    return kept


def read_sources(
    body: Body, provider: Provider, choices: Choices, references: References, *, taken: int = 0
) -> tuple[Source, ...]:
    """The reference pictures, behind the provider's own URL where one is given; ``taken`` inputs count beside them."""
    able = provider.capabilities
    sources: list[Source] = list(references.pictures)
    url = body.get("providerUrl")
    if isinstance(url, str) and url.startswith("http"):
        if able.links and len(url) <= 4000:
            sources.insert(0, Link(url))
        else:
            choices.warn("PROVIDER_URL_IGNORED", "providerUrl", None, "provider-takes-no-urls")
    if len(sources) + taken > max(able.max_references, taken):
        text = f"This provider takes {able.max_references} reference pictures at most."
        raise Ima2Error(able.code("REF_TOO_MANY"), 400, text)
    return tuple(sources)


def read_partials(body: Body, provider: Provider, default: int = 0) -> int:
    """Previews of each picture: as many as the client asks for with ``partials``, and the provider can give."""
    value = body.get("partials")
    if value is None:
        return min(default, provider.capabilities.partials)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3:
        raise Ima2Error("INVALID_PARTIALS", 400, "partials must be 0, 1, 2 or 3.")
    return min(value, provider.capabilities.partials)


def shown(made: Made) -> dict[str, Json]:
    """One picture of several, as answers list it."""
    image: dict[str, Json] = {
        "image": made.kept.picture,
        "filename": made.kept.key,
        "url": made.kept.url,
        "revisedPrompt": made.artifact.revised_prompt,
        "createdAt": made.created_at,
    }
    if made.artifact.url:
        image["providerUrl"] = made.artifact.url
    return image
