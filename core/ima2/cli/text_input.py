"""Words that come from files and standard input: UTF-8 unless another encoding is named, a byte order mark left out."""

from __future__ import annotations

import codecs
import re
import sys
from pathlib import Path

import click

from ima2.errors import Ima2Error

_HALF = re.compile(r"[\ud800-\udfff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
encoding_option = click.option(
    "--encoding", metavar="NAME", help="How text from files and stdin is encoded [default: utf-8]"
)


def decode_text(data: bytes, source: str, encoding: str | None = None) -> str:
    """The text of some bytes. `click.UsageError` names what is wrong, and the encoding that would fit if it shows."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    name = encoding or "utf-8"
    try:
        text = data.decode(name)
    except LookupError:
        raise click.UsageError(f"--encoding: there is no encoding {name}.") from None
    except UnicodeError:
        advice = (
            f"it begins as {marked.upper()} does: say --encoding {marked}"
            if marked
            else "name its encoding with --encoding"
        )
        raise click.UsageError(f"{source} is not {name.upper()} text; {advice}.") from None
    return text.removeprefix("\ufeff")


def read_stdin(encoding: str | None = None) -> str:
    """Standard input as text; nothing where a person sits at it."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    buffer = getattr(sys.stdin, "buffer", None)
    return sys.stdin.read() if buffer is None else decode_text(buffer.read(), "Standard input", encoding)


def read_text(flag: str, path: Path, encoding: str | None = None) -> str:
    """A file as text; ``-`` is standard input."""
    if str(path) == "-":
        return read_stdin(encoding)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{flag}: {path} cannot be read: {error.strerror or 'input/output error'}.") from None
    return decode_text(data, f"{flag}: {path}", encoding)


def check_text(text: str, what: str = "The prompt") -> str:
    """The text, or 400 ``INVALID_PROMPT`` where it holds what no UTF-8 text can: half of a pair of surrogates, which is
    also what an argument that was not UTF-8 becomes."""
    if _HALF.search(text):
        raise Ima2Error("INVALID_PROMPT", 400, f"{what} is not UTF-8 text: it holds bytes or halves of characters.")
    return text
