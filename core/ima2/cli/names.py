"""The names that the command line gives: to requests, to itself, to files."""

from __future__ import annotations

import hashlib
import os
import secrets
import string
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

_DIGITS = string.digits + string.ascii_lowercase


def request_id(kind: str) -> str:
    """A fresh id ``req_cli_<kind>_<ms in base 36>_<6 random characters>``."""
    random = "".join(secrets.choice(_DIGITS) for _ in range(6))
    return f"req_cli_{kind}_{base36(int(time.time() * 1000))}_{random}"


def base36(number: int) -> str:
    """A number that is not negative, in base 36, lower-case."""
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


def browser_id(environ: Mapping[str, str] | None = None) -> str:
    """Whose favourites count: ``cli-`` and 16 hex digits of SHA-1 over the config folder's path as configured."""
    environ = os.environ if environ is None else environ
    folder = environ.get("IMA2_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".ima2")
    digest = hashlib.sha1(folder.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return f"cli-{digest[:16]}"


def file_stems(count: int, now: datetime | None = None) -> list[str]:
    """Names without extension for pictures made now (local time): ``ima2-YYYYMMDD-HHMMSS``, several with ``-<i>``."""
    stem = f"ima2-{now or datetime.now():%Y%m%d-%H%M%S}"
    return [stem] if count == 1 else [f"{stem}-{index}" for index in range(count)]


def free_names(stem: str, extension: str) -> Iterator[str]:
    """``stem.extension`` and what to try when that is taken: ``stem-1.extension``, ``stem-2.extension``, …"""
    yield f"{stem}.{extension}"
    number = 0
    while True:
        number += 1
        yield f"{stem}-{number}.{extension}"
