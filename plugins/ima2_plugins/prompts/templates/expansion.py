"""Throwing the dice: the same template, lists, seed and index always give the same words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import ima2
from ima2_plugins.prompts.templates.syntax import Choice, Lines, Node, lists_in, parse

PROMPT_CHARS, STEPS = 32_000, 20_000
Read = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Expansion:
    """The words that came of a template, and which lines and alternatives were taken."""

    prompt: str = field(repr=False)
    seed: int
    index: int
    choices: Sequence[dict[str, Any]] = field(repr=False)


def expand(text: str, seed: int, index: int, read: Read) -> Expansion:
    """Variant ``index`` of a template. 400 ``TEMPLATE_…`` where that cannot be."""
    throw = _Throw(seed, index, read)
    prompt = throw.words(parse(text), ()).strip()
    if not prompt:
        raise ima2.Ima2Error("TEMPLATE_EMPTY", 400, "Nothing is left of the template.")
    return Expansion(prompt, seed, index, throw.choices)


def variants(text: str, read: Read) -> int:
    """How many variants use each line of every list that asks for it once; 1 without such a list."""
    return max((len(read(one.name)) for one in lists_in(parse(text)) if one.each), default=1)


class _Throw:
    """One expansion: its dice, its choices and what it may still do."""

    def __init__(self, seed: int, index: int, read: Read) -> None:
        self.choices: list[dict[str, Any]] = []
        self._seed, self._index, self._read = seed, index, read
        self._draws = self._steps = self._chars = 0

    def words(self, nodes: Sequence[Node], inside: tuple[str, ...]) -> str:
        """The words of some nodes; ``inside`` are the lists that led here."""
        parts = []
        for node in nodes:
            self._steps += 1
            part = node if isinstance(node, str) else self._one(node, inside)
            self._chars += len(part) if isinstance(node, str) else 0
            if self._steps > PROMPT_CHARS + STEPS or self._chars > PROMPT_CHARS:
                text = f"The template grows beyond {PROMPT_CHARS} characters."
                raise ima2.Ima2Error("TEMPLATE_TOO_LONG", 400, text)
            parts.append(part)
        return "".join(parts)

    def _one(self, node: Choice | Lines, inside: tuple[str, ...]) -> str:
        if isinstance(node, Choice):
            place = self._draw(len(node.options))
            self.choices.append({"option": place})
            return self.words(node.options[place], inside)
        if node.name in inside:
            raise ima2.Ima2Error("TEMPLATE_CYCLE", 400, f"The list {node.name} leads to itself.")
        if len(self.choices) > STEPS:
            raise ima2.Ima2Error("TEMPLATE_TOO_LONG", 400, "The template makes too many choices.")
        lines = self._read(node.name)
        place = self._deal(node.name, len(lines)) if node.each else self._draw(len(lines))
        self.choices.append({"list": node.name, "line": lines[place]})
        return self.words(parse(lines[place]), (*inside, node.name))

    def _draw(self, count: int) -> int:
        self._draws += 1
        return _number(f"{self._seed}:{self._index}:{self._draws}") % count

    def _deal(self, name: str, count: int) -> int:
        """The line of this variant: the list is shuffled by the seed and dealt one by one."""
        turn, place = divmod(self._index, count)
        return _deck(f"{self._seed}:{name}:{turn}", count)[place]


@lru_cache(maxsize=8)
def _deck(shuffle: str, count: int) -> tuple[int, ...]:
    return tuple(sorted(range(count), key=lambda line: _number(f"{shuffle}:{line}")))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
