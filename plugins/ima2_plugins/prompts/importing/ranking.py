"""Which indexed prompts fit a question, and what can be told of one at a glance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_HINTS: dict[str, dict[str, str]] = {
    "modelHints": {
        "gpt-image": r"gpt[- ]?image|gpt-?4o|chatgpt",
        "nano-banana": r"nano[- ]?banana|gemini",
        "grok": r"\bgrok\b",
        "midjourney": r"midjourney|--ar\b|--v \d",
        "stable-diffusion": r"stable diffusion|\bsdxl\b|\blora\b",
    },
    "generationSurfaceHints": {
        "edit": r"\b(?:edit|replace|remove|change) (?:the|this)\b",
        "reference": r"reference (?:image|photo|picture)|uploaded (?:image|photo)|attached (?:image|photo)",
    },
    "taskHints": {
        "portrait": r"portrait|headshot",
        "product": r"product (?:shot|photo)|packshot",
        "logo": r"\blogo\b",
        "poster": r"poster|flyer|banner",
        "diagram": r"diagram|infographic",
        "figure": r"figurine|action figure",
        "photo": r"photo(?:graph|realistic)|\b\d{2,3}mm\b",
    },
    "sizeHints": {"ratio": r"\b\d{1,2}:\d{1,2}\b", "pixels": r"\b\d{3,4}\s?[x×]\s?\d{3,4}\b"},
    "qualityHints": {"high": r"\b[48]k\b|high(?:ly)? detail|ultra|hdr"},
}
_COMPILED = {
    kind: {name: re.compile(pattern, re.IGNORECASE) for name, pattern in known.items()}
    for kind, known in _HINTS.items()
}


def hints(text: str) -> dict[str, list[str]]:
    """What a prompt seems to be for, by the words in it."""
    found = {
        kind: [name for name, pattern in known.items() if pattern.search(text)] for kind, known in _COMPILED.items()
    }
    return {**found, "warnings": []}


def rank(candidates: Iterable[Mapping[str, Any]], question: str, limit: int) -> list[dict[str, Any]]:
    """The best of the candidates, with their ``score``; those that fit in nothing are left out. Ties go by name."""
    words = list(dict.fromkeys(question.casefold().split()))[:50]
    scored = [(points, one) for one in candidates if (points := _score_or_nothing(one, words))]
    best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], str(pair[1]["name"])))
    return [{**one, "score": points} for points, one in best[:limit]]


def _score_or_nothing(candidate: Any, words: Iterable[str]) -> int:
    """One damaged row of the index never hides the others."""
    try:
        return score(candidate, words)
    except (LookupError, TypeError, AttributeError, ValueError):
        return 0


def score(candidate: Mapping[str, Any], words: Iterable[str]) -> int:
    """Points of a candidate; none when no word fits."""
    fields = _fields(candidate)
    wanted = list(words)
    points = sum(worth for word in wanted for worth, text in fields if word in text) if wanted else 1
    if points == 0:
        return 0
    tier = 5 if "trust:curated" in candidate["tags"] else 0
    return points + tier - 3 * len(candidate["warnings"])


def _fields(candidate: Mapping[str, Any]) -> list[tuple[int, str]]:
    told = " ".join(hint for kind in candidate["scoreHints"].values() for hint in kind)
    texts = (candidate["name"], told, " ".join(candidate["tags"]), candidate["text"], candidate["sourceFileId"])
    return [(worth, str(text).casefold()) for worth, text in zip((18, 14, 12, 5, 4), texts, strict=True)]
