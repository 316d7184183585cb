"""What is ordered for a picture: the checks, xAI's fields, and what is used in place of what was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ima2 import Ima2Error, ImageRequest, Json, Notice, Source
from ima2_provider_grok import catalogue, sizes, wire
from ima2_provider_grok.catalogue import IMAGE, IMAGE_2, IMAGE_QUALITY, MAX_REFERENCES, MAX_REFERENCES_2
from ima2_provider_grok.settings import GrokSettings


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """One image call, ready to be sent."""

    path: str
    body: dict[str, Json] = field(repr=False)
    revised: str = field(repr=False)
    asked: str
    """The model of the request; `model` is ordered, which is another one for quality ``high``."""
    keep_revised: bool
    """Whether the planner's words are the revised prompt; of an edit xAI's own are."""

    @property
    def model(self) -> str:
        """The model that is ordered."""
        return str(self.body["model"])


def image_model(request: ImageRequest, settings: GrokSettings) -> str:
    """The model to order. Quality ``high`` of the first generation is a name of its own with xAI."""
    model = request.model or settings.default_image_model
    known = catalogue.model_of(model)
    if not request.any_model and (known is None or known.media != "image"):
        text = f"model must be one of: {', '.join(one.id for one in catalogue.MODELS if one.media == 'image')}"
        raise Ima2Error("INVALID_GROK_IMAGE_MODEL", 400, text)
    return IMAGE_QUALITY if request.quality == "high" and model in (IMAGE, IMAGE_QUALITY) else model


def inputs(request: ImageRequest, model: str) -> tuple[Source, ...]:
    """All input pictures, the one to be edited first: at most three, or as many as the model says."""
    if request.mask is not None:
        raise Ima2Error("GROK_MASK_UNSUPPORTED", 400, "Grok cannot edit by mask; describe the place in words instead.")
    sources = request.references if request.source is None else (request.source, *request.references)
    sources = (*sources, *wire.file_links(request.options.get("fileIds")))
    known = catalogue.model_of(model)
    most = (known.max_references or MAX_REFERENCES) if known else MAX_REFERENCES_2
    if len(sources) > most:
        text = f"{model} takes at most {most} pictures with a request; {len(sources)} were given."
        raise Ima2Error("GROK_REF_TOO_MANY", 400, text)
    return sources


def ratios_of(model: str) -> tuple[str, ...]:
    """The ratios that a model makes."""
    return (*sizes.RATIOS, *sizes.NEWER_RATIOS) if model == IMAGE_2 else sizes.RATIOS


def quality_of(request: ImageRequest, model: str) -> str | None:
    """The quality to order: 2.0 takes ``low`` and ``medium`` and chooses by itself without one."""
    if model != IMAGE_2 or request.quality == "auto":
        return None
    return "low" if request.quality == "low" else "medium"


def notices(request: ImageRequest, model: str) -> Iterator[Notice]:
    """What is used in place of what was asked, known before anything is sent."""
    used = sizes.adjustment(request.size, ratios_of(model))
    if used is not None:
        text = f"Grok has no size {request.size[:80]}; {used} is used."
        yield Notice("SIZE_ADJUSTED", text, {"field": "size", "used": used, "reason": "grok-has-no-such-size"})
    quality = quality_of(request, model)
    if quality is not None and quality != request.quality:
        text = f"{model} has no quality {request.quality}; {quality} is used."
        yield Notice("QUALITY_DIFFERS", text, {"field": "quality", "from": request.quality, "to": quality})


def image_order(request: ImageRequest, model: str, pictures: Sequence[Mapping[str, str]], prompt: str) -> ImageOrder:
    """The call for a prompt: plain generation, or an edit as soon as there is an input picture."""
    body: dict[str, Json] = {"model": model, "prompt": prompt, "n": 1, "response_format": "url"}
    sources = [dict(one) if "file_id" in one else {"type": "image_url", **one} for one in pictures]
    if len(sources) == 1:
        body["image"] = sources[0]
    elif sources:
        body["images"] = sources
    body.update(sizes.parameters(request.size, ratios_of(model)))
    if quality := quality_of(request, model):
        body["quality"] = quality
    path = "images/edits" if sources else "images/generations"
    return ImageOrder(path, body, prompt, request.model or model, keep_revised=not request.plain)
