"""The fields that all routes for pictures share, read in whichever order a route checks them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2.capabilities import Capabilities, Option
from ima2.contracts import Provider
from ima2.errors import Ima2Error
from ima2.interfaces import Label, Studio
from ima2.media.formats import FORMATS
from ima2.models import ImageRequest, Json, Link, Media, Source
from ima2.server.wire.body import Body, integer
from ima2.server.wire.references import References, read_references
from ima2.studio.check import (
    check_model,
    check_option,
    check_reference_count,
    check_size,
    qualities,
)

ID_CHARS = 160
URL_CHARS = 4000


class ImageBody(Body):
    """A client's JSON for pictures. Each reader checks its part and refuses what is wrong with the code the wire
    promises; `request` puts together what was read.

    Nothing is changed in silence: a value is taken, refused, or answered with one of ``warnings``. Numbers brought into
    range are told in ``adjustments``, as clients of the reference expect no warning there.
    """

    media: Media = "image"

    def __init__(self, fields: Mapping[str, Any], studio: Studio, fallback_id: str) -> None:
        super().__init__(fields)
        self.studio, self.limits = studio, studio.limits
        self.id = fallback_id
        self._fallback_id = fallback_id
        self.provider: Provider
        self.model = self.size = ""
        self.quality, self.format, self.moderation = "medium", "png", "low"
        self.options: dict[str, Json] = {}
        self.references = References()
        self.warnings: list[dict[str, Json]] = []
        self.adjustments: list[dict[str, Json]] = []

    @property
    def able(self) -> Capabilities:
        """What the chosen provider declares."""
        return self.provider.capabilities

    @property
    def any_model(self) -> bool:
        """Whether a model that nobody declared is to be sent as it is."""
        return self.get("allowUnknownModel") is True

    def warn(self, code: str, field_name: str, used: Json, reason: str) -> None:
        """Add a warning in the wire's shape."""
        self.warnings.append({"code": code, "field": field_name, "normalizedTo": used, "reason": reason})

    # -- readers -----------------------------------------------------------------------------------

    def choose_provider(self) -> None:
        """The provider, which must make this medium."""
        self.provider = self.studio.provider(self.get("provider"), self.media)
        if self.media not in self.able.media:
            raise self.provider.unsupported(self.media)

    def choose_model(self) -> None:
        """Model and the provider's own options."""
        asked = self.get("model")
        asked = asked if isinstance(asked, str) and asked else ""
        fixed = "model" in self.able.fixed
        self.model = asked if fixed else check_model(self.able, asked, self.media, any_model=self.any_model)
        self.read_options()

    def read_options(self) -> None:
        """Options with a field of their own, leniently as ever, then those below ``options``, strictly."""
        by_field = {option.wire: option for option in self.able.options if option.wire}
        for field, declared in by_field.items():
            self.options[declared.name] = _lenient(declared, self.get(field))
        if self.get("reasoningEffort") is not None and "reasoningEffort" not in by_field:
            self.warn("OPTION_IGNORED", "reasoningEffort", None, "provider-has-no-such-option")
        more = self.get("options")
        if more is not None and not isinstance(more, dict):
            raise Ima2Error("INVALID_OPTIONS", 400, "options must be an object.")
        for name, value in (more or {}).items():
            option = self.able.option(name) if isinstance(name, str) else None
            if option is None:
                names = ", ".join(sorted(option.name for option in self.able.options)) or "none"
                raise Ima2Error("UNKNOWN_OPTION", 400, f"This provider has no such option. It has: {names}")
            self.options[option.name] = check_option(option, value)

    def require_prompt(self) -> str:
        """A prompt that says something: 400 ``PROMPT_REQUIRED``, ``PROMPT_TOO_LONG`` or ``INVALID_PROMPT``."""
        value, limit = self.get("prompt"), self.limits.prompt_chars
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            raise Ima2Error("PROMPT_REQUIRED", 400, "Prompt is required")
        too_long = isinstance(value, str) and len(value) > limit
        self.text("prompt", limit=limit, code="PROMPT_TOO_LONG" if too_long else "INVALID_PROMPT")
        return str(value)

    def choose_image_options(self) -> None:
        """Quality, size and format."""
        quality, known = self.get("quality"), qualities(self.able, self.model)
        if isinstance(quality, str) and quality in known:
            self.quality = quality
        elif isinstance(quality, str) and quality:
            self.warn("QUALITY_DEFAULTED", "quality", self.quality, "invalid-quality")
        asked = self.get("size")
        asked = asked if isinstance(asked, str) else ""
        self.size = asked if "size" in self.able.fixed else check_size(self.able, asked, self.model)
        self.format = self._format()

    def choose_moderation(self) -> None:
        """Moderation, or 400 ``INVALID_MODERATION``."""
        value, allowed = self.get("moderation"), self.able.moderations
        if value is None:
            self.moderation = "low" if "low" in allowed else allowed[0]
        elif isinstance(value, str) and value in allowed:
            self.moderation = value
        else:
            raise Ima2Error("INVALID_MODERATION", 400, f"moderation must be one of: {', '.join(allowed)}")

    def read_references(self) -> None:
        """The reference pictures sent along. A model that takes more than others of its provider raises the limit."""
        limits = self.limits
        own = next((one.max_references or 0 for one in self.able.models if one.id == self.model), 0)
        most = max(limits.references, own if own > self.able.max_references else 0)
        self.references = read_references(self.get("references"), max_count=most, max_chars=limits.reference_chars)

    def count(self, name: str, most: int) -> int:
        """How many: 1 to ``most``. As in the reference others are brought into range; ``adjustments`` says so."""
        value = self.get(name)
        if value is None:
            return 1
        number = integer(value)
        used = 1 if number is None or number == 0 else min(max(number, 1), most)
        if used != number:
            self.adjustments.append({"field": name, "used": used, "reason": f"allowed-1-to-{most}"})
        return used

    def partials(self, default: int = 0) -> int:
        """Previews of each picture: as many as the client asks for with ``partials``, and the provider can give."""
        value = self.get("partials")
        if value is None:
            return min(default, self.able.partials)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3:
            raise Ima2Error("INVALID_PARTIALS", 400, "partials must be 0, 1, 2 or 3.")
        return min(value, self.able.partials)

    def sources(self, taken: int = 0) -> tuple[Source, ...]:
        """The reference pictures, behind the provider's own URL where one is given; ``taken`` inputs count beside
        them."""
        sources: list[Source] = list(self.references.pictures)
        url = self.get("providerUrl")
        if isinstance(url, str) and url.startswith("http"):
            if self.able.links and len(url) <= URL_CHARS:
                sources.insert(0, Link(url))
            else:
                self.warn("PROVIDER_URL_IGNORED", "providerUrl", None, "provider-takes-no-urls")
        check_reference_count(self.able, len(sources), taken, self.model)
        return tuple(sources)

    def identify(self) -> None:
        """The job's id and who asks, checked last as in the reference."""
        self.id = self.request_id(self._fallback_id)
        self.session_id = self.text("sessionId", limit=ID_CHARS, code="INVALID_SESSION_ID")
        self.client_node_id = self.text("clientNodeId", limit=ID_CHARS, code="INVALID_NODE_ID")
        self.composer = {
            "composer_prompt": self.text("composerPrompt", limit=self.limits.prompt_chars, code="INVALID_COMPOSER"),
            "composer_inserted_prompts": inserted_prompts(self.get("composerInsertedPrompts")),
        }

    # -- what was read -----------------------------------------------------------------------------

    def request(self, **more: Any) -> ImageRequest:
        """The typed request, with what was chosen filled in."""
        chosen: dict[str, Any] = {
            "prompt": str(self.get("prompt")),
            "provider": self.provider.id,
            "model": self.model,
            "size": self.size,
            "quality": self.quality,
            "format": self.format,
            "moderation": self.moderation,
            "options": self.options,
            "any_model": self.any_model,
        }
        return ImageRequest(**{**chosen, **more})

    def label(self, **more: Any) -> Label:
        """The label, with what all picture routes write down. ``facts``, ``meta`` and ``extra`` add to that."""
        facts = {"user_prompt": str(self.get("prompt")), "prompt_mode": self.mode, **more.pop("facts", {})}
        extra = {"adjustments": self.adjustments, "prompt_mode": self.mode, **more.pop("extra", {})}
        return Label(
            id=self.id,
            session_id=self.session_id,
            client_id=self.client_node_id,
            facts=facts,
            extra=extra,
            warnings=self.warnings,
            **more,
        )

    @property
    def mode(self) -> str:
        """``direct`` or ``auto``, as asked."""
        chosen = self.options.get("mode", self.get("mode"))
        return "direct" if chosen == "direct" else "auto"

    @property
    def reference_counts(self) -> dict[str, int]:
        """What a job's record shows of the references."""
        return self.references.counts

    def _format(self) -> str:
        asked = self.get("format")
        if asked is None or asked == "":
            return "png"
        used = FORMATS.get(asked) if isinstance(asked, str) else None
        if used is None:
            self.warn("FORMAT_DEFAULTED", "format", "png", "invalid-format")
        return used or "png"


def read_common(body: ImageBody) -> None:
    """What most routes check first, in the reference's order: provider, model and options, prompt, moderation,
    references."""
    body.choose_provider()
    body.choose_model()
    body.require_prompt()
    body.choose_image_options()
    body.choose_moderation()
    body.read_references()


def inserted_prompts(value: Any) -> list[dict[str, str]]:
    """The composer's building blocks; incomplete ones are left out, as the page expects."""
    usable = []
    for item in value[:100] if isinstance(value, list) else ():
        if isinstance(item, dict) and all(isinstance(item.get(name), str) for name in ("id", "name", "text")):
            placement = "after" if item.get("placement") == "after" else "before"
            usable.append({name: item[name][:32_000] for name in ("id", "name", "text")} | {"placement": placement})
    return usable


def _lenient(option: Option, value: Any) -> Json:
    """Fields of the reference: only ``false`` turns a search off, an unknown mode is the default, efforts are
    checked."""
    if option.kind == "flag":
        return option.default if value is None or not option.default else value is not False
    if value is None or value == "" or (option.name == "mode" and value not in option.values):
        return option.default
    return check_option(option, value)
