"""``POST /api/generate``: independent candidates for one prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.models import Artifact, ImageRequest, Json, Link, Source
from ima2.ways.body import Body
from ima2.ways.choices import Choices, choose_count, choose_look, choose_model, choose_moderation
from ima2.ways.diagnostics import flat
from ima2.ways.references import References, read_references
from ima2.ways.storyboard import storyboarded
from ima2.ways.way import Limits, Made, Outcome, Way, stamp

ID_CHARS = 160


class Classic(Way):
    """One classic request. ``asked_async`` says how the client wants its answer."""

    kind = "classic"

    def __init__(
        self, body: Body, provider: Provider, choices: Choices, references: References, limits: Limits, fallback_id: str
    ) -> None:
        self.id = body.request_id(fallback_id)
        self.provider = provider
        self.limits = limits
        self.references = references
        self.asked_async = body.get("async") is True
        self.session_id = body.text("sessionId", limit=ID_CHARS, code="INVALID_SESSION_ID")
        self.client_node_id = body.text("clientNodeId", limit=ID_CHARS, code="INVALID_NODE_ID")
        self.composer_prompt = body.text("composerPrompt", limit=limits.prompt_chars, code="INVALID_COMPOSER")
        self.inserted = inserted_prompts(body.get("composerInsertedPrompts"))
        self.prompt = str(body.get("prompt"))
        count = choose_count(body, "n", provider.capabilities.max_count, choices)
        self.request = ImageRequest(
            storyboarded(self.prompt) if body.get("storyboard") is True else self.prompt,
            provider.id,
            choices.model,
            choices.size,
            choices.quality,
            choices.format,
            choices.moderation,
            _sources(body, provider, choices, references),
            count=count,
            partials=_partials(body, provider),
            options=choices.options,
        )
        self.warnings = choices.warnings

    @classmethod
    def read(
        cls, fields: Mapping[str, Any], providers: Callable[[Any], Provider], limits: Limits, fallback_id: str
    ) -> Classic:
        """Check a body in the reference's order: provider, model and options, prompt, moderation, references, their
        number."""
        body = Body(fields)
        provider = providers(body.get("provider"))
        choices = choose_model(body, provider)
        require_prompt(body, limits)
        choose_look(body, provider, choices)
        choose_moderation(body, provider, choices)
        references = read_references(
            body.get("references"), max_count=limits.references, max_chars=limits.reference_chars
        )
        return cls(body, provider, choices, references, limits, fallback_id)

    # -- the job's record --------------------------------------------------------------------

    def meta(self) -> dict[str, Json]:
        return {
            "kind": "classic",
            "sessionId": self.session_id,
            "parentNodeId": None,
            "clientNodeId": self.client_node_id,
            "quality": self.request.quality,
            "model": self.request.model,
            "size": self.request.size,
            "n": self.request.count,
            "refsCount": len(self.references.pictures),
            "referenceBytes": self.references.byte_count,
            "referenceB64Chars": self.references.base64_chars,
            "composerPrompt": self.composer_prompt,
            "composerInsertedPrompts": self.inserted,
        }

    # -- files ---------------------------------------------------------------------------------

    def key(self, index: int, extension: str, created_at: int) -> str:
        return f"{stamp(created_at, self.limits.name_bytes)}_{index}.{extension}"

    def sidecar(self, artifact: Artifact, created_at: int, format_name: str, outcome: Outcome) -> dict[str, Json]:
        asked = self.request
        facts: dict[str, Json] = {
            "kind": "classic",
            "requestId": self.id,
            "sessionId": self.session_id,
            "clientNodeId": self.client_node_id,
            "prompt": asked.prompt,
            "userPrompt": self.prompt,
            "revisedPrompt": artifact.revised_prompt,
            "promptMode": self._mode(),
            "composerPrompt": self.composer_prompt,
            "composerInsertedPrompts": self.inserted,
            "quality": asked.quality,
            "size": asked.size,
            "format": format_name,
            "moderation": asked.moderation,
            "model": artifact.model or asked.model,
            "reasoningEffort": self._effort(),
            "provider": self.provider.id,
            "createdAt": created_at,
            "usage": outcome.usage,
            "webSearchCalls": outcome.searches,
            "webSearchEnabled": self._search(),
            "refsCount": len(self.references.pictures),
        }
        if artifact.url:
            facts["providerUrl"] = artifact.url
        return {**facts, **artifact.facts}

    # -- answers -------------------------------------------------------------------------------

    def reply(self, outcome: Outcome) -> dict[str, Json]:
        if self.request.count == 1:
            made = outcome.made[0]
            head = {
                "image": made.kept.picture,
                "elapsed": outcome.elapsed,
                "filename": made.kept.key,
                "url": made.kept.url,
                "requestId": self.id,
                "providerUrl": made.artifact.url,
                "createdAt": made.created_at,
            }
            return {**head, **self._common(outcome)}
        head = {
            "images": [_image(made) for made in outcome.made],
            "elapsed": outcome.elapsed,
            "count": len(outcome.made),
            "requested": self.request.count,
            "failures": [{"index": one.index, "code": getattr(one.error, "code", "UNKNOWN")} for one in outcome.failed],
            "requestId": self.id,
        }
        return {**head, **self._common(outcome)}

    def refusal(self, error: Ima2Error) -> dict[str, Json]:
        return flat(error, self.id, block=True)

    def _common(self, outcome: Outcome) -> dict[str, Json]:
        asked = self.request
        return {
            "usage": outcome.usage,
            "cost": outcome.cost,
            "provider": self.provider.id,
            "reasoningEffort": self._effort(),
            "webSearchCalls": outcome.searches,
            "quality": asked.quality,
            "size": asked.size,
            "format": outcome.made[0].kept.facts.get("format"),
            "moderation": asked.moderation,
            "model": asked.model,
            "effectiveModel": outcome.made[0].artifact.model or asked.model,
            "warnings": outcome.warnings,
            "revisedPrompt": outcome.made[0].artifact.revised_prompt,
            "promptMode": self._mode(),
            "webSearchEnabled": self._search(),
        }

    def _mode(self) -> str:
        return "direct" if self.request.options.get("mode") == "direct" else "auto"

    def _effort(self) -> str:
        return str(self.request.options.get("reasoningEffort") or "none")

    def _search(self) -> bool:
        return self.request.options.get("webSearch") is True


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


def _sources(body: Body, provider: Provider, choices: Choices, references: References) -> tuple[Source, ...]:
    able = provider.capabilities
    sources: list[Source] = list(references.pictures)
    url = body.get("providerUrl")
    if isinstance(url, str) and url.startswith("http"):
        if able.links and len(url) <= 4000:
            sources.insert(0, Link(url))
        else:
            choices.warn("PROVIDER_URL_IGNORED", "providerUrl", None, "provider-takes-no-urls")
    if len(sources) > able.max_references:
        text = f"This provider takes {able.max_references} reference pictures at most."
        raise Ima2Error(able.code("REF_TOO_MANY"), 400, text)
    return tuple(sources)


def _partials(body: Body, provider: Provider) -> int:
    """Previews are ours, not the reference's: a client gets them when it asks with ``partials``."""
    value = body.get("partials")
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3:
        raise Ima2Error("INVALID_PARTIALS", 400, "partials must be 0, 1, 2 or 3.")
    return min(value, provider.capabilities.partials)


def _image(made: Made) -> dict[str, Json]:
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
