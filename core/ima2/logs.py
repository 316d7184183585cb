"""Logging: one line an event, warnings and errors on standard error, no prompt and no secret.

A line is ``<time> <level> [<logger>] <message> requestId=<id>``: UTC with milliseconds; the id only where a request is
being answered or its job runs.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from contextvars import ContextVar
from typing import TextIO

REQUEST_ID: ContextVar[str] = ContextVar("ima2_request_id", default="")
"""The id of the request that is being answered; tasks that it starts inherit it."""
_LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40, "silent": 100}
_MASKS = (
    (re.compile(r"(?i)bearer\s+[A-Za-z0-9._~+/=-]+"), "Bearer [redacted]"),
    (re.compile(r"data:[a-z]+/[a-z0-9.+-]+;base64,[A-Za-z0-9+/=]+"), "[data url]"),
    (re.compile(r"\b(sk-|xai-|AIza|ya29\.|eyJ)[A-Za-z0-9._-]{6,}"), "[redacted]"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "[redacted]@"),
)


class Redacted(logging.Formatter):
    """Formats a record as one line and masks what looks like a credential or picture, whoever wrote it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        words = redact(super().format(record)).replace("\r", "").replace("\n", " | ")
        moment = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"
        request_id = REQUEST_ID.get()
        return f"{moment} {record.levelname.lower()} {words}{f' requestId={request_id}' if request_id else ''}"


class Lines(logging.StreamHandler[TextIO]):
    """Writes lines to the terminal until nobody reads there any more; from then on they cost nothing."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        try:
            line = self.format(record)
        except Exception:
            line = f"{record.levelname.lower()} [{record.name}] a line that could not be written"
        try:
            self.stream.write(line + self.terminator)
            self.stream.flush()
        except (OSError, ValueError, AttributeError):
            self.setLevel(logging.CRITICAL + 1)


def redact(text: str) -> str:
    """The text without bearer tokens, data URLs, keys and passwords in addresses."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def configure(level: str) -> None:
    """Send ima2's log lines to the terminal from ``level`` (debug, info, warn, error, silent) on."""
    low, high = Lines(sys.stdout), Lines(sys.stderr)
    low.addFilter(lambda record: record.levelno < logging.WARNING)
    high.setLevel(logging.WARNING)
    for handler in (low, high):
        handler.setFormatter(Redacted("[%(name)s] %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [low, high]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    logging.getLogger("ima2").setLevel(_LEVELS[level])
    if level == "silent":
        logging.disable(logging.CRITICAL)
