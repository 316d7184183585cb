"""Why a call ended without a picture, and the facts a person needs to find out more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ima2 import Ima2Error, ImageRequest
from ima2_plugins.openai import errors
from ima2_plugins.openai.reasons import REASONS
from ima2_plugins.openai.response_reader import ResponseReader
from ima2_plugins.openai.upstream_error import UpstreamError

_SENTENCES = {
    "STREAM_PARSE_FAILED": "The answer stream could not be parsed. Check what lies between here and OpenAI.",
    "IMAGE_TOOL_FAILED": "The image tool call failed on OpenAI's side. Change size or quality.",
    "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT": "The image tool completed without image data.",
    "WEB_SEARCH_ONLY_RESPONSE": "The model used web search but not the image tool. Switch web search off.",
    "IMAGE_TOOL_NOT_CALLED": "The model answered without calling the image tool. Say more plainly what is to be drawn.",
}
"""Each holds a fragment by which the web page recognises it. None advises to try the same again: the call is over, and
may have been billed."""


def empty_error(reader: ResponseReader, request: ImageRequest) -> Ima2Error:
    """The error of a call that ended in order but brought no picture: 422 with a diagnosis in ``details``."""
    if reader.refused:
        return errors.refusal(UpstreamError(), stage="input")
    if reader.incomplete == "content_filter":
        return errors.refusal(UpstreamError(code="content_filter"), stage="output")
    if reader.image_failed is not None and reader.image_failed.kind in ("moderation", "policy"):
        return errors.refusal(reader.image_failed, stage=reader.image_failed.stage or "output")
    if reader.unreadable is not None and reader.unreadable.code == "PICTURE_INCOMPLETE":
        return reader.unreadable
    code = _classify(reader, request)
    failed = reader.image_failed or UpstreamError(code=reader.incomplete)
    sentence = _SENTENCES.get(code) or _suspects(request)
    if code == "IMAGE_TOOL_FAILED" and reader.incomplete:
        kind = REASONS.get(reader.incomplete, "stopped")
        sentence = errors.build(failed, kind if kind in ("allowance", "stopped") else "stopped").text
    if request.sequence and code != "EMPTY_RESPONSE":
        code, sentence = "EMPTY_RESPONSE", f"No image data returned for the series. {sentence}"
    return Ima2Error(code, 422, sentence, upstream_code=failed.code, upstream_type=failed.type)


def text_error(reader: ResponseReader) -> Ima2Error:
    """The error of a call for words that ended in order but without them, or not to its end."""
    if reader.refused:
        return errors.refusal(UpstreamError(), stage="input")
    if reader.incomplete == "content_filter":
        return errors.refusal(UpstreamError(code="content_filter"))
    text = "The model answered without any text, or stopped before the end."
    return Ima2Error("EMPTY_RESPONSE", 422, text, upstream_code=reader.incomplete)


def _classify(reader: ResponseReader, request: ImageRequest) -> str:
    """The class of an empty answer. Its order is what clients of each provider have always been told.

    On a plain request to ChatGPT a search is the reason only when nothing else came: there the model nearly always
    searches. Everywhere else it is the first suspect.
    """
    if reader.stats.bytes_read and not reader.types:
        return "STREAM_PARSE_FAILED"
    if reader.image_failed is not None or reader.incomplete:
        return "IMAGE_TOOL_FAILED"
    if reader.image_completed:
        return "IMAGE_TOOL_COMPLETED_WITHOUT_RESULT"
    usual = reader.upstream != "key" and request.source is None
    if reader.searches and not (usual and (reader.image_seen or reader.message_seen)):
        return "WEB_SEARCH_ONLY_RESPONSE"
    return "IMAGE_TOOL_NOT_CALLED" if reader.message_seen and not reader.image_seen else "EMPTY_RESPONSE"


def _suspects(request: ImageRequest) -> str:
    asked = f"size={request.size}, quality={request.quality}, model={request.model}"
    return f"No image data returned. The combination {asked} may not be supported: try another size or model."


def reason(reader: ResponseReader, request: ImageRequest) -> str | None:
    """The class of an empty answer as a word, or what is suspected behind one that says nothing."""
    code = _classify(reader, request)
    if code != "EMPTY_RESPONSE":
        return code.lower()
    edges = [int(edge) for edge in request.size.split("x") if edge.isdigit()]
    return "experimental_4k_empty_response" if max(edges, default=0) >= 3840 else None


def diagnostics(reader: ResponseReader, request: ImageRequest, tools: Mapping[str, Any]) -> dict[str, Any]:
    """The diagnostic block of an error: counts, types and flags, never content.

    One call is made per picture, so what the wire calls the initial and the fallback call is the same one.
    ``tools`` are ``toolTypes`` and ``toolChoiceKind`` as they were asked for.
    """
    types, count = dict(reader.types), reader.types.total()
    empty = not reader.pictures and reader.error is None
    return {
        "diagnosticReason": reason(reader, request) if empty else None,
        "retryKind": "none",
        "initialEventCount": count,
        "initialEventTypes": types,
        "referencesDroppedOnRetry": False,
        "developerPromptDroppedOnRetry": False,
        "webSearchDroppedOnRetry": False,
        "fallbackEventCount": count,
        "fallbackEventTypes": types,
        "fallbackImageCallSeen": reader.image_seen,
        "fallbackImageResultCount": reader.pictures,
        "errorEventCount": count,
        "eventTypes": types,
        "webSearchCalls": reader.searches,
        "responseDiagnostics": _facts(reader, request, types),
        **tools,
    }


def _facts(reader: ResponseReader, request: ImageRequest, types: dict[str, int]) -> dict[str, Any]:
    searched = _classify(reader, request) == "WEB_SEARCH_ONLY_RESPONSE"
    listed = [item for item in reader.items if searched or item["itemType"] != "web_search_call"]
    return {
        "eventTypes": types,
        "streamStats": reader.stats.facts(),
        "outputItemSummary": listed[:50],
        "imageCallSeen": reader.image_seen,
        "imageCallCompleted": reader.image_completed,
        "imageCallFailed": reader.image_failed is not None,
        "imageResultCount": reader.pictures,
        "webSearchCallSeen": reader.searches > 0,
        "messageOutputSeen": reader.message_seen,
        "outputTextChars": len(reader.text),
    }
