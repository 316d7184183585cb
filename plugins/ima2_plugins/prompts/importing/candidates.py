"""A prompt that was found somewhere and may be kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ima2_plugins.prompts.importing.extraction import Piece, pieces
from ima2_plugins.prompts.settings import PromptSettings

PREVIEW_CHARS = 220


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it came: its name, its text, where it is from (for clients) and what its prompts are tagged with."""

    filename: str
    text: str = field(repr=False)
    origin: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()

    @property
    def extension(self) -> str:
        """``md``, ``markdown`` or ``txt``."""
        return self.filename.rpartition(".")[2].lower()


@dataclass(frozen=True, slots=True)
class Found:
    """The candidates of a file, and what was left out."""

    candidates: list[dict[str, Any]]
    warnings: list[str]


def candidates(file: SourceFile, settings: PromptSettings) -> Found:
    """The prompts of a file that have a usable length, in order, at most as many as the settings allow."""
    text, warnings = file.text, []
    if len(text) > settings.max_source_chars_scanned:
        text = text[: settings.max_source_chars_scanned]
        warnings.append(f"{file.filename}: only the first {settings.max_source_chars_scanned} characters were read")
    usable, too_long = [], 0
    for piece in pieces(file.filename, file.extension, text):
        too_long += len(piece.text) > settings.max_candidate_chars
        if settings.min_candidate_chars <= len(piece.text) <= settings.max_candidate_chars:
            usable.append(piece)
    if too_long:
        warnings.append(f"{file.filename}: {too_long} longer than {settings.max_candidate_chars} characters left out")
    most = settings.max_candidates_per_file
    if len(usable) > most:
        warnings.append(f"{file.filename}: only the first {most} of {len(usable)} prompts")
    rows = [_row(piece, number, file) for number, piece in enumerate(usable[:most], 1)]
    return Found(rows, warnings)


def text_hash(text: str) -> str:
    """The same for texts that differ in blanks and case only."""
    folded = re.sub(r"[ \t]+", " ", text.replace("\r\n", "\n")).strip().lower()
    return hashlib.sha256(folded.encode()).hexdigest()


def _row(piece: Piece, ordinal: int, file: SourceFile) -> dict[str, Any]:
    return {
        "id": f"candidate_{ordinal}_{hashlib.sha256(piece.text.encode()).hexdigest()[:10]}",
        "name": piece.name,
        "text": piece.text,
        "textPreview": piece.text[:PREVIEW_CHARS],
        "tags": list(file.tags),
        "warnings": [],
        "source": dict(file.origin),
        "headingPath": piece.heading,
        "ordinal": ordinal,
        "promptHash": text_hash(piece.text),
        "scoreHints": {},
    }
