"""Logging: one line an event, warnings and errors on standard error, no prompt and no secret."""

from __future__ import annotations

import logging
import re
import sys

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40, "silent": 100}
_MASKS = (
    (re.compile(r"(?i)bearer\s+[A-Za-z0-9._~+/=-]+"), "Bearer [redacted]"),
    (re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+"), "[data url]"),
    (re.compile(r"\b(sk-|xai-|AIza|ya29\.|eyJ)[A-Za-z0-9._-]{6,}"), "[redacted]"),
)


class Redacted(logging.Formatter):
    """Formats a record and masks what looks like a credential or picture, whoever wrote it."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def redact(text: str) -> str:
    """The text without bearer tokens, data URLs and keys."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def configure(level: str) -> None:
    """Send ima2's log lines to the terminal from ``level`` (debug, info, warn, error, silent) on."""
    form = Redacted("[%(name)s] %(message)s")
    low, high = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    low.addFilter(lambda record: record.levelno < logging.WARNING)
    high.setLevel(logging.WARNING)
    for handler in (low, high):
        handler.setFormatter(form)
    root = logging.getLogger()
    root.handlers[:] = [low, high]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("ima2").setLevel(_LEVELS[level])
    if level == "silent":
        logging.disable(logging.CRITICAL)
