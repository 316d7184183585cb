"""What is told of the storage in use: its own report over what holds for any."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ima2.contracts import Storage

log = logging.getLogger("ima2.library")


def storage_report(storage: Storage, environ: Mapping[str, str], *, total: int = 0) -> dict[str, Any]:
    """The data of ``/api/storage/status``. ``total`` is how many files the library lists. Blocks."""
    state = "ok" if total else "not_found"
    answer: dict[str, Any] = {
        "generatedDirLabel": storage.id,
        "generatedCount": total,
        "legacyCandidatesScanned": 0,
        "legacySourcesFound": 0,
        "legacyFilesFound": 0,
        "state": state,
        "messageKind": "ok" if total else "apology",
        "recoveryDocsPath": "docs/RECOVER_OLD_IMAGES.md",
        "doctorCommand": "ima2 doctor",
    }
    try:
        answer.update(storage.report())
    except Exception as error:
        log.warning("the storage %s cannot report: %s", storage.id, type(error).__name__)
        answer.update(state="unknown", messageKind="unknown")
    given = answer.get("overrides")
    overrides = given if isinstance(given, Mapping) else {}
    answer["overrides"] = {"generatedDir": False, **overrides, "configDir": bool(environ.get("IMA2_CONFIG_DIR"))}
    return answer
