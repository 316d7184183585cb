"""Why Google gave no picture or no words, as data: what each reason means, and whether asking again can help.

Source: types ``FinishReason`` and ``BlockedReason`` of google-genai 3.6.1 (those that concern pictures and words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Reason:
    """``kind``: ``refused`` (the request is not wanted), ``unsafe`` (what was made was withheld) or ``failed`` (nothing
    is wrong with the request). ``again`` says that the same request may do better, ``text`` what happened."""

    kind: Literal["refused", "unsafe", "failed"]
    text: str
    again: bool = False


_UNKNOWN = Reason("failed", "Gemini ended without what was asked for")
PROMPT_BLOCKED = Reason("refused", "The prompt was rejected by Google's safety filter")

REASONS = {
    "STOP": Reason("failed", "Gemini ended in good order without it, perhaps with a question"),
    "MAX_TOKENS": Reason("failed", "Gemini ran out of output tokens"),
    "SAFETY": Reason("unsafe", "The generated image was filtered by Google's safety filter"),
    "IMAGE_SAFETY": Reason("unsafe", "The generated image was filtered by Google's safety filter"),
    "PROHIBITED_CONTENT": Reason("refused", "The request was rejected by Google's safety filter as prohibited content"),
    "IMAGE_PROHIBITED_CONTENT": Reason("unsafe", "The generated image was filtered as prohibited content"),
    "BLOCKLIST": Reason("refused", "The request was rejected because it holds a blocked term"),
    "SPII": Reason("unsafe", "The answer was filtered because it may hold personal data"),
    "RECITATION": Reason("unsafe", "The answer was filtered because it is too close to an existing work"),
    "IMAGE_RECITATION": Reason("unsafe", "The generated image was filtered because it is too close to an existing one"),
    "MODEL_ARMOR": Reason("refused", "The request was rejected by the project's Model Armor policy"),
    "JAILBREAK": Reason("refused", "The request was rejected as an attempt to get around the rules"),
    "ESCALATION": Reason("refused", "The request was rejected by Google after a closer look"),
    "PUP_LIMITED_DISABLED": Reason("refused", "The request was rejected because this use is off for the account"),
    "LANGUAGE": Reason("failed", "Gemini does not support the language of the prompt"),
    "NO_IMAGE": Reason("failed", "Gemini drew nothing", again=True),
    "IMAGE_OTHER": Reason("failed", "Gemini could not draw it", again=True),
    "OTHER": Reason("failed", "Gemini stopped for a reason it does not name", again=True),
    "MALFORMED_RESPONSE": Reason("failed", "Gemini's answer came out malformed", again=True),
    "MALFORMED_FUNCTION_CALL": Reason("failed", "Gemini's answer came out malformed", again=True),
    "UNEXPECTED_TOOL_CALL": Reason("failed", "Gemini wanted a tool that was not offered", again=True),
    "TOO_MANY_TOOL_CALLS": Reason("failed", "Gemini lost itself in calls of tools", again=True),
    "MISSING_THOUGHT_SIGNATURE": Reason("failed", "Gemini missed a signature of its own thoughts", again=True),
    "CONTINUATION": Reason("failed", "Gemini's answer was to be continued and is not whole"),
}
"""By ``finishReason``, and by ``blockReason`` where a prompt was blocked."""


def reason_of(name: object, *, by_prompt: bool = False) -> Reason:
    """What a reason means. A blocked prompt is always a refusal; a reason nobody knows is a failure."""
    known = REASONS.get(name) if isinstance(name, str) else None
    if by_prompt:
        return (
            known if known is not None and known.kind == "refused" and name != "PROHIBITED_CONTENT" else PROMPT_BLOCKED
        )
    return known or _UNKNOWN
