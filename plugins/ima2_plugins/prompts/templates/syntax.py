"""What a template may say: ``{a|b}``, ``__list__``, ``__list:each__``, nested as one likes; ``\\`` before a mark takes
its meaning away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import ima2

DEPTH = 32
NAME = r"[^\W_](?:[\w-]{0,62}[^\W_])?"
_LIST = re.compile(rf"__(?P<name>{NAME})(?P<each>:each)?__")
_ASKS = re.compile(r"\A#template(?P<options>(?:[ \t]+(?:seed|index)=\d{1,15})*)[ \t]*\r?(?:\n|\Z)")
_MARKS = frozenset("{}|_\\")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences."""

    options: Sequence[Sequence[Node]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lines:
    """A line of a list; with ``each`` a different one in every variant until all were used."""

    name: str
    each: bool


Node = str | Choice | Lines


@dataclass(frozen=True, slots=True)
class Wish:
    """A text that asks to be a template, without the line that says so. ``seed`` is ``None`` where none is named."""

    text: str = field(repr=False)
    seed: int | None = None
    index: int = 0


def wish(text: str) -> Wish | None:
    """What a prompt asks for: its first line is ``#template``, with ``seed=7`` and ``index=2`` if wanted. ``None`` for
    every other text, which stays as it is."""
    found = _ASKS.match(text)
    if found is None:
        return None
    named = {name: int(value) for name, _, value in (one.partition("=") for one in found["options"].split())}
    return Wish(text[found.end() :], named.get("seed"), named.get("index", 0))


def parse(text: str) -> list[Node]:
    """The nodes of a template. Braces without a ``|`` and those that do not pair are plain characters."""
    options, _, _ = _Reader(text).sequences(0, 0)
    return [node for number, nodes in enumerate(options) for node in (["|", *nodes] if number else nodes)]


def lists_in(nodes: Sequence[Node]) -> Iterator[Lines]:
    """Every list that a template names itself."""
    for node in nodes:
        if isinstance(node, Lines):
            yield node
        elif isinstance(node, Choice):
            for option in node.options:
                yield from lists_in(option)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def sequences(self, at: int, depth: int) -> tuple[list[list[Node]], bool, int]:
        """Alternatives from ``at`` up to their closing brace, whether there was one, and the place after it."""
        if depth > DEPTH:
            raise ima2.Ima2Error("TEMPLATE_TOO_DEEP", 400, f"Braces are nested more than {DEPTH} levels deep.")
        options: list[list[Node]] = [[]]
        while at < len(self._text):
            char = self._text[at]
            if char == "}" and depth:
                return options, True, at + 1
            if char == "|" and depth:
                options.append([])
                at += 1
                continue
            nodes, at = self._node(char, at, depth)
            options[-1] += nodes
        return options, False, at

    def _node(self, char: str, at: int, depth: int) -> tuple[list[Node], int]:
        if char == "\\" and self._text[at + 1 : at + 2] in _MARKS and at + 1 < len(self._text):
            return [self._text[at + 1]], at + 2
        if char == "_" and (found := _LIST.match(self._text, at)):
            return [Lines(found["name"], found["each"] is not None)], found.end()
        if char != "{":
            return [char], at + 1
        options, closed, after = self.sequences(at + 1, depth + 1)
        if closed and len(options) > 1:
            return [Choice(options)], after
        plain = [node for number, nodes in enumerate(options) for node in (["|", *nodes] if number else nodes)]
        return ["{", *plain, *(["}"] if closed else [])], after
