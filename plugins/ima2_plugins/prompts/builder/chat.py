"""One turn of the prompt builder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import ima2
from ima2_plugins.prompts.builder.conversation import Conversation, read
from ima2_plugins.prompts.builder.instructions import HEADINGS, SCHEMA, system

MODELS = ("gpt-5.5", "gpt-5.4", "gpt-5.4-mini")
"""What pages of ima2-gen ask for, whoever answers."""
_OWN_STATUS = frozenset({400, 401, 403, 422, 429})
"""What the person can do something about is told as the provider told it."""


async def turn(given: Mapping[str, Any], studio: ima2.Studio) -> dict[str, Any]:
    """Ask the model of words. Refusals and failures as in ima2-gen; those of safety, sign-in and limits keep the
    provider's own code."""
    model = _model(given.get("model"), studio)
    talk = read(given)
    provider = _provider(given.get("provider"), model, studio)
    known = model in _models(provider)
    structured = given.get("structured") is True
    language = given.get("language")
    request = ima2.TextRequest(
        talk.words,
        provider.id,
        system(language[:40] if isinstance(language, str) else "", structured=structured),
        model if known else "",
        tuple(talk.pictures),
        messages=tuple(talk.earlier),
        schema=SCHEMA if structured else None,
    )
    answer = await _ask(studio, request)
    if model and not known:
        text = f"{provider.title} answered with a model of its own, as it has no {model}."
        talk.warnings.append({"code": "MODEL_SUBSTITUTED", "message": text})
    return _answer(provider, answer, talk, structured=structured)


def sections(text: str) -> dict[str, Any] | None:
    """The four parts of an answer that has all its headings, in order; ``None`` for any other."""
    parts: dict[str, list[str]] = {}
    wanted = {heading.rstrip(":").casefold(): name for name, heading in HEADINGS.items()}
    current: list[str] | None = None
    for line in text.splitlines():
        name = wanted.get(line.strip().strip("*# ").rstrip(":").casefold())
        if name is not None and name not in parts:
            current = parts[name] = []
        elif current is not None:
            current.append(line)
    if list(parts) != list(HEADINGS):
        return None
    found = {name: "\n".join(lines).strip() for name, lines in parts.items()}
    final = {"ko": found["ko"], "en": found["en"]}
    return {"intentSummary": found["intentSummary"], "finalPrompt": final, "notes": found["notes"]}


def _model(value: Any, studio: ima2.Studio) -> str:
    if value is None or value == "":
        return ""
    known = {*MODELS, *(one for provider in studio.providers() if _has_words(provider) for one in _models(provider))}
    if not isinstance(value, str) or value not in known:
        raise ima2.Ima2Error("PROMPT_BUILDER_BAD_MODEL", 400, "No model of this name answers in words here.")
    return value


def _provider(name: Any, model: str, studio: ima2.Studio) -> ima2.Provider:
    """The one that was named, else one that is ready and has the model, else any that is ready."""
    if isinstance(name, str) and name not in ("", "auto"):
        provider = studio.provider(name)
        if not _has_words(provider):
            raise provider.unsupported("text")
        return provider
    ready = [one for one in studio.providers(ready=True) if _has_words(one)]
    if not ready:
        able = [one.title for one in studio.providers() if _has_words(one)]
        who = f"Set up one of these first: {', '.join(able)}." if able else "No provider here answers in words."
        raise ima2.Ima2Error("OAUTH_UNAVAILABLE", 503, f"Nobody is ready to answer. {who}")
    return next((one for one in ready if model and model in _models(one)), ready[0])


def _has_words(provider: ima2.Provider) -> bool:
    return provider.capabilities.text or type(provider).text is not ima2.Provider.text


def _models(provider: ima2.Provider) -> list[str]:
    return [one.id for one in provider.capabilities.models if one.supported and one.media == "image"]


async def _ask(studio: ima2.Studio, request: ima2.TextRequest) -> ima2.TextResult:
    try:
        answer = await studio.text(request)
    except ima2.Ima2Error as error:
        raise _failure(error) from None
    if not answer.text.strip():
        raise ima2.Ima2Error("PROMPT_BUILDER_EMPTY_RESPONSE", 502, "The model answered without words.")
    return answer


def _failure(error: ima2.Ima2Error) -> ima2.Ima2Error:
    if error.status in _OWN_STATUS or "UNAVAILABLE" in error.code or "EXPIRED" in error.code:
        return error
    details = {**error.details, "upstreamCode": error.code}
    if error.status == 504:
        return ima2.Ima2Error("PROMPT_BUILDER_TIMEOUT", 504, error.text, details=details)
    code = "PROMPT_BUILDER_EMPTY_RESPONSE" if "EMPTY" in error.code else "PROMPT_BUILDER_UPSTREAM_FAILED"
    return ima2.Ima2Error(code, 502, error.text, details=details)


def _answer(
    provider: ima2.Provider, answer: ima2.TextResult, talk: Conversation, *, structured: bool
) -> dict[str, Any]:
    content, parts = answer.text.strip(), None
    if structured:
        parts = _document(content)
        said = {**parts["finalPrompt"], "intentSummary": parts["intentSummary"], "notes": parts["notes"]}
        content = "\n\n".join(f"{heading}\n{said[name]}" for name, heading in HEADINGS.items())
    return {
        "provider": provider.id,
        "model": answer.model,
        "message": {"role": "assistant", "content": content},
        "usage": answer.usage,
        "cost": answer.cost,
        "structured": parts or sections(content),
        "warnings": talk.warnings,
    }


def _document(text: str) -> dict[str, Any]:
    """The JSON answer, checked against what the schema asks for."""
    try:
        value = json.loads(text)
        final = value["finalPrompt"]
        parts = {"intentSummary": value["intentSummary"], "notes": value["notes"]}
        prompts = {"ko": final["ko"], "en": final["en"]}
    except (ValueError, LookupError, TypeError, RecursionError):
        parts, prompts = {}, {}
    if not parts or not all(isinstance(one, str) for one in (*parts.values(), *prompts.values())):
        raise ima2.Ima2Error("PROMPT_BUILDER_STREAM_ERROR", 502, "The model's answer does not have the agreed form.")
    return {**parts, "finalPrompt": prompts}
