"""What one command asks for: the request body, and how the command wants it done."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ima2.cli.destination import Destination, MediaFile
from ima2.cli.options import remark
from ima2.cli.promises import forget_promise
from ima2.cli.text_input import check_text, read_stdin
from ima2.media.sniff import MEDIA_TYPES, PNG, media_type_of

MAX_REFERENCES = 5
MAX_REFERENCE_CHARS = 7_340_032
"""Base64 text of the largest reference that servers take unless they are told otherwise."""
DEFAULT_WAIT_S, STREAM_WAIT_S = 180, 600
FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
"""What can be asked for, and what it is called on the wire."""
NO_PROMPT = "A prompt is missing: say in words what the picture should show."


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One request to ``path``. ``timeout`` is in seconds; ``None`` waits ``patience`` seconds for the answer and then
    as
    long as the job runs."""

    body: dict[str, Any] = field(repr=False)
    destination: Destination
    timeout: int | None = None
    quiet: bool = False
    path: str = "/api/generate"
    patience: int = DEFAULT_WAIT_S

    @property
    def request_id(self) -> str:
        """The job's id."""
        return str(self.body["requestId"])

    @property
    def count(self) -> int:
        """How many pictures are asked for."""
        return int(self.body.get("n") or self.body.get("maxImages") or 1)

    def deliver(self, files: Sequence[MediaFile]) -> list[dict[str, Any]]:
        """Put the files where they go, and forget that they were to go there. One row each."""
        rows = self.destination.deliver_all(files)
        forget_promise(self.request_id)
        return rows

    @property
    def limit(self) -> int:
        """Seconds to wait for the answer."""
        return self.timeout or self.patience


def read_prompt(
    words: Sequence[str], *, stdin: bool = False, missing: str = NO_PROMPT, encoding: str | None = None
) -> str:
    """The prompt: the words joined, standard input after them where asked for; a lone ``-`` is standard input too."""
    if list(words) == ["-"]:
        words, stdin = (), True
    piped = read_stdin(encoding).strip() if stdin else ""
    prompt = " ".join(part for part in (" ".join(words).strip(), piped) if part)
    if not prompt:
        raise click.UsageError(missing)
    return check_text(prompt)


def read_references(files: Sequence[Path]) -> list[str]:
    """Reference pictures as data URLs. Their type is what their bytes say, else what their name says."""
    if len(files) > MAX_REFERENCES:
        raise click.UsageError(f"--ref: {MAX_REFERENCES} reference pictures at most, not {len(files)}.")
    return [_data_url(path) for path in files]


def read_input(flag: str, path: Path) -> bytes:
    """What a file that was named holds; ``-`` is standard input. One that cannot be read is `click.UsageError`."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{flag}: {path} cannot be read: {error.strerror or 'input/output error'}.") from None
    if not data:
        raise click.UsageError(f"{flag}: {path} is empty.")
    return data


def plain_base64(data: bytes) -> str:
    """Base64 without a data URL's head."""
    return base64.b64encode(data).decode("ascii")


def parse_options(given: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` as a mapping; values are JSON where they can be, else text."""
    options: dict[str, Any] = {}
    for entry in given:
        name, equals, text = entry.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--option wants NAME=VALUE, not {entry!r}.")
        try:
            options[name.strip()] = json.loads(text)
        except ValueError:
            options[name.strip()] = text
    return options


def file_format_for(asked: str | None, file: Path | None) -> str | None:
    """The file format to ask for: the one named, else the one that ``-o`` names unless it is PNG, the default."""
    if asked:
        return FORMATS[asked]
    implied = FORMATS.get(file.suffix.lower().removeprefix(".")) if file else None
    return implied if implied != "png" else None


def read_reference(path: Path) -> bytes:
    """A reference picture that a server takes: one that is too large is made smaller, which stderr tells."""
    data = read_input("--ref", path)
    if len(data) * 4 // 3 <= _largest_reference():
        return data
    from ima2.media.convert import shrink

    small = shrink(data, _largest_reference()).data
    remark(f"Warning: {path} is too large as a reference ({_mib(data)}); a smaller copy ({_mib(small)}) is sent.")
    return small


def _largest_reference() -> int:
    named = os.environ.get("IMA2_MAX_REF_B64_BYTES", "")
    return int(named) if named.isdigit() and int(named) > 0 else MAX_REFERENCE_CHARS


def _mib(data: bytes) -> str:
    return f"{len(data) / (1 << 20):.1f} MiB"


def _data_url(path: Path) -> str:
    data = read_reference(path)
    named = MEDIA_TYPES.get(path.suffix.lower().removeprefix("."), PNG)
    return f"data:{media_type_of(data) or named};base64,{plain_base64(data)}"
