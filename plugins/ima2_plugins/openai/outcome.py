"""Why a call ended without a picture, and the facts a person needs to find out more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2 import Ima2Error, ImageRequest
from ima2_plugins.openai import errors
from ima2_plugins.openai.answer import Answer
from ima2_plugins.openai.complaint import Complaint

_SENTENCES = {
    "STREAM_PARSE_FAILED": "The answer stream could not be parsed. Check what lies between here and OpenAI.",
    "IMAGE_TOOL_FAILED": "The image tool call failed on OpenAI's side. Try again, or change size or quality.",
    "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT": "The image tool completed without image data. Try again.",
    "WEB_SEARCH_ONLY_RESPONSE": "The model used web search but not the image tool. Try again with web search off.",
    "IMAGE_TOOL_NOT_CALLED": "The model answered without calling the image tool. Say more plainly what is to be drawn.",
}
"""Each holds a fragment by which the web page recognises it."""


def emptiness(answer: Answer, request: ImageRequest) -> Ima2Error:
    """The error of a call that ended in order but brought no picture: 422 with a diagnosis in ``details``."""
    if answer.refused:
        return errors.refusal(Complaint(), stage="input")
    if answer.incomplete == "content_filter":
        return errors.refusal(Complaint(code="content_filter"), stage="output")
    if answer.image_failed is not None and answer.image_failed.kind == "moderation":
        return errors.refusal(answer.image_failed, stage=answer.image_failed.stage or "output")
    code = _classified(answer, request)
    failed = answer.image_failed or Complaint(code=answer.incomplete)
    sentence = _SENTENCES.get(code) or _suspects(request)
    if code == "IMAGE_TOOL_FAILED" and answer.incomplete:
        sentence = (
            "The image tool call failed: the model ran out of its output allowance. Try a lower reasoning effort."
        )
    if request.sequence and code != "EMPTY_RESPONSE":
        code, sentence = "EMPTY_RESPONSE", f"No image data returned for the series. {sentence}"
    return Ima2Error(code, 422, sentence, upstream_code=failed.code, upstream_type=failed.type)


def wordless(answer: Answer) -> Ima2Error:
    """The error of a call for words that ended in order but without them, or not to its end."""
    if answer.refused:
        return errors.refusal(Complaint(), stage="input")
    if answer.incomplete == "content_filter":
        return errors.refusal(Complaint(code="content_filter"))
    text = "The model answered without any text, or stopped before the end. Try again."
    return Ima2Error("EMPTY_RESPONSE", 422, text, upstream_code=answer.incomplete)


def _classified(answer: Answer, request: ImageRequest) -> str:
    """The class of an empty answer. Its order is what clients of each provider have always been told.

    On a plain request to ChatGPT a search is the reason only when nothing else came: there the model nearly always
    searches. Everywhere else it is the first suspect.
    """
    if answer.stats.bytes_read and not answer.types:
        return "STREAM_PARSE_FAILED"
    if answer.image_failed is not None or answer.incomplete:
        return "IMAGE_TOOL_FAILED"
    if answer.image_completed:
        return "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT"
    usual = answer.lane != "key" and request.source is None
    if answer.searches and not (usual and (answer.image_seen or answer.message_seen)):
        return "WEB_SEARCH_ONLY_RESPONSE"
    return "IMAGE_TOOL_NOT_CALLED" if answer.message_seen and not answer.image_seen else "EMPTY_RESPONSE"


def _suspects(request: ImageRequest) -> str:
    asked = f"size={request.size}, quality={request.quality}, model={request.model}"
    return f"No image data returned. The combination {asked} may not be supported: try another size or model."


def reason(answer: Answer, request: ImageRequest) -> str | None:
    """The class of an empty answer as a word, or what is suspected behind one that says nothing."""
    code = _classified(answer, request)
    if code != "EMPTY_RESPONSE":
        return code.lower()
    edges = [int(edge) for edge in request.size.split("x") if edge.isdigit()]
    return "experimental_4k_empty_response" if max(edges, default=0) >= 3840 else None


def diagnosis(answer: Answer, request: ImageRequest, tools: Mapping[str, Any]) -> dict[str, Any]:
    """The diagnostic block of an error: counts, types and flags, never content.

    One call is made per picture, so what the wire calls the initial and the fallback call is the same one.
    ``tools`` are ``toolTypes`` and ``toolChoiceKind`` as they were asked for.
    """
    types, count = dict(answer.types), answer.types.total()
    empty = not answer.pictures and answer.error is None
    return {
        "diagnosticReason": reason(answer, request) if empty else None,
        "retryKind": "none",
        "initialEventCount": count,
        "initialEventTypes": types,
        "referencesDroppedOnRetry": False,
        "developerPromptDroppedOnRetry": False,
        "webSearchDroppedOnRetry": False,
        "fallbackEventCount": count,
        "fallbackEventTypes": types,
        "fallbackImageCallSeen": answer.image_seen,
        "fallbackImageResultCount": answer.pictures,
        "errorEventCount": count,
        "eventTypes": types,
        "webSearchCalls": answer.searches,
        "responseDiagnostics": _facts(answer, request, types),
        **tools,
    }


def _facts(answer: Answer, request: ImageRequest, types: dict[str, int]) -> dict[str, Any]:
    searched = _classified(answer, request) == "WEB_SEARCH_ONLY_RESPONSE"
    listed = [item for item in answer.items if searched or item["itemType"] != "web_search_call"]
    return {
        "eventTypes": types,
        "streamStats": answer.stats.facts(),
        "outputItemSummary": listed[:50],
        "imageCallSeen": answer.image_seen,
        "imageCallCompleted": answer.image_completed,
        "imageCallFailed": answer.image_failed is not None,
        "imageResultCount": answer.pictures,
        "webSearchCallSeen": answer.searches > 0,
        "messageOutputSeen": answer.message_seen,
        "outputTextChars": len(answer.text),
    }
