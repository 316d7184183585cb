"""What a source holds, before anything is kept; and keeping what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

import ima2
from ima2_plugins.prompts import collection
from ima2_plugins.prompts.folders import ensure_system_folders
from ima2_plugins.prompts.importing.candidates import SourceFile, candidates
from ima2_plugins.prompts.importing.errors import nothing_found, unsupported_extension
from ima2_plugins.prompts.importing.extraction import EXTENSIONS
from ima2_plugins.prompts.importing.github import file_place
from ima2_plugins.prompts.importing.remote import GitHub
from ima2_plugins.prompts.settings import PromptSettings
from ima2_plugins.prompts.tables import ROOT

NAME_CHARS = 300


async def preview(given: Mapping[str, Any], github: GitHub) -> dict[str, Any]:
    """The candidates of a local or GitHub source. 422 ``PROMPT_IMPORT_EMPTY`` where there are none."""
    asked = given.get("source")
    source: Mapping[str, Any] = asked if isinstance(asked, dict) else given
    file = await github.file(file_place(source.get("input"))) if source.get("kind") == "github" else _local(source)
    found = candidates(file, github.settings)
    if not found.candidates:
        raise nothing_found()
    shown = {**file.origin, "filename": file.filename, "extension": file.extension, "tags": list(file.tags)}
    return {"source": {**shown, "text": file.text}, "candidates": found.candidates, "warnings": found.warnings}


def commit(connection: Connection, given: Mapping[str, Any], settings: PromptSettings) -> dict[str, Any]:
    """Keep candidates, in one transaction. One that is too short or too long is left out and told; where no other is
    left, that is the answer: 422 ``PROMPT_IMPORT_EMPTY`` or 413 ``PROMPT_IMPORT_TOO_MANY_CANDIDATES``."""
    chosen = given.get("candidates")
    if not isinstance(chosen, list) or not chosen:
        raise nothing_found("Choose at least one prompt.")
    if len(chosen) > settings.max_candidates_per_import:
        text = f"More than {settings.max_candidates_per_import} prompts at once are too many."
        raise ima2.Ima2Error("PROMPT_IMPORT_TOO_MANY_CANDIDATES", 413, text)
    ensure_system_folders(connection)
    intake, refusal, entries = collection.Intake(), None, []
    for index, one in enumerate(chosen):
        if not isinstance(one, dict) or not isinstance(one.get("text"), str) or not one["text"].strip():
            intake.skip("candidate", index, "it has no text")
        elif error := _unusable(one["text"].strip(), settings):
            refusal = refusal or error
            intake.skip("candidate", index, error.text)
        else:
            entries.append((index, _entry(one, given.get("folderId"))))
    if refusal is not None and not entries:
        raise refusal
    collection.add_prompts(connection, entries, {}, intake)
    return intake.answer


def _entry(candidate: Mapping[str, Any], folder: Any) -> dict[str, Any]:
    mode = candidate.get("mode")
    return {
        "name": candidate.get("name"),
        "text": candidate["text"].strip(),
        "tags": candidate.get("tags"),
        "mode": mode if mode in ("auto", "direct") else None,
        "folderId": folder if isinstance(folder, str) else ROOT,
    }


def _unusable(text: str, settings: PromptSettings) -> ima2.Ima2Error | None:
    if len(text) < settings.min_candidate_chars:
        return nothing_found(f"A prompt is shorter than {settings.min_candidate_chars} characters.")
    if len(text) > settings.max_candidate_chars:
        words = f"A prompt is longer than {settings.max_candidate_chars} characters."
        return ima2.Ima2Error("PROMPT_IMPORT_TOO_MANY_CANDIDATES", 413, words)
    return None


def _local(source: Mapping[str, Any]) -> SourceFile:
    given, text = source.get("filename"), source.get("text")
    name = given.replace("\\", "/").rpartition("/")[2] if isinstance(given, str) else ""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension not in EXTENSIONS or len(name) > NAME_CHARS:
        raise unsupported_extension()
    if not isinstance(text, str) or not text.strip():
        raise nothing_found("The source is empty.")
    return SourceFile(name, text, {"kind": "local", "filename": name}, [f"file:{name}", f"ext:{extension}"])
