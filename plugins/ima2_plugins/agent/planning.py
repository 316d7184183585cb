"""From what a person wrote to what is to be done: commands, counts, comparisons and clips, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MOST = 8
COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("help", "h"), "help"),
    **dict.fromkeys(("question", "ask", "q"), "question"),
    **dict.fromkeys(("variants", "variant", "v", "n", "generate", "gen", "g"), "variants"),
    **dict.fromkeys(("parallelism", "parallel", "p"), "parallelism"),
    **dict.fromkeys(("tools", "tool"), "tool"),
}
_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+|$)(.*)", re.DOTALL)
_LEADING = re.compile(r"([1-8])(?:\s+|$)(.*)", re.DOTALL)
_WORDS = {
    **dict(zip("one two three four five six seven eight".split(), range(1, 9), strict=True)),
    **dict(zip("한 두 세 네 다섯 여섯 일곱 여덟".split(), range(1, 9), strict=True)),
    **dict(zip("하나 둘 셋 넷".split(), range(1, 5), strict=True)),
}
_NUMBER = r"(?P<number>(?<![\d.])[1-8](?![\d.])|\b(?:one|two|three|four|five|six|seven|eight)\b)"
_NOUN = r"(?:images?|pictures?|variants?|variations?|versions?|options?|candidates?|takes?|alternatives?)"
_COUNTED = re.compile(
    rf"{_NUMBER}(?:[\s-]+(?!and\b|or\b|with\b|of\b|in\b)[a-z'-]+){{0,3}}?[\s-]+{_NOUN}\b", re.IGNORECASE
)
_KOREAN_NUMBER = r"(?P<number>[1-8]|한|두|세|네|다섯|여섯|일곱|여덟|하나|둘|셋|넷)"
_KOREAN_NOUN = r"(?:이미지|그림|사진|시안|버전|변형|옵션|후보)"
_KOREAN_COUNTED = (
    re.compile(rf"(?<!\d){_KOREAN_NUMBER}\s*(?:장|개|가지|종|종류)?의?\s*(?:다른\s*|서로\s*)*{_KOREAN_NOUN}"),
    re.compile(rf"{_KOREAN_NOUN}(?:을|를|으로|로)?\s*{_KOREAN_NUMBER}\s*(?:장|개|가지|종)"),
    re.compile(rf"(?<!\d){_KOREAN_NUMBER}\s*장"),
)
_SEVERAL = re.compile(
    r"\b(?:several|multiple|a few|some)\s+(?:[a-z'-]+\s+){0,3}?(?:images|pictures|variants|variations|versions|options"
    r"|candidates|takes|alternatives)\b|\b(?:variants|variations|options|alternatives)\b"
    r"|여러\s*(?:장|개|가지|버전|시안)|몇\s*(?:장|개|가지)|다양한\s*(?:버전|시안|이미지)",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\bcompar(?:e|ing|ison)\b|\bside by side\b|\ba/b\b|\bversus\b|\bvs\b|비교|둘\s*중|대조", re.IGNORECASE
)
_VIDEO = re.compile(
    r"\b(?:videos?|animat(?:e|es|ed|ing|ion|ions)|(?:movie|film|video)\s+clips?)\b|비디오|동영상|영상|애니메이션|움직이게",
    re.IGNORECASE,
)
_STILL = re.compile(r"\b(?:no|not an?|without)\s+(?:video|animation)|\bvideo\s+(?:game|store|rental)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """What stands before the words: the command's name, ``""`` for none, a number and the rest."""

    name: str
    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done. ``mode`` is ``single``, ``fanout``, ``question`` or ``video``; ``source`` says who decided
    on the count."""

    mode: str
    prompts: list[str] = field(repr=False)
    requested: int
    parallelism: int
    source: str
    reason: str
    command: str | None = None

    @property
    def count(self) -> int:
        """Pictures or clips that are made."""
        return len(self.prompts)

    def wire(self) -> dict[str, Any]:
        """The plan as clients read it, and as it is stored."""
        said = asdict(self)
        return {
            **{name: said[name] for name in ("mode", "prompts", "source", "reason", "command")},
            "requestedVariants": self.requested,
            "plannedVariants": self.count,
            "plannedParallelism": self.parallelism,
            "assistantText": None,
        }


def command_of(prompt: str) -> Command:
    """Read a slash command. Words that begin with an unknown one are a prompt like any other."""
    found = _COMMAND.fullmatch(prompt.strip())
    name = COMMANDS.get(found[1].lower(), "") if found else ""
    if found is None or not name:
        return Command("", prompt.strip())
    rest = found[2].strip()
    leading = _LEADING.fullmatch(rest) if name in ("variants", "parallelism") else None
    return Command(name, leading[2].strip(), int(leading[1])) if leading else Command(name, rest)


def plan(prompt: str, settings: Mapping[str, Any], at_once: int = MOST) -> Plan:
    """What a prompt asks for. ``at_once`` bounds how many are made side by side, for instance by the provider."""
    command = command_of(prompt)
    used = f"/{command.name}" if command.name else None
    if command.name not in ("variants",) and wants_video(command.text):
        return Plan("video", [command.text], 1, 1, "auto-request", "The words ask for a clip.", used)
    asked, source, reason = _count(command, settings)
    count = asked if source != "auto-request" else min(asked, settings["maxAutoVariants"])
    limit = command.number if command.name == "parallelism" and command.number else settings["parallelism"]
    if settings["quality"] == "high":
        limit = min(limit, 2)
    if count > 1:
        prompts = [_variant(command.text, number, count) for number in range(1, count + 1)]
        return Plan("fanout", prompts, asked, max(1, min(count, limit, at_once)), source, reason, used)
    return Plan("single", [command.text], asked, 1, source, reason, used)


def wants_video(text: str) -> bool:
    """Whether words ask for a clip."""
    return bool(_VIDEO.search(text)) and not _STILL.search(text)


def requested_count(text: str) -> int | None:
    """How many pictures words ask for: a number with a counted noun ("three poster variants"), several, or a
    comparison. A bare number ("2 cats") says nothing of that."""
    for pattern in (_COUNTED, *_KOREAN_COUNTED):
        if found := pattern.search(text):
            word = found["number"].lower()
            return int(word) if word.isdigit() else _WORDS[word]
    if _SEVERAL.search(text):
        return 3
    return 2 if _COMPARE.search(text) else None


def _count(command: Command, settings: Mapping[str, Any]) -> tuple[int, str, str]:
    if command.name == "variants":
        return command.number or 3, "slash-command", "The command names the count."
    if settings["generationStrategy"] == "manual":
        return settings["variants"], "manual-settings", "The session's settings name the count."
    found = requested_count(command.text)
    if found is None:
        return 1, "auto-default", "The words ask for no particular number of pictures."
    return found, "auto-request", f"The words ask for {found} {'picture' if found == 1 else 'pictures'}."


def _variant(text: str, number: int, count: int) -> str:
    return f"{text}\n\nThis is take {number} of {count}: give it a composition of its own, unlike the other takes."
