"""What can go wrong, said so that a program can branch on it and a person can act on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CANCELED = "GENERATION_CANCELED"
_LABEL = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,120}")
_SECRET = re.compile(r"sk-|xai-|AIza|ya29\.|eyJ|://|@|www\.", re.IGNORECASE)


def safe_label(value: object) -> str | None:
    """A short upstream label (code, type, parameter) that is safe to show.

    At most 120 characters of ``[A-Za-z0-9_.:[]-]``; anything else, and anything that
    looks like a key, an address or a URL, becomes ``_redacted``. ``None`` stays ``None``.
    """
    if value is None or value == "":
        return None
    text = str(value)[:120]
    return text if _LABEL.fullmatch(text) and not _SECRET.search(text) else "_redacted"


class Ima2Error(Exception):
    """A failure with a code for programs, an HTTP status and a sentence for people.

    ``text`` never holds a prompt, a key or an upstream's raw words. ``upstream_code``,
    ``upstream_type`` and ``upstream_param`` pass through `safe_label`. ``retry_after`` is in
    seconds. ``details`` are further JSON fields for the client (counts, names, no content).
    """

    def __init__(
        self,
        code: str,
        status: int,
        text: str,
        *,
        upstream_code: object = None,
        upstream_type: object = None,
        upstream_param: object = None,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(text)
        self.code = code
        self.status = status
        self.text = text
        self.upstream_code = safe_label(upstream_code)
        self.upstream_type = safe_label(upstream_type)
        self.upstream_param = safe_label(upstream_param)
        self.retry_after = retry_after
        self.details: dict[str, Any] = dict(details or {})

    def __repr__(self) -> str:
        return f"Ima2Error({self.code!r}, {self.status}, {self.text!r})"


def canceled() -> Ima2Error:
    """The one error of a job that a person stopped: 499 ``GENERATION_CANCELED``."""
    return Ima2Error(CANCELED, 499, "Generation canceled")
