"""What the command line prints, and the exit code it ends with. Standard library and click only."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import click

from ima2.errors import Ima2Error

USAGE, INTERRUPTED, QUIET = "USAGE", "INTERRUPTED", "ima2.quiet"
NARROW, WIDE, LEAST = 40, 200, 8
"""Columns to write for, and the fewest that a cut column keeps."""
EXIT_CODES = {
    USAGE: 2,
    "UNKNOWN_PLUGIN": 2,
    "INVALID_POSITION": 2,
    "CONFIG_INVALID": 1,
    "PLUGIN_FAILED": 1,
    "PLUGIN_SETTINGS_INVALID": 1,
    "SERVER_UNREACHABLE": 3,
    "REF_TOO_LARGE": 5,
    "REF_NOT_BASE64": 5,
    "NETWORK_FAILED": 6,
    "STREAM_INCOMPLETE": 6,
    "SAFETY_REFUSAL": 7,
    "MODERATION_REFUSED": 7,
    "CLIENT_TIMEOUT": 8,
    INTERRUPTED: 130,
}
"""Codes of failures whose exit code does not follow from their status."""
_PICK_MODEL = "choose another model with --model; `ima2 capabilities` lists them"
_SIGN_IN = "sign in again in the Settings page, then start `ima2 serve` anew; `ima2 doctor` shows what is missing"
HINTS = {
    "SERVER_UNREACHABLE": "start the server with `ima2 serve`, or name a running one with --server URL",
    "APIKEY_DISABLED": "this way in takes no key; sign in, or choose another --provider",
    "API_KEY_REQUIRED": "store a key in the Settings page, or set its environment variable before `ima2 serve`",
    "IMAGE_MODEL_UNSUPPORTED": _PICK_MODEL,
    "INVALID_IMAGE_MODEL": _PICK_MODEL,
    "NETWORK_FAILED": "the upstream was not reached, whatever the prompt; try again, or run `ima2 doctor`",
    "SAFETY_REFUSAL": "the provider refused the request; word it differently",
    "MODERATION_REFUSED": "the provider refused the request; word it differently",
    "REF_TOO_LARGE": "make the reference picture smaller and try again",
    "REF_NOT_BASE64": "use a PNG, JPEG or WebP file as reference",
    "UNKNOWN_PROVIDER": "choose another --provider; `ima2 providers` lists who is there",
    "VIDEO_PROVIDER_UNSUPPORTED": "choose a --provider that makes clips; `ima2 capabilities` shows which do",
    "TOO_MANY_JOBS": "wait for a job to end (`ima2 ps`), or stop one with `ima2 cancel <id>`",
    "REF_TOO_MANY": "use fewer reference pictures",
    "EMPTY_RESPONSE": "the provider sent no picture; try again, or word the prompt differently",
    "PLUGIN_FAILED": "`ima2 plugins check` shows every plugin's state",
}
_LOST_SIGN_IN = re.compile(r"AUTH_\w+_EXPIRED|\w*AUTH_UNAVAILABLE")
"""How providers call a session that ended, or a way to sign in that is not at hand."""
_COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def exit_code(code: str | None, status: int | None = None) -> int:
    """The exit code of a failure: by its code, then its HTTP status, else 1."""
    if code in EXIT_CODES:
        return EXIT_CODES[code]
    if code == "APIKEY_DISABLED" or _LOST_SIGN_IN.fullmatch(code or ""):
        return 4
    if status is not None and status >= 500:
        return 6
    return 5 if status is not None and status >= 400 else 1


def hint(code: str | None) -> str | None:
    """What to do about a failure, where that is known. A provider's own prefix before a code does not matter."""
    if _LOST_SIGN_IN.fullmatch(code or ""):
        return _SIGN_IN
    return next((text for known, text in HINTS.items() if code and (code == known or code.endswith(f"_{known}"))), None)


def colourful(stream: TextIO) -> bool:
    """Whether a stream takes colours: a terminal that is not ``dumb``, and no ``NO_COLOR``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style(text: str, *looks: str, stream: TextIO | None = None) -> str:
    """``text`` in ``red``, ``green``, ``yellow``, ``dim`` or ``bold``, where the stream (stdout) takes colours."""
    if not colourful(stream or sys.stdout):
        return text
    return f"\x1b[{';'.join(_COLOURS[look] for look in looks)}m{text}\x1b[0m"


def is_quiet() -> bool:
    """Whether a person said ``--quiet``: files alone on stdout, warnings and failures alone on stderr."""
    ctx = click.get_current_context(silent=True)
    return ctx is not None and ctx.find_root().meta.get(QUIET) is True


def tick(text: str) -> str:
    """A line of success for stdout; with ``--quiet`` the text alone."""
    return text if is_quiet() else f"{style('✓', 'green')} {text}"


def cross(text: str) -> str:
    """A line of failure for stderr."""
    return f"{style('✗', 'red', stream=sys.stderr)} {text}"


def plain(text: str) -> str:
    """One line without control characters, safe for a terminal."""
    return _CONTROL.sub(" ", text)


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) or unicodedata.category(char) == "Cf" else 2 if wide else 1
        for char in text
        for wide in [unicodedata.east_asian_width(char) in "WF"]
    )


def columns() -> int:
    """How wide to write for people: the terminal's width within 40 and 200, or 80 where there is none."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROW), WIDE)


def fold(text: str, wide: int) -> str:
    """Lines that are wider than that, broken at blanks; what follows is set in a little deeper than its line was."""
    return "\n".join(piece for line in text.split("\n") for piece in _fold_line(line, wide))


def _fold_line(line: str, wide: int) -> list[str]:
    if width(line) <= wide:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()) + 4, wide // 2)
    return textwrap.wrap(line, wide, subsequent_indent=indent, break_long_words=True, break_on_hyphens=False)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns two blanks apart below a rule. Cells become one line each.

    Nothing is cut, but on a terminal: there the last column ends with it, and where the others alone are too wide,
    each row becomes a few lines of names and values.
    """
    lines = [[plain(cell) for cell in row] for row in (header, *rows)]
    widths = [max(width(line[column]) for line in lines) for column in range(len(header))]
    if sys.stdout.isatty() and (over := sum(widths) + 2 * (len(widths) - 1) - columns()) > 0:
        if widths[-1] - over < LEAST:
            return "\n\n".join(pairs(dict(zip(header, line, strict=True))) for line in lines[1:])
        widths[-1] -= over
        lines = [[*line[:-1], _cut(line[-1], widths[-1])] for line in lines]
    drawn = ["  ".join(_padded(cell, wide) for cell, wide in zip(line, widths, strict=True)) for line in lines]
    drawn.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(line.rstrip() for line in drawn)


def _cut(cell: str, most: int) -> str:
    while width(cell) > most:
        cell = cell.removesuffix("…")[:-1] + "…"
    return cell


def _padded(cell: str, wide: int) -> str:
    return cell + " " * (wide - width(cell))


def as_json(value: Any) -> str:
    """Compact JSON on one line, text unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def print_json(value: Any) -> None:
    """Print the one JSON document of a ``--json`` command."""
    click.echo(as_json(value))


def envelope(error: Ima2Error) -> dict[str, Any]:
    """A failure as JSON: ``{ok:false, error, code}``, its HTTP status where it has one, and the details it carries."""
    failure: dict[str, Any] = {"ok": False, "error": error.text, "code": error.code}
    if error.status and error.code not in (USAGE, INTERRUPTED):
        failure["status"] = error.status
    return {**failure, **{key: value for key, value in error.details.items() if key not in failure}}


def report(error: Ima2Error, *, as_document: bool = False) -> int:
    """Tell of a failure: one line and a hint on stderr, the envelope on stdout if asked. Returns the exit code."""
    if as_document:
        print_json(envelope(error))
    click.echo(cross(f"{plain(error.text)} ({error.code})"), err=True)
    if isinstance(guidance := error.details.get("guidance"), str):
        click.echo(plain(guidance), err=True)
    advice = hint(error.code)
    if advice is not None:
        click.echo(f"Hint: {advice}.", err=True)
    return exit_code(error.code, error.status)


def confirm(question: str, *, yes: bool) -> bool:
    """Whether a person agrees, or did with ``--yes``. Without a terminal to ask on: `click.UsageError` (exit 2)."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes: there is no terminal to ask on.")
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def pairs(values: Mapping[str, str]) -> str:
    """``name  value`` lines with the values in one column."""
    widest = max((width(name) for name in values), default=0)
    return "\n".join(f"{_padded(name, widest)}  {plain(value)}" for name, value in values.items())
