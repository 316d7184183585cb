"""Reading a prompt: what to draw, in which light, and how to misbehave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import ima2

FAILURES: dict[str, tuple[str, int, str]] = {
    "rate_limit": ("DEMO_RATE_LIMITED", 429, "The demo was asked to be over its rate limit. Try again in a moment."),
    "refuse": ("SAFETY_REFUSAL", 422, "The demo was asked to refuse this prompt. Say it in other words."),
    "empty": ("EMPTY_RESPONSE", 422, "The demo was asked to end without a picture. Try again."),
    "auth": ("DEMO_AUTH_FAILED", 401, "The demo was asked to reject its credential. Take the word out of the prompt."),
    "offline": ("NETWORK_FAILED", 503, "The demo was asked to be out of reach. Try again."),
}
"""What ``demo:fail=`` takes, besides ``crash`` (a bug: `RuntimeError`) and ``hang`` (until the job is over)."""

ORDER = re.compile(r"\s*\bdemo:(?:(fail)=(\w+)|(delay)=(\d{1,7}))", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")

SCENES: dict[str, str] = {
    "sea": "sea ocean beach wave boat ship sail sailing whale fish island lake water coast lighthouse 바다 파도 호수",
    "forest": "forest wood woods woodland tree pine jungle deer bear owl wolf fox 숲 나무",
    "city": "city town skyline street tower skyscraper neon cyberpunk downtown metropolis 도시 거리",
    "space": "space galaxy planet nebula cosmos universe rocket astronaut saturn mars orbit alien 우주 행성 은하",
    "desert": "desert dune sahara cactus camel pyramid oasis 사막",
    "snow": "snow snowy winter ice icy frozen penguin arctic polar christmas glacier 겨울",
    "mountain": "mountain alps peak summit cliff valley canyon volcano everest 산",
    "meadow": "flower garden rose meadow spring field tulip blossom lavender sunflower rabbit bunny 꽃 봄 정원",
    "hills": "hill countryside landscape village farm castle balloon 언덕 마을",
    "flow": "abstract flow pattern dream music emotion swirl colour color energy wind mind 추상 꿈",
}
HOURS: dict[str, tuple[float, str]] = {
    "dawn": (0.0, "dawn sunrise morning early 새벽 아침"),
    "day": (0.33, "day noon afternoon sunny bright summer 낮 여름"),
    "dusk": (0.66, "dusk sunset evening golden autumn fall twilight 저녁 노을 가을"),
    "night": (1.0, "night midnight moon moonlit star starry dark aurora 밤 달 별"),
}
CREATURES: dict[str, str] = {
    "cat": "cat kitten kitty 고양이",
    "dog": "dog puppy wolf 강아지",
    "fox": "fox 여우",
    "rabbit": "rabbit bunny hare 토끼",
    "bear": "bear panda teddy 곰",
    "owl": "owl 올빼미 부엉이",
    "penguin": "penguin 펭귄",
    "deer": "deer stag elk moose reindeer 사슴",
    "whale": "whale orca 고래",
    "boat": "boat ship sail sailing sailboat yacht 배",
    "balloon": "balloon 풍선",
    "lighthouse": "lighthouse 등대",
    "castle": "castle palace fairytale 성",
    "cabin": "cabin house cottage hut home village farm 집",
    "birds": "bird seagull crow raven goose swallow 새",
    "aurora": "aurora 오로라",
    "snowfall": "snow snowy snowing blizzard snowflake 눈",
    "rain": "rain rainy storm 비",
    "rocket": "rocket spaceship astronaut 로켓",
}
COLOURS: dict[str, tuple[str, str]] = {
    "#d8343c": ("red", "crimson scarlet red 빨간"),
    "#ef7d2e": ("orange", "orange amber 주황"),
    "#e9bd3c": ("gold", "gold yellow 노란"),
    "#3f9c58": ("green", "green emerald 초록"),
    "#1f9e9e": ("teal", "teal turquoise cyan 청록"),
    "#2f62c9": ("blue", "blue azure indigo 파란"),
    "#7c48c4": ("purple", "purple violet 보라"),
    "#e8709f": ("pink", "pink rose magenta 분홍"),
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """A prompt, understood: ``text`` without orders to the demo, ``hour`` from dawn (0) to night (1)."""

    text: str
    scene: str | None
    hour: float | None
    creatures: tuple[str, ...]
    tints: tuple[str, ...]
    fail: str
    delay_ms: int | None


def wishes(prompt: str) -> Wishes:
    """Read a prompt. Raises 400 ``DEMO_FAILURE_UNKNOWN`` for a ``demo:fail=`` nobody knows."""
    fail, delay = "", None
    for found in ORDER.finditer(prompt):
        if found[1]:
            fail = found[2].lower()
        else:
            delay = int(found[4])
    if fail and fail not in (*FAILURES, "crash", "hang"):
        known = ", ".join((*FAILURES, "crash", "hang"))
        raise ima2.Ima2Error("DEMO_FAILURE_UNKNOWN", 400, f"The demo cannot fail like that. It knows: {known}.")
    text = " ".join(ORDER.sub("", prompt).split())
    hours = {name: words for name, (_, words) in HOURS.items()}
    named = _named(text, hours)
    scenes = _named(text, SCENES)
    return Wishes(
        text=text,
        scene=scenes[0] if scenes else None,
        hour=HOURS[named[0]][0] if named else None,
        creatures=tuple(_named(text, CREATURES)),
        tints=tuple(_named(text, {tint: words for tint, (_, words) in COLOURS.items()})),
        fail=fail,
        delay_ms=delay,
    )


def _named(text: str, vocabulary: Mapping[str, str]) -> list[str]:
    """The entries of a vocabulary that a text names: the most often named first, then the first named."""
    spoken = [word.lower() for word in _WORD.findall(text)]
    counts: dict[str, tuple[int, int]] = {}
    for name, words in vocabulary.items():
        known = words.split()
        plain = {word for word in known if word.isascii()}
        foreign = [word for word in known if not word.isascii()]
        found = [place for place, word in enumerate(spoken) if word in plain or word.removesuffix("s") in plain]
        found += [place for place, word in enumerate(spoken) for start in foreign if word.startswith(start)]
        if found:
            counts[name] = (-len(found), min(found))
    return sorted(counts, key=lambda name: counts[name])
