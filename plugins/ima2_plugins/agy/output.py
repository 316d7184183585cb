"""Finds the picture's path in what the CLI printed."""

from __future__ import annotations

import re

from ima2_plugins.agy.failures import quota_error, report_error, result_line_error

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_QUOTA = ("resource exhausted", "exhausted your capacity")
_QUOTA_IN_ERROR = (*_QUOTA, "quota will reset")
_LOOSE_PATH = re.compile(
    r"(?:[A-Za-z]:)?/(?:[^\s\"'`<>|/]+/)*(?:brain|artifacts|\.gemini)/(?:[^\s\"'`<>|/]+/)*[^\s\"'`<>|/]+\.(?:png|jpe?g|webp)",
    re.IGNORECASE,
)


def artifact_path(output: str) -> str | None:
    """The path that the CLI's standard output names; ``None`` when it names none.

    In this order: a line ``RESULT|path|extension``, a line ``ERROR|...``, words about a used-up quota, a line
    ``SAVED_PATH=path``, any absolute picture path below a folder ``brain``, ``artifacts`` or ``.gemini``. Raises 502
    ``AGY_MALFORMED_RESULT`` or ``AGY_GENERATION_FAILED``, 429 ``AGY_QUOTA_EXHAUSTED``.
    """
    text = _ANSI.sub("", output).replace("\r", "")
    lines = [line for line in text.split("\n") if line.strip()]
    result = _first(lines, "RESULT|")
    if result is not None:
        return _result(result)
    error = _first(lines, "ERROR|")
    if error is not None:
        raise quota_error() if _mentions(error, _QUOTA_IN_ERROR) else report_error()
    if _mentions(text, _QUOTA):
        raise quota_error()
    saved = _first(lines, "SAVED_PATH=")
    if saved is not None and saved.strip():
        return saved.strip()
    loose = _LOOSE_PATH.search(text.replace("\\", "/"))
    return loose[0] if loose else None


def _result(fields: str) -> str:
    """The path of ``path|extension``. The last bar counts, since a path may hold one."""
    path, bar, _ = fields.rpartition("|")
    if not bar or not path.strip():
        raise result_line_error()
    return path.strip()


def _first(lines: list[str], start: str) -> str | None:
    """The rest of the first line that begins so."""
    return next((line.removeprefix(start) for line in lines if line.startswith(start)), None)


def _mentions(text: str, phrases: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(phrase in lowered for phrase in phrases)
