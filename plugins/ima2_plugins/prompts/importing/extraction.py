"""Prompts in Markdown and plain text: where one begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

EXTENSIONS = ("md", "markdown", "txt")
_FRONT = re.compile(r"\A---[ \t]*\n.*?\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_OPENING = re.compile(r"(?P<mark>`{3,}|~{3,})(?P<language>[^`]*)")
_PROMPT_LANGUAGES = frozenset({"", "prompt", "text", "markdown", "md"})
_HEADING = re.compile(r"#{1,4}[ \t]")
_NOISE = re.compile(
    r"^\s*(?:\[?!\[[^\]]*\]\([^)]*\)\]?(?:\([^)]*\))?\s*|<img\b[^>]*>\s*|</?(?:p|a|div|br|center|picture|source)\b[^>]*>\s*"
    r"|(?:[-*]\s+)?\[(?!!)[^\]]*\]\([^)]*\)\s*)+$|^\s*\|.*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_NUMBER = re.compile(r"\A\d{1,4}[.)][ \t]+")
_NUMBERED = re.compile(r"^[ \t]*\d{1,4}[.)][ \t]+", re.MULTILINE)
_LINE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that may be a prompt, with a name made from where it stood."""

    name: str
    text: str = field(repr=False)
    heading: str | None = None


def pieces(filename: str, extension: str, text: str) -> Iterator[Piece]:
    """What may be prompts in a file, in order."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    title = re.sub(r"[-_\s]+", " ", filename.rpartition("/")[2].rpartition(".")[0]).strip() or "prompt"
    yield from _plain(title, text) if extension == "txt" else _markdown(title, text)


def _markdown(title: str, text: str) -> Iterator[Piece]:
    """Fenced blocks first, then what stands below each heading. Line by line, so that no text takes long."""
    rest: list[str] = []
    number = 0
    for block, is_prompt in _blocks(_FRONT.sub("", text, count=1).split("\n")):
        if is_prompt:
            number += 1
            yield Piece(f"{title} {number}", "\n".join(block).strip())
        else:
            rest += block
    yield from _sections(title, rest)


def _blocks(lines: list[str]) -> Iterator[tuple[list[str], bool]]:
    """The lines in blocks: the inside of fences that may hold a prompt, and everything else as it stands."""
    outside: list[str] = []
    inside: list[str] = []
    mark = language = ""
    for line in lines:
        bare = line.strip()
        if not mark:
            opening = _OPENING.fullmatch(bare)
            (inside if opening else outside).append(line)
            if opening:
                mark, language = opening["mark"], opening["language"].strip().lower()
            continue
        inside.append(line)
        if bare.startswith(mark) and not bare.strip(mark[0]):
            if language in _PROMPT_LANGUAGES:
                yield outside, False
                yield inside[1:-1], True
                outside = []
            else:
                outside += inside
            inside, mark = [], ""
    yield [*outside, *inside], False


def _sections(title: str, lines: list[str]) -> Iterator[Piece]:
    heading, body, fenced = title, list[str](), False
    for line in [*lines, ""]:
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        if fenced or not _HEADING.match(line):
            if not _NOISE.match(line):
                body.append(line)
            continue
        yield from _section(heading, body)
        heading, body = line.strip("# \t") or title, []
    yield from _section(heading, body)


def _section(heading: str, body: list[str]) -> Iterator[Piece]:
    if prompt := re.sub(r"\n{3,}", "\n\n", "\n".join(body)).strip():
        yield Piece(heading[:200], prompt, heading[:200])


def _plain(title: str, text: str) -> Iterator[Piece]:
    parts = next(filter(lambda found: len(found) > 1, _splits(text)), None)
    if parts is None:
        long = [line.strip() for line in text.split("\n") if len(line.strip()) >= _LINE_CHARS]
        parts = long if len(long) > 1 else [text]
    for number, part in enumerate(parts, 1):
        name = f"{title} {number}"
        yield Piece(
            name, _NUMBERED.sub("", part.strip(), count=1) if _NUMBERED.match(part.strip()) else part.strip(), name
        )


def _splits(text: str) -> Iterator[list[str]]:
    """The ways a text may be divided, the surest first."""
    yield [part for part in _RULE.split(text) if part.strip()]
    yield [part for part in re.split(r"\n[ \t]*\n", text) if part.strip()]
    starts = [one.start() for one in _NUMBERED.finditer(text)]
    yield [text[start:end] for start, end in zip(starts, [*starts, len(text)][1:], strict=True)]
